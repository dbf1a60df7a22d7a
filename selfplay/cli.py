"""The command line. A command is a thin function that imports what it needs when it runs.

So `selfplay --help` starts at once. What a user did wrong ends with one line and exit code 2: commands just
let `games.UserError` and `OSError` pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from selfplay.meta import commands, tune_command
from selfplay.options import (
    ConfigOption,
    JsonOption,
    MinutesOption,
    PositionsOption,
    ResumeOption,
    SeedOption,
    SettingsOption,
    ThreadsOption,
    changes,
    in_a_folder,
    progress_bar,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from games import Variant
    from games.solver import SolveProgress
    from selfplay.evaluate import Evaluation
    from selfplay.player import Player


_EXTRA_TRAIN = frozenset(
    {"jinja2", "matplotlib", "onnx", "onnxscript", "optuna", "safetensors", "tensorboard", "torch"}
)
"""Packages that only the extra `train` installs; playing does without them."""


class _Commands(TyperGroup):
    """Commands whose user errors are one line."""

    def invoke(self, ctx: Any) -> Any:
        with one_line_errors():
            return super().invoke(ctx)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user or the system did wrong into one line and exit code 2; Ctrl-C is a quiet 130."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_TRAIN:
            raise
        raise _refusal(
            f"this command needs {error.name}, which isn't installed: pip install 'selfplay-agents[train]'"
        ) from None
    except BrokenPipeError:
        raise  # whoever read our output has had enough; typer ends quietly
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise _refusal(f"{place}{error.strerror or error}") from None
    except ValueError as error:
        from games import UserError

        if not isinstance(error, UserError):
            raise
        raise _refusal(str(error)) from None


def _refusal(line: str) -> typer.Exit:
    typer.echo(f"error: {' '.join(line.split())}", err=True)
    return typer.Exit(2)


app = typer.Typer(
    cls=_Commands,
    name="selfplay",
    help="Agents that learn a rule variant by playing against themselves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
variants_app = typer.Typer(
    help="What can be played: list it, show it, check your own.", invoke_without_command=True
)
app.add_typer(variants_app, name="variants", rich_help_panel="Play")


def main() -> None:
    """Entry point of the command `selfplay`."""
    app()


# --- commands -----------------------------------------------------------------------------------------------


def _show_version(wanted: bool) -> None:
    if wanted:
        from selfplay import __version__

        typer.echo(f"selfplay {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit."),
    ] = False,
) -> None:
    """What comes before a command."""


@variants_app.callback()
def list_variants(ctx: typer.Context) -> None:
    """List what can be played; `show` and `check` take a name of the list or the path of a TOML file."""
    if ctx.invoked_subcommand is not None:
        return
    import games
    from games.catalogue import families
    from selfplay.describe import size

    variants = {name: games.load(name) for name in games.names()}
    name_width = max(map(len, variants))
    title_width = max(len(variant.title) for variant in variants.values())
    for heading, names in families().items():
        typer.secho(heading, bold=True)
        for name in names:
            title = f"{variants[name].title:<{title_width}}"
            typer.echo(f"  {name:<{name_width}}  {title}  {size(variants[name])}")


VariantArgument = Annotated[
    str, typer.Argument(metavar="VARIANT", help="A name of the list, or a TOML file.")
]
"""A variant, for `games.load`."""


@variants_app.command("show")
def show_variant(variant: VariantArgument) -> None:
    """The rules in words, and the board before the first move."""
    import textwrap

    from rich.console import Console

    import games
    from selfplay.describe import describe
    from selfplay.play import drawn_board, look_of

    rules, console = games.load(variant), Console()
    typer.secho(f"{rules.title or rules.name} ({rules.name})", bold=True)
    for text in (rules.rules, f"Source: {rules.source}" if rules.source else ""):
        if text:
            typer.echo(textwrap.fill(text, width=80))
    typer.echo()
    for topic, words in describe(rules).items():
        typer.echo(textwrap.fill(words, width=80, initial_indent=f"{topic:<8}", subsequent_indent=" " * 8))
    typer.echo()
    console.print(drawn_board(games.start(rules), look_of(console)))


@variants_app.command("check")
def check_variant(
    variant: VariantArgument,
    number: Annotated[int, typer.Option("--games", min=1, help="Random games to play.")] = 50,
    playtests: Annotated[int, typer.Option(min=0, help="Games of plain search against itself.")] = 24,
    simulations: Annotated[int, typer.Option(min=0, help="Simulations a move in them.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    json_file: JsonOption = None,
) -> None:
    """Hold the engine's promises against a variant, such as your own, and say how it plays."""
    import games
    from selfplay.variants import playtest_table

    rules = games.load(variant)
    result: dict[str, Any] = {"variant": rules.name, "digest": rules.digest, "conforms": True}
    try:
        games.conformance.check(rules, games=number, seed=seed)
    except games.ConformanceError as error:
        typer.echo(f"The engine breaks a promise; please report this:\n{error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{rules.name}: every promise holds in {number} random games.")
    if playtests:
        with progress_bar("games", playtests) as progress:
            seen = games.playtest.playtest(
                rules, games=playtests, simulations=simulations, seed=seed, progress=progress
            )
        for topic, words in playtest_table(seen).items():
            typer.echo(f"{topic:<12} {words}")
        result["playtest"] = asdict(seen) | {"degenerate": games.degenerate(seen)}
    write_json(json_file, result)


@variants_app.command("sample")
def sample_variants(
    number: Annotated[int, typer.Argument(metavar="N", min=1, help="How many variants.")],
    space: Annotated[
        str, typer.Option(metavar="SPACE", help="A preset, or a TOML file that says what may be drawn.")
    ] = "everything",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where a TOML file for each is written.")
    ] = Path("sampled"),
    json_file: JsonOption = None,
) -> None:
    """Draw random variants that are distinct and worth playing.

    Presets: lines, connecting, placing, stepping, everything.
    """
    from games import Space
    from selfplay.variants import sample_table, write_sample

    with progress_bar("variants", number) as progress:
        sample = write_sample(number, Space.load(space), output, seed=seed, progress=progress)
    for topic, words in sample_table(sample).items():
        typer.echo(f"{topic:<28} {words}")
    typer.echo(f"{output}: {number} variants. Look at one: selfplay variants check {sample.files[0]}")
    write_json(json_file, sample.report())


@app.command(rich_help_panel="Play")
def play(
    variant: Annotated[
        str | None,
        typer.Argument(
            metavar="[VARIANT]", help="A name of the list, or a TOML file; the app lets you choose."
        ),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(help="An .onnx file, mcts:N (N random playouts a move) or random. Default: what ships."),
    ] = None,
    simulations: Annotated[
        int | None, typer.Option(min=0, help="Simulations a move, for an .onnx file. Default: 64.")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(help="How strong: beginner, human-like, casual, club, strong, expert or full."),
    ] = None,
    first: Annotated[Literal["me", "agent", "random"], typer.Option(help="Who makes the first move.")] = "me",
    clock: Annotated[
        str | None, typer.Option(metavar="M[+S]", help="Minutes a game, and seconds that each move adds.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="AGENT", help="Watch the agent play another one, which is second.")
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Watch the latest agent of a run that trains play itself."),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Lines of text instead of the app.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    hints: Annotated[
        bool, typer.Option(help="Plain mode: say what the agent thinks after its moves.")
    ] = True,
) -> None:
    """Play against an agent: in an app where there is a terminal, else line by line."""
    from selfplay.play_command import Wishes, run_play

    wishes = Wishes(variant, agent, simulations, level, first, clock, against, watch, seed, hints)
    run_play(wishes, plain=plain, echo=_note)


def _note(line: str) -> None:
    typer.echo(line, err=True)


@app.command(rich_help_panel="Play")
def engine(
    protocol: Annotated[
        Literal["gtp", "uci", "gomocup"], typer.Argument(help="What the other program speaks.")
    ],
    variant: Annotated[
        str | None,
        typer.Option(
            metavar="VARIANT",
            help="What is played at first, a name or a TOML file. Default: go, breakthrough, gomoku.",
        ),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(help="An .onnx file, mcts:N (N random playouts a move) or random. Default: what ships."),
    ] = None,
    simulations: Annotated[
        int | None, typer.Option(min=1, help="Simulations a move, where no clock decides. Default: 64.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    ponder: Annotated[bool, typer.Option("--ponder", help="Think in the other one's time as well.")] = False,
) -> None:
    """Be an engine for another program: lines in, lines out, by GTP, UCI or Gomocup's protocol."""
    import sys

    from selfplay.protocols.command import run_engine

    run_engine(
        protocol,
        variant,
        agent,
        sys.stdin.buffer,
        simulations=simulations,
        seed=seed,
        ponder=ponder,
        write=_written_at_once,
    )


@app.command(rich_help_panel="Play")
def web(
    variants: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VARIANT]...",
            help="What is played at first, and your own TOML files besides the catalogue.",
        ),
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="Your own .onnx file, again for more; what ships is there.")
    ] = None,
    static: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a folder that plays without a server, instead of serving."),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="With --static: onnxruntime-web's files. Default: npm fetches them."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to serve at; any but a loopback one lets others in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes one that is free.")] = 8000,
    most: Annotated[int, typer.Option(min=1, max=30000, help="Simulations of an analysis at most.")] = 1600,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Play in a browser: serve the page on this machine, or write it as a folder."""
    from selfplay.web.command import offered, run_server, write_page

    names, agents = variants or [], agent or []
    if static is None:
        run_server(names, agents, host=host, port=port, most=most, seed=seed, ready=_say_address)
        return
    listed = offered(names)
    with progress_bar("variants", len(listed)) as advance:
        write_page(listed, names, agents, static, runtime=runtime, seed=seed, written=lambda _: advance(1))
    typer.echo(f"{static}: open index.html in a browser, or put the folder on any web server.")


def _say_address(address: str) -> None:
    typer.echo(f"Play at {address} (Ctrl-C ends)")


def _written_at_once(text: str) -> None:
    typer.echo(text, nl=False)


@app.command(rich_help_panel="Measure")
def arena(
    variant: VariantArgument,
    others: Annotated[
        list[str] | None, typer.Argument(metavar="[PLAYER]...", help="Further players.")
    ] = None,
    players: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLAYER...",
            help="Two or more: an .onnx or .safetensors file or a run folder (@N: N simulations; "
            "@N+M: and M positions of the exact solver), random,"
            " mcts:N, alphabeta:DEPTH, solver, openspiel:mcts:N, uci:COMMAND, gtp:COMMAND.",
        ),
    ] = None,
    number: Annotated[int, typer.Option("--games", min=2, help="Games of each pairing.")] = 100,
    simulations: Annotated[
        int | None, typer.Option(min=0, help="Simulations a move, for networks without @N. Default: 64.")
    ] = None,
    opening_plies: Annotated[
        int | None,
        typer.Option(min=0, help="Random moves of an opening. Default: as few as give enough openings."),
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(metavar="PLAYER", help="Whose rating is zero. Default: the mean is.")
    ] = None,
    sprt: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="ELO0 ELO1",
            help="Two players: is the first stronger by ELO1 rather than by ELO0 Elo points? "
            "Stops as soon as that is clear; --games are the most it plays.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    threads: ThreadsOption = 2,
    records: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every game, one JSON object a line.", callback=in_a_folder),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Let players play each other from many openings, and rate them."""
    import games
    from selfplay.arena_command import run_arena

    result = run_arena(
        games.load(variant),
        [*(players or []), *(others or [])],
        games=number,
        simulations=simulations,
        opening_plies=opening_plies,
        anchor=anchor,
        sprt=sprt,
        seed=seed,
        threads=threads,
        records=records,
        echo=typer.echo,
    )
    write_json(json_file, result)


@app.command(rich_help_panel="Measure")
def evaluate(
    agent: Annotated[
        str,
        typer.Argument(
            metavar="AGENT", help="An .onnx or .safetensors file, a run folder, mcts:N or random."
        ),
    ],
    suite: Annotated[Path, typer.Option(metavar="FILE", help="Solved positions, one JSON object a line.")],
    variant: Annotated[
        str | None, typer.Option(help="What the positions are of. Default: what the agent was trained for.")
    ] = None,
    simulations: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="Simulations a move, for networks; 0: the policy alone; may be repeated. Default: 0 and 64.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of random playouts and moves.")] = 0,
    threads: ThreadsOption = 2,
    json_file: JsonOption = None,
) -> None:
    """Score an agent's moves on solved positions, such as `solve --sample` writes."""
    import games
    from selfplay.evaluate import evaluate_player, load_players, report
    from selfplay.suite import read_suite, spot_check

    players = load_players(agent, simulations or (), seed=seed, threads=threads)
    trained = players[0].variants
    rules = games.load(variant) if variant else trained[0] if trained else games.load("connect4")
    positions = read_suite(suite, rules)
    spot_check(suite, positions, rules)
    with progress_bar("positions", len(positions) * len(players)) as progress:
        evaluations = [
            (player, evaluate_player(player, rules, positions, progress=progress)) for player in players
        ]
    for player, evaluation in evaluations:
        _show_evaluation(player, evaluation, rules)
    write_json(json_file, report(evaluations, rules))


def _show_evaluation(player: Player, evaluation: Evaluation, variant: Variant) -> None:
    from selfplay.evaluate import table

    typer.echo(f"{player.description} on {variant.name}, {evaluation.seconds:.1f} s")
    heading, *lines = table(evaluation)
    typer.secho(heading, bold=True)
    for line in lines:
        typer.echo(line)


@app.command(rich_help_panel="Measure")
def solve(
    variant: VariantArgument,
    moves: Annotated[
        str, typer.Option(metavar="'MOVE ...'", help="Moves that lead to the position, such as 'd1 d2'.")
    ] = "",
    memory: Annotated[
        int, typer.Option(min=1, metavar="MB", help="Memory for the table of positions.")
    ] = 1024,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.01, help="Give up after this time; with --sample: on each position."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Solve N positions of random games instead.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where --sample writes them.", callback=in_a_folder
        ),
    ] = None,
    nodes: Annotated[
        int, typer.Option(min=1, help="With --sample: skip a position that takes more nodes.")
    ] = 5_000_000,
    seed: Annotated[int, typer.Option(min=0, help="With --sample: of the random games.")] = 0,
    json_file: JsonOption = None,
) -> None:
    """Solve a position exactly: its value, and what each move is worth."""
    import games
    from selfplay.solve import position_after, solve_position, verdict

    rules = games.load(variant)
    if (sample is None) != (output is None):
        raise typer.BadParameter("expected --sample N and --output FILE together, got one of them")
    if sample is not None and output is not None:
        if moves or json_file:
            raise typer.BadParameter("--sample takes neither --moves nor --json")
        _write_sample(rules, sample, output, seed=seed, memory=memory, nodes=nodes, seconds=seconds)
        return
    position = position_after(rules, moves)
    with _solver_line() as progress:
        solution = solve_position(position, memory=memory, seconds=seconds, progress=progress)
    typer.echo(str(position))
    for line in verdict(solution):
        typer.echo(line)
    typer.echo(f"{solution['nodes']:,} nodes in {solution['seconds']:.1f} s")
    write_json(json_file, solution)


def _write_sample(rules: Variant, number: int, output: Path, **settings: Any) -> None:
    """Solve positions of random games and write them, a file whole or not at all."""
    from models.format import write_atomically
    from selfplay.solve import sample_positions

    with progress_bar("positions", number) as progress:
        sample = sample_positions(rules, number, progress=progress, **settings)
    write_atomically(output, "".join(f"{line}\n" for line in sample.lines).encode())
    typer.echo(f"{output}: {number} positions of {rules.name}; {sample.skipped} more took too long.")


@contextmanager
def _solver_line() -> Iterator[Callable[[SolveProgress], None]]:
    """A line on stderr that says how far the solver is; nobody knows what is left."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("solving …") as status:
        yield lambda told: status.update(
            f"solving … {told.nodes:,} nodes in {told.seconds:.0f} s "
            f"({told.nodes_per_second / 1e6:.1f} M/s), table {told.fill:.0%} full"
        )


@app.command(rich_help_panel="Learn")
def train(
    variants: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VARIANT...", help="Names of the list, or TOML files; several are learned together."
        ),
    ] = None,
    run: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The run's folder: new, or with --resume its own.")
    ] = Path("runs/train"),
    minutes: MinutesOption = None,
    positions: PositionsOption = None,
    resume: ResumeOption = False,
    config: ConfigOption = None,
    settings: SettingsOption = None,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Learn variants by self-play, 30 minutes if nothing is said. Ctrl-C saves and ends; --resume goes on."""
    import games
    from selfplay.training import resume_training, start_training

    wanted = changes(settings, minutes=minutes, positions=positions, seed=seed)
    if resume:
        if variants or config or seed is not None:
            raise typer.BadParameter("--resume takes variants, configuration and seed from the folder")
        summary = resume_training(run, wanted)
    else:
        if not variants:
            raise typer.BadParameter("expected a VARIANT to learn, or --resume")
        if minutes is None and positions is None and config is None:
            wanted.append("minutes=30")
        summary = start_training([games.load(name) for name in variants], run, config, wanted)
    typer.echo(f"{run}: {summary['positions']:,} positions in {summary['seconds'] / 60:.1f} min.")
    typer.echo(f"Export it: selfplay export {run} --output agent.onnx")
    write_json(json_file, summary)


app.command("meta-train", rich_help_panel="Learn")(commands.meta_train)
app.command("adapt", rich_help_panel="Learn")(commands.adapt)
app.command("meta-tune", rich_help_panel="Learn")(tune_command.meta_tune)


@app.command(rich_help_panel="Learn")
def export(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE", help="A run folder, a .safetensors checkpoint, or an .onnx agent of fp32."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The agent to write.", callback=in_a_folder),
    ] = Path("agent.onnx"),
    precision: Annotated[
        Literal["fp32", "fp16", "int8"],
        typer.Option(help="fp16: weights of two bytes. int8: convolutions in bytes, faster on the CPU."),
    ] = "fp32",
) -> None:
    """Write a run's agent as one .onnx file."""
    from selfplay.describe import listing
    from selfplay.export import export_agent

    metadata = export_agent(source, output, precision=precision)
    names = listing([entry["name"] for entry in metadata["variants"]])
    typer.echo(f"{output}: {output.stat().st_size / 2**20:.1f} MB, trained for {names}.")
    typer.echo(f"Play it: selfplay play {metadata['variants'][0]['name']} --agent {output}")


@app.command(rich_help_panel="Learn")
def demo(
    variant: VariantArgument = "connect4",
    minutes: Annotated[float, typer.Option(min=0.05, help="How long to learn.")] = 3.0,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The agent to write.", callback=in_a_folder),
    ] = Path("agent.onnx"),
    run: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The run's folder; a number is added if taken.")
    ] = Path("runs/demo"),
    json_file: JsonOption = None,
) -> None:
    """Learn a variant for some minutes, export the agent, and measure it against simple opponents."""
    from selfplay.demo import run_demo

    write_json(json_file, run_demo(variant, minutes=minutes, run=run, output=output, echo=typer.echo))


@app.command(rich_help_panel="Measure")
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders; several side by side.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER|FILE.html",
            help="Where the page goes. Default: the run's folder; for several runs the current one.",
        ),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="First measure how strong the agents of each run's past are."),
    ] = False,
    suite: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --measure: solved positions to score them on.")
    ] = None,
    number: Annotated[
        int, typer.Option("--games", min=2, help="With --measure: games of each pairing.")
    ] = 40,
    json_file: JsonOption = None,
) -> None:
    """Show runs as one HTML page and PNGs: losses, strength, calibration, games, speed, openings."""
    from selfplay.reporting.report import output_file, read_runs, steps, write_report

    target = output_file(runs, output)
    if suite is not None and not measure:
        raise typer.BadParameter("--suite needs --measure")
    if measure:
        from selfplay.strength import measure_run

        for run in runs:
            typer.echo(f"Measuring {run} …")
            measure_run(run, suite=suite, games=number, tell=lambda line: typer.echo(f"  {line}", err=True))
    found = read_runs(runs)
    with progress_bar("report", steps(found)) as progress:
        written = write_report(found, target, progress=progress)
    for line in written.missing:
        typer.echo(f"missing: {line}")
    size = written.page.stat().st_size / 2**20
    folder = written.page.with_suffix("")
    typer.echo(f"{written.page}: {size:.1f} MB; {len(written.pictures)} pictures in {folder}.")
    write_json(json_file, written.result)


@app.command(rich_help_panel="Measure")
def bench(
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LAYER]...",
            help="start, rules, search, network, selfplay, learner, arena, player, meta, scaling. "
            "Default: all.",
        ),
    ] = None,
    blocks: Annotated[int, typer.Option(min=1, help="Of the network.")] = 4,
    channels: Annotated[int, typer.Option(min=1, help="Of the network.")] = 64,
    batch: Annotated[int, typer.Option(min=1, help="Positions in a network batch.")] = 128,
    json_file: JsonOption = None,
) -> None:
    """Measure how fast each layer runs on this machine."""
    from selfplay.bench import run_bench

    result = run_bench(
        layers or (),
        blocks=blocks,
        channels=channels,
        batch=batch,
        report=lambda line: typer.echo(f"  {line}"),
    )
    write_json(json_file, result)
