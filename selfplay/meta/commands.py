"""The commands of meta-learning, as functions that import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfplay.options import (
    ConfigOption,
    JsonOption,
    MinutesOption,
    PositionsOption,
    ResumeOption,
    SeedOption,
    SettingsOption,
    changes,
    write_json,
)

if TYPE_CHECKING:
    from games import Variant


def meta_train(
    run: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The run's folder: new, or with --resume its own.")
    ] = Path("runs/meta"),
    variants: Annotated[
        list[str] | None,
        typer.Option(
            "--variant", metavar="VARIANT", help="Learn from these instead of the training split; repeat."
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="INIT",
            help="Begin with these weights: .safetensors or a run; with --set network.channels they grow.",
        ),
    ] = None,
    games: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Learn from the games of this meta-training, too."),
    ] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="The algorithm, such as reptile, fomaml or joint. Default: joint.")
    ] = None,
    minutes: MinutesOption = None,
    positions: PositionsOption = None,
    resume: ResumeOption = False,
    config: ConfigOption = None,
    settings: SettingsOption = None,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Learn from many variants at once, an hour if nothing is said. Ctrl-C saves; --resume goes on."""
    from selfplay.meta.start import resume_meta_training, start_meta_training

    wanted = changes(settings, minutes=minutes, positions=positions, seed=seed)
    if algorithm is not None:
        wanted.append(f"learning.algorithm={algorithm}")
    if resume:
        if variants or start or games or config or seed is not None or algorithm is not None:
            raise typer.BadParameter(
                "--resume takes variants, weights, games, algorithm, configuration and seed from the folder"
            )
        summary = resume_meta_training(run, wanted)
    else:
        if minutes is None and positions is None and config is None:
            wanted.append("minutes=60")
        summary = start_meta_training(run, _loaded(variants), start, config, wanted, games=games)
    typer.echo(f"{run}: {summary['positions']:,} positions in {summary['seconds'] / 60:.1f} min.")
    typer.echo(f"Adapt it: selfplay adapt VARIANT --from {run} --minutes 5")
    write_json(json_file, summary)


def adapt(
    variant: Annotated[
        str | None, typer.Argument(metavar="VARIANT", help="A name of the list, or a TOML file.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="INIT",
            help="Where to start: .safetensors, a run, or an earlier adaptation. Default: the released one.",
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The run's folder. Default: runs/adapt-VARIANT."),
    ] = None,
    minutes: MinutesOption = None,
    positions: PositionsOption = None,
    resume: ResumeOption = False,
    config: ConfigOption = None,
    settings: SettingsOption = None,
    seed: SeedOption = None,
    json_file: JsonOption = None,
) -> None:
    """Learn one variant, 5 minutes if nothing is said, from what many share. Ends once nothing is gained."""
    import games
    from selfplay.meta.adapt import released, resume_adaptation, start_adaptation

    wanted = changes(settings, minutes=minutes, positions=positions, seed=seed)
    if resume:
        if variant or start or config or seed is not None or run is None:
            raise typer.BadParameter("--resume takes only --run, a budget and settings")
        summary = resume_adaptation(run, wanted)
    else:
        if variant is None:
            raise typer.BadParameter("expected a VARIANT to learn, or --resume")
        rules = games.load(variant)
        run = run or Path("runs") / f"adapt-{rules.name}"
        if minutes is None and positions is None and config is None:
            wanted.append("minutes=5")
        summary = start_adaptation(
            rules, start or released(), run, config=config, settings=wanted, tell=typer.echo
        )
    typer.echo(f"{run}: {summary['positions']:,} positions in {summary['seconds'] / 60:.1f} min.")
    typer.echo(f"Play it: selfplay play {variant or summary['variants'][0]} --agent {run / 'agent.onnx'}")
    write_json(json_file, summary)


def _loaded(names: list[str] | None) -> list[Variant] | None:
    import games

    return [games.load(name) for name in names] if names else None
