"""What moves weights along gradients: AdamW, and Muon for the matrices of the tower if that is wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic whose iteration brings singular values near 1 (Jordan et al. 2024)."""

_ITERATIONS = 5
_LEAST_NORM = 1e-7
_RMS = 0.2
"""Root mean square of an update over its rate, that of AdamW (Liu et al. 2025, arXiv:2502.16982, 2.2)."""

_PREFIXES = "optimizer.", "muon."
"""Of the names of what AdamW and Muon remember."""


class Muon(torch.optim.Optimizer):
    """Momentum of matrices, orthogonalised (Jordan et al. 2024, "Muon: an optimizer for hidden layers").

    A convolution's kernels `[O, I, h, w]` are one matrix `[O, I * h * w]`. Updates are as large as AdamW's,
    so one rate serves both. Matrices of one shape are orthogonalised together.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        momentum: float = 0.9,
    ) -> None:
        """`params` have two dimensions at least; the weight decay is decoupled."""
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        for parameter in (p for group in self.param_groups for p in group["params"]):
            if parameter.ndim < 2:
                raise ValueError(f"expected matrices or kernels, got a tensor {list(parameter.shape)}")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        if closure is not None:
            raise ValueError("expected gradients that are there, got a closure")
        for group in self.param_groups:
            moving: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    way = self._way(parameter, group["momentum"])
                    moving.setdefault((way.shape[0], way.shape[1]), []).append((parameter, way))
            for shape, pairs in moving.items():
                ways = orthogonalised(torch.stack([way for _, way in pairs]))
                size = group["lr"] * _RMS * math.sqrt(max(shape))
                for (parameter, _), way in zip(pairs, ways, strict=True):
                    parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
                    parameter.add_(way.view(parameter.shape), alpha=-size)

    def _way(self, parameter: Tensor, momentum: float) -> Tensor:
        """The gradient with Nesterov's momentum, as a matrix."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        average = state["momentum"].lerp_(parameter.grad, 1.0 - momentum)
        return parameter.grad.lerp(average, momentum).flatten(1)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Matrices whose singular values are moved to about 1 (0.7 to 1.2), by Newton-Schulz iteration.

    matrices: `[K, rows, columns]`; in bfloat16 on a GPU, which is enough, in float32 elsewhere
    """
    precise = torch.bfloat16 if matrices.device.type == "cuda" else torch.float32
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.to(precise).mT if tall else matrices.to(precise)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=_LEAST_NORM)
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype).contiguous()


def is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon is for a parameter of a `PolicyValueNet`: a matrix or kernel between hidden layers."""
    return name.startswith("blocks.") and parameter.ndim > 1


class Descent:
    """The optimisers of one network as one; groups of parameters as torch has them."""

    def __init__(self, groups: Sequence[Mapping[str, Any]]) -> None:
        """A group with a true value of `orthogonal` is Muon's, the others AdamW's."""
        for_adamw = [dict(group) for group in groups if not group.get("orthogonal")]
        for_muon = [dict(group) for group in groups if group.get("orthogonal")]
        # Fused AdamW takes it for granted that gradients and moments lie in memory as parameters do.
        self._adamw = torch.optim.AdamW(for_adamw, fused=True)
        self._muon = Muon(for_muon) if for_muon else None

    @property
    def groups(self) -> list[dict[str, Any]]:
        """All groups; to change a rate, set a group's `lr`."""
        return [group for _, optimizer in self._parts() for group in optimizer.param_groups]

    def step(self) -> None:
        """Move the parameters along their gradients."""
        for _, optimizer in self._parts():
            optimizer.step()

    def tensors(self) -> dict[str, Tensor]:
        """What the optimisers remember, by name."""
        return {
            f"{prefix}{index}.{name}": torch.as_tensor(value)
            for prefix, optimizer in self._parts()
            for index, moments in optimizer.state_dict()["state"].items()
            for name, value in moments.items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to what `tensors` said; other names in it don't matter."""
        for prefix, optimizer in self._parts():
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                if not name.startswith(prefix):
                    continue
                index, field = name.removeprefix(prefix).split(".")
                like = parameters[int(index)]
                moved = value.clone() if field == "step" else laid_out_like(like, value.to(like.device))
                state.setdefault(int(index), {})[field] = moved
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})

    def _parts(self) -> list[tuple[str, torch.optim.Optimizer]]:
        optimizers = (self._adamw, self._muon)
        return [(p, o) for p, o in zip(_PREFIXES, optimizers, strict=True) if o is not None]


def laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    """The same tensor in the memory layout of a parameter."""
    if tensor.stride() == parameter.stride():
        return tensor
    return torch.empty_like(parameter).copy_(tensor)
