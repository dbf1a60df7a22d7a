"""What `selfplay variants sample` and `check` do: write variants, and say in words how one plays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from games import Playtest, Space, degenerate
from games.errors import SpaceError
from games.playtest import MAX_CAPPED, MAX_DRAWS, MAX_FIRST_SHARE, MIN_BRANCHING, MIN_MOVES
from games.sampling import Candidate, candidates
from models.format import write_atomically

_VERDICTS = {
    "no choice": f"there is hardly a choice (under {MIN_BRANCHING:g} legal actions a position)",
    "too short": f"it is over too soon (under {MIN_MOVES:g} moves)",
    "ply cap": f"the ply cap ends it too often (over {MAX_CAPPED:.0%})",
    "always drawn": f"it is nearly always drawn (over {MAX_DRAWS:.0%})",
    "first always wins": f"the first player nearly always wins (over {MAX_FIRST_SHARE:.0%})",
    "second always wins": f"the second player nearly always wins (over {MAX_FIRST_SHARE:.0%})",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What was written, and what was refused on the way.

    Attributes:
        seed, space: what was asked for.
        files: a TOML file for each variant.
        taken: the variants with their last playtest.
        refused: how many candidates were refused for each reason.
    """

    seed: int
    space: Space
    files: tuple[Path, ...]
    taken: tuple[Candidate, ...]
    refused: Counter[str]

    def report(self) -> dict[str, Any]:
        """The sample as JSON."""
        return {
            "seed": self.seed,
            "space": self.space.model_dump(),
            "refused": dict(self.refused.most_common()),
            "variants": [
                {"file": str(file), "digest": candidate.variant.digest, "title": candidate.variant.title}
                | {"playtest": asdict(candidate.playtest) if candidate.playtest else None}
                for file, candidate in zip(self.files, self.taken, strict=True)
            ],
        }


def write_sample(
    number: int, space: Space, folder: Path, *, seed: int, progress: Callable[[int], None]
) -> Sample:
    """Draw variants and write each as `FOLDER/NAME.toml` as soon as it is found.

    Args:
        number: how many.
        space: what may be drawn.
        folder: is made if it isn't there.
        seed: of everything random.
        progress: called with the number of variants written since the last call.

    Raises:
        SpaceError: too many candidates in a row were refused; what was written before stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, taken, refused = [], [], Counter[str]()
    try:
        for candidate in candidates(seed, space):
            if candidate.refusal is not None:
                refused[candidate.refusal] += 1
                continue
            files.append(folder / f"{candidate.variant.name}.toml")
            taken.append(candidate)
            write_atomically(files[-1], candidate.variant.to_toml().encode())
            progress(1)
            if len(files) == number:
                break
    except SpaceError as error:
        raise SpaceError(f"{error}; {len(files)} of {number} variants were written") from None
    return Sample(seed, space, tuple(files), tuple(taken), refused)


def sample_table(sample: Sample) -> dict[str, str]:
    """How many candidates were drawn, taken, and refused for which reason."""
    total = len(sample.taken) + sample.refused.total()
    counts = {"drawn": total, "taken": len(sample.taken)}
    counts |= {f"refused: {reason}": count for reason, count in sample.refused.most_common()}
    return {topic: f"{count:>5} {count / total:>6.0%}" for topic, count in counts.items()}


def playtest_table(seen: Playtest) -> dict[str, str]:
    """A playtest by topic, in words; the verdict comes last."""
    reason = degenerate(seen)
    error = (seen.first_share * (1 - seen.first_share) / seen.games) ** 0.5
    return {
        "playtest": f"{seen.games} games, {_players(seen)}",
        "first player": f"{seen.first_share:.0%} of the points, give or take {error:.0%}",
        "draws": f"{seen.draws:.0%}" + (f", {seen.capped:.0%} by the ply cap" if seen.capped else ""),
        "length": f"{_range(seen.moves, seen.shortest_moves, seen.longest_moves)} moves"
        + (f", {seen.actions:.1f} actions" if seen.actions != seen.moves else ""),
        "choice": f"{seen.branching:.1f} legal actions in a position",
        "verdict": "nothing speaks against it" if reason is None else _VERDICTS[reason],
    }


def _players(seen: Playtest) -> str:
    """Who played; both seats search alike here."""
    simulations = seen.simulations[0]
    return f"plain search with {simulations} playouts a move" if simulations else "random moves"


def _range(mean: float, least: int, most: int) -> str:
    return f"{mean:.1f}" if least == most else f"{mean:.1f} ({least} to {most})"
