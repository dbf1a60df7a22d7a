"""Convolutions that compute with bytes, for networks that only infer.

Inputs, which are never negative there, become 8 bits with one scale for all of them; weights become 7 bits
with a scale for each output channel (7, because processors without VNNI add pairs of products in 16 bits,
where 8 bits overflow). Sums and results stay float32. How large inputs get is seen on one batch, in float32,
after each change of the weights.
"""

from __future__ import annotations

import platform
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_INPUT_STEPS, _WEIGHT_STEPS = 255, 63
_HALF = torch.tensor(0.5)
_REMEMBERED = 0.9
"""What a peak of earlier weights still counts: one batch doesn't show everything."""


def bytes_compute_here() -> bool:
    """Whether this build of torch convolves bytes on this processor."""
    library: Any = torch.backends.mkldnn
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    return is_x86 and bool(library.is_available()) and hasattr(torch.ops.onednn, "qconv2d_pointwise")


class ByteConv2d(nn.Conv2d):
    """A convolution without negative inputs. It computes in float32 until `settle` is called.

    peak: the largest input seen
    """

    def __init__(self, plain: nn.Conv2d) -> None:
        """plain: whose weights it takes over."""
        bias = plain.bias is not None
        super().__init__(
            plain.in_channels, plain.out_channels, 3, padding=1, bias=bias, device=plain.weight.device
        )
        self.load_state_dict(plain.state_dict())
        self.peak = 0.0
        self._scales: Tensor | None = None
        self._packed: dict[int, Tensor] = {}

    def begin(self) -> None:
        """Weights have changed: compute in float32, and watch the inputs."""
        self._scales, self._packed = None, {}
        self.peak *= _REMEMBERED

    def settle(self) -> None:
        """Compute with bytes from now on, scaled for the inputs seen since `begin`."""
        largest = self.weight.abs().amax((1, 2, 3))
        self._scales = (largest / _WEIGHT_STEPS).clamp(min=1e-12)
        self.peak = max(self.peak, 1e-6)

    def padded(self, x: Tensor, padding: int) -> Tensor:
        """The convolution; x: float32 `[B, C, H, W]`, not negative."""
        if self._scales is None:
            self.peak = max(self.peak, float(x.amax()))
            return F.conv2d(x, self.weight, self.bias, padding=padding)
        step = self.peak / _INPUT_STEPS
        if padding not in self._packed:
            self._packed[padding] = self._pack(x, step, padding)
        around = [padding, padding]
        operators: Any = torch.ops.onednn
        rounded = torch.add(_HALF, x, alpha=1.0 / step).clamp_(max=_INPUT_STEPS)
        given = rounded.to(torch.uint8)
        weights = (self._packed[padding], self._scales, torch.zeros(self.out_channels, dtype=torch.int64))
        form: tuple[Any, ...] = ([1, 1], around, [1, 1], 1, 1.0, 0, torch.float32, "none", [], "")
        result: Tensor = operators.qconv2d_pointwise(given, step, 0, *weights, self.bias, *form)
        return result

    def _pack(self, x: Tensor, step: float, padding: int) -> Tensor:
        """The weights as bytes, in the library's own order."""
        assert self._scales is not None
        whole = (self.weight / self._scales[:, None, None, None]).round()
        small = whole.clamp(-_WEIGHT_STEPS, _WEIGHT_STEPS).to(torch.int8)
        around = [padding, padding]
        operators: Any = torch.ops.onednn
        packed: Tensor = operators.qconv_prepack(
            small, self._scales, step, 0, [1, 1], around, [1, 1], 1, list(x.shape)
        )
        return packed
