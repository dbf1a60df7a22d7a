"""Sampling: random rule variants that are valid, distinct and worth playing.

    for variant in sample_variants(100, seed=1, space=Space.preset("lines")):
        print(variant.to_toml())

A variant is drafted from a `Space` (`games.sampling.drafting`). It is refused if its rules contradict each
other, if it is a game that was drawn before, seen from another side (`fingerprint`), or if plain players show
it to be degenerate. Cheap looks come first: random players, then a little search, then more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from games.errors import SpaceError, VariantError
from games.playtest import Playtest, degenerate, playtest
from games.sampling.drafting import Dice, NothingFits, draft
from games.sampling.isomorphism import fingerprint
from games.sampling.space import Space
from games.sampling.wording import rules_of, title_of
from games.variant import Variant

RANDOM_GAMES = 32
"""Games of random players, the first look at a candidate."""

STAGES = ((10, 40, 600_000), (24, 120, 4_000_000))
"""Games, most simulations a move, and actions to be played in all, of the looks that search. Long games get
fewer simulations, so that no candidate takes more than some seconds; most that are refused fall early."""

LEAST_SIMULATIONS = 16
"""Simulations a move that a look has at least."""

MAX_DRAFTS = 1000
"""Drafts in a row that contradict themselves, after which a space counts as empty."""

MAX_REFUSALS = 400
"""Candidates in a row that are refused, after which no more are looked for."""

REPEATED = "seen before"
"""Why a candidate is refused that is the same game as an earlier one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A drawn variant and the judgement on it.

    Attributes:
        variant: the rules.
        refusal: why it isn't taken, in a word or two; None if it is.
        playtest: the last look at it; None if it was seen before.
    """

    variant: Variant
    refusal: str | None
    playtest: Playtest | None


def sample_variant(seed: int, *, space: Space | None = None) -> Variant:
    """A random valid variant, the same for the same seed; nobody has looked whether it is fun.

    Args:
        seed: of the draw.
        space: what may be drawn; default: everything.

    Raises:
        SpaceError: the space holds nothing that can be played; one line.
    """
    dice, reasons = Dice(seed), Counter[str]()
    for _ in range(MAX_DRAFTS):
        try:
            return _named(Variant.from_dict(draft(space or Space(), dice), where="draft"))
        except (NothingFits, VariantError) as error:
            reasons[str(error)] += 1
    reason = reasons.most_common(1)[0][0]
    raise SpaceError(
        f"expected a space with variants to play, got {MAX_DRAFTS} contradictions, mostly: {reason}"
    )


def sample_variants(n: int, seed: int, space: Space | None = None) -> Iterator[Variant]:
    """`n` distinct variants that are worth playing, one after another; deterministic in the seed.

    Args:
        n: how many.
        seed: of everything random. More variants of the same seed begin with the same ones.
        space: what may be drawn; default: everything.

    Raises:
        SpaceError: `MAX_REFUSALS` candidates in a row were refused; the line says why.
    """
    if n < 1:
        return
    taken = 0
    for candidate in candidates(seed, space):
        if candidate.refusal is None:
            yield candidate.variant
            taken += 1
            if taken == n:
                return


def candidates(seed: int, space: Space | None = None) -> Iterator[Candidate]:
    """Variants as they are drawn, each with the judgement on it, without end.

    Raises:
        SpaceError: `MAX_REFUSALS` candidates in a row were refused; the line says why.
    """
    seen: set[str] = set()
    refused = Counter[str]()
    for number in _seeds(seed):
        variant = sample_variant(number, space=space)
        candidate = (
            Candidate(variant, REPEATED, None)
            if fingerprint(variant) in seen
            else examine(variant, seed=number)
        )
        seen.add(fingerprint(variant))
        yield candidate
        refused = refused + Counter([candidate.refusal]) if candidate.refusal else Counter()
        if refused.total() >= MAX_REFUSALS:
            reasons = ", ".join(f"{reason}: {count}" for reason, count in refused.most_common())
            raise SpaceError(
                f"expected variants worth playing, got {MAX_REFUSALS} refusals in a row ({reasons})"
            )


def examine(variant: Variant, *, seed: int = 0) -> Candidate:
    """Look at a variant in stages, and stop at the first that finds it degenerate."""
    try:
        seen = playtest(variant, games=RANDOM_GAMES, simulations=0, seed=seed)
    except VariantError:
        return Candidate(variant, "no first move", None)
    length = seen.actions
    for games, most, actions in STAGES:
        if (refusal := degenerate(seen)) is not None:
            return Candidate(variant, refusal, seen)
        affordable = int(actions / (games * length * length / 2))  # playouts start half-way on average
        simulations = max(LEAST_SIMULATIONS, min(most, affordable))
        seen = playtest(variant, games=games, simulations=simulations, seed=seed)
    return Candidate(variant, degenerate(seen), seen)


def _named(variant: Variant) -> Variant:
    """The variant with a name made of its digest, a title and rules in words."""
    texts = {"name": f"sampled-{variant.digest[:8]}", "title": title_of(variant), "rules": rules_of(variant)}
    return variant.model_copy(update=texts)


def _seeds(seed: int) -> Iterator[int]:
    """A seed for each candidate of a run."""
    number = 0
    while True:
        yield seed * 1_000_003 + number
        number += 1
