"""The commands of meta-learning, as functions that import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from games import Variant

SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting, such as learner.learning_rate=1e-3; may be repeated."
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A config.toml, such as another run's.")
]
MinutesOption = Annotated[float | None, typer.Option(min=0.01, help="Stop after this time.")]
PositionsOption = Annotated[int | None, typer.Option(min=1, help="Stop after this many self-play positions.")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Of everything random. Default: 0.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")]


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
            "--from", metavar="INIT", help="Begin with these weights: a .safetensors file or a run."
        ),
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
) -> None:
    """Learn an initialisation from many variants. Ctrl-C saves and ends; --resume goes on."""
    from selfplay.meta.start import resume_meta_training, start_meta_training

    changes = _changes(settings, minutes=minutes, positions=positions, seed=seed)
    if algorithm is not None:
        changes.append(f"learning.algorithm={algorithm}")
    if resume:
        if variants or start or config or seed is not None or algorithm is not None:
            raise typer.BadParameter(
                "--resume takes variants, weights, algorithm, configuration and seed from the folder"
            )
        summary = resume_meta_training(run, changes)
    else:
        if minutes is None and positions is None and config is None:
            changes.append("minutes=60")
        summary = start_meta_training(run, _loaded(variants), start, config, changes)
    typer.echo(f"{run}: {summary['positions']:,} positions in {summary['seconds'] / 60:.1f} min.")
    typer.echo(f"Adapt it: selfplay adapt VARIANT --from {run} --minutes 5")


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
) -> None:
    """Learn one variant in minutes, from what many have in common. Ends early once nothing is gained."""
    import games
    from selfplay.meta.adapt import released, resume_adaptation, start_adaptation

    changes = _changes(settings, minutes=minutes, positions=positions, seed=seed)
    if resume:
        if variant or start or config or seed is not None or run is None:
            raise typer.BadParameter("--resume takes only --run, a budget and settings")
        summary = resume_adaptation(run, changes)
    else:
        if variant is None:
            raise typer.BadParameter("expected a VARIANT to learn, or --resume")
        rules = games.load(variant)
        run = run or Path("runs") / f"adapt-{rules.name}"
        if minutes is None and positions is None and config is None:
            changes.append("minutes=5")
        summary = start_adaptation(rules, start or released(), run, config=config, settings=changes)
    typer.echo(f"{run}: {summary['positions']:,} positions in {summary['seconds'] / 60:.1f} min.")
    typer.echo(f"Play it: selfplay play {variant or summary['variants'][0]} --agent {run / 'agent.onnx'}")


def _changes(settings: list[str] | None, **budget: Any) -> list[str]:
    return [*(settings or []), *(f"{key}={value}" for key, value in budget.items() if value is not None)]


def _loaded(names: list[str] | None) -> list[Variant] | None:
    import games

    return [games.load(name) for name in names] if names else None
