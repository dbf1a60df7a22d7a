"""Tasks: positions of one variant to learn from (support) and to be judged by (query)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils import _pytree as pytree

from games.encoding import EXTRA_ACTIONS, RULE_FEATURES
from games.variant import Variant
from selfplay.replay import Batch

UNPLAYED = -1
"""In `Samples.played` where the action isn't known: such rows can't be used by the loss "outcome"."""

SHOWN_ALWAYS = (
    "rows",
    "columns",
    "wrap_rows",
    "wrap_columns",
    "stones_left",
    "swap_legal",
    "second_colour",
    "ply",
    "own_captures",
    "opponent_captures",
    "moving",
    "shooting",
    "jumping",
    "passed",
)
"""Features that stay when the rules are hidden: the geometry, and the state, which is no rule."""


class Samples(NamedTuple):
    """N positions of one variant, `[N, …]`, or of K variants, `[K, N, …]`; tensors on one device.

    planes: float32 `[…, P, H, W]`; rules: float32 `[…, F]`; legal: bool `[…, A]`, A = H*W + 2
    policy: float32 `[…, A]`, the search's policy; wdl: float32 `[…, 3]`, win, draw and loss to play
    played: int64 `[…]`, the action played, or `UNPLAYED`; outcome: float32 `[…]`, -1, 0 or 1 to play
    """

    planes: Tensor
    rules: Tensor
    legal: Tensor
    policy: Tensor
    wdl: Tensor
    played: Tensor
    outcome: Tensor


class Task(NamedTuple):
    """One variant to learn: support and query come from different games."""

    variant: Variant | str
    support: Samples
    query: Samples


class TaskBatch(NamedTuple):
    """K tasks as one batch: names of the variants, and data whose tensors begin with `[K, N, …]`.

    The data are `Samples`, or any other nest of tensors that the objective understands.
    """

    names: tuple[str, ...]
    support: Any
    query: Any


def samples_of(batch: Batch) -> Samples:
    """A replay's batch as tensors."""
    planes, legal, rules = batch.observation
    arrays = planes, rules, legal, batch.policy, batch.wdl, batch.played, batch.outcome
    return Samples(*map(torch.from_numpy, arrays))


def stack(tasks: Sequence[Task]) -> TaskBatch:
    """Tasks as one batch, on a canvas that holds every board; each needs as many positions as the others."""
    height = max(samples.planes.shape[-2] for task in tasks for samples in task[1:])
    width = max(samples.planes.shape[-1] for task in tasks for samples in task[1:])
    names = tuple(t.variant if isinstance(t.variant, str) else t.variant.name for t in tasks)
    supports = [enlarge(task.support, height, width) for task in tasks]
    queries = [enlarge(task.query, height, width) for task in tasks]
    return TaskBatch(names, _stacked(supports), _stacked(queries))


def enlarge(samples: Samples, height: int, width: int) -> Samples:
    """The same positions on a larger canvas; boards stay at the top left."""
    rows, columns = samples.planes.shape[-2:]
    if (rows, columns) == (height, width):
        return samples
    margins = (0, width - columns, 0, height - rows)
    return samples._replace(
        planes=F.pad(samples.planes, margins),
        legal=_enlarge_actions(samples.legal, (rows, columns), margins),
        policy=_enlarge_actions(samples.policy, (rows, columns), margins),
        played=_enlarge_played(samples.played, (rows, columns), (height, width)),
    )


def pooled(data: Any) -> Any:
    """Data of K tasks, `[K, N, …]`, as one batch, `[K*N, …]`."""
    return pytree.tree_map(lambda tensor: tensor.flatten(0, 1), data)


def to_device(samples: Samples, device: torch.device | str) -> Samples:
    """The same samples elsewhere."""
    return Samples(*(tensor.to(device, non_blocking=True) for tensor in samples))


def hide_rules(samples: Samples, hidden: Tensor | None = None) -> Samples:
    """Samples whose rules aren't told: their features are zero, but for `SHOWN_ALWAYS`.

    hidden: bool, broadcasts against `rules` without its last axis; default: everywhere
    """
    shown = torch.tensor([feature in SHOWN_ALWAYS for feature in RULE_FEATURES], device=samples.rules.device)
    if hidden is not None:
        shown = shown | hidden[..., None].logical_not()
    return samples._replace(rules=samples.rules * shown)


def _stacked(parts: Sequence[Samples]) -> Samples:
    """`[N, …]` of each task as `[K, N, …]`."""
    return Samples(*(torch.stack(tensors) for tensors in zip(*parts, strict=True)))


def _enlarge_actions(actions: Tensor, size: tuple[int, int], margins: tuple[int, ...]) -> Tensor:
    """`[…, A]` on a larger canvas, nothing (0, False) where there was no cell."""
    cells, extra = actions[..., :-EXTRA_ACTIONS], actions[..., -EXTRA_ACTIONS:]
    return torch.cat((F.pad(cells.view(*cells.shape[:-1], *size), margins).flatten(-2), extra), -1)


def _enlarge_played(played: Tensor, size: tuple[int, int], canvas: tuple[int, int]) -> Tensor:
    """Numbers of actions on a larger canvas."""
    cells = size[0] * size[1]
    moved = played // size[1] * canvas[1] + played % size[1]
    extra = played - cells + canvas[0] * canvas[1]
    return torch.where(played < 0, UNPLAYED, torch.where(played < cells, moved, extra))
