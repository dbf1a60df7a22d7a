"""A network's forward pass on an x86 processor, with fewer walks over memory.

`FusedNetwork` answers like `PolicyValueNet.forward`. Convolutions take their activation and the residual sum
along (oneDNN's post-ops), weights lie in the library's own order, and where all boards of a batch are of one
variant and fill the canvas, FiLM's scale and shift are part of weights and bias.

With bytes, the blocks' convolutions compute with 8 bits. Their inputs, which are never negative, have one
scale each; weights become 7 bits with a scale for each output channel (7, because processors without VNNI add
pairs of products in 16 bits, where 8 bits overflow). Sums, and what is carried from block to block, stay
float32. How large inputs get is seen on one batch, in float32, after each change of the weights.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.network import Block, Body, Canvas, PolicyValueNet, all_fill, lay_out, pool, surround

MAX_PACKED = 256
"""Convolutions, by canvas and variant, whose packed weights are kept; beyond that all are packed anew."""

_INPUT_STEPS, _WEIGHT_STEPS = 255, 63
_HALF = torch.tensor(0.5)
_REMEMBERED = 0.9
"""What a peak of earlier weights still counts: one batch doesn't show everything."""

_ONES = [1, 1]
_NO_SCALARS: list[float] = []
_STEM = -1
"""Number of the first convolution; the blocks' are 0, 1, 2, ..., two a block."""

_operators: Any = torch.ops


class Packed(NamedTuple):
    """A convolution's weights in the library's order; of bytes also scales and zeros by output channel."""

    weight: Tensor
    bias: Tensor | None
    padding: int
    scales: Tensor | None = None
    zeros: Tensor | None = None


class Arithmetic(Protocol):
    """How one of the blocks' convolutions computes."""

    def pack(self, weight: Tensor, bias: Tensor | None, padding: int, shape: Sequence[int]) -> Packed:
        """Weights `[C', C, 3, 3]` for inputs of about this shape."""
        ...

    def given(self, x: Tensor) -> Tensor:
        """Its input from what comes before the activation."""
        ...

    def convolve(self, packed: Packed, given: Tensor) -> Tensor:
        """The convolution, in floating-point numbers."""
        ...

    def activated(self, packed: Packed, given: Tensor) -> Tensor:
        """The same as the input of the block's second convolution."""
        ...

    def added(self, packed: Packed, given: Tensor, x: Tensor) -> Tensor:
        """The same added to `x`, in its place."""
        ...


class Floats:
    """In the precision of the weights."""

    def pack(self, weight: Tensor, bias: Tensor | None, padding: int, shape: Sequence[int]) -> Packed:
        around, ours = [padding, padding], weight.contiguous(memory_format=torch.channels_last)
        reorder = _operators.mkldnn._reorder_convolution_weight
        return Packed(reorder(ours, around, _ONES, _ONES, 1, list(shape)), bias, padding)

    def given(self, x: Tensor) -> Tensor:
        return F.relu(x)

    def convolve(self, packed: Packed, given: Tensor) -> Tensor:
        return self._convolved(packed, given, "none")

    def activated(self, packed: Packed, given: Tensor) -> Tensor:
        return self._convolved(packed, given, "relu")

    def added(self, packed: Packed, given: Tensor, x: Tensor) -> Tensor:
        form = ([packed.padding, packed.padding], _ONES, _ONES, 1, "add", 1.0, None, _NO_SCALARS, None)
        operator = _operators.mkldnn._convolution_pointwise_.binary
        total: Tensor = operator(x, given, packed.weight, packed.bias, *form)
        return total

    def _convolved(self, packed: Packed, given: Tensor, activation: str) -> Tensor:
        form = ([packed.padding, packed.padding], _ONES, _ONES, 1, activation, _NO_SCALARS, "")
        operator = _operators.mkldnn._convolution_pointwise
        result: Tensor = operator(given, packed.weight, packed.bias, *form)
        return result


class WatchedFloats(Floats):
    """Sees how large the inputs get."""

    def __init__(self, peaks: list[float], number: int) -> None:
        """peaks: by convolution; that of `number` is raised in place."""
        self._peaks, self._number = peaks, number

    def given(self, x: Tensor) -> Tensor:
        given = super().given(x)
        self._peaks[self._number] = max(self._peaks[self._number], float(given.amax()))
        return given


class Bytes:
    """In 8 bits; inputs beyond the largest one seen are cut off."""

    def __init__(self, peak: float, next_peak: float) -> None:
        """Largest input of this convolution and of the one after it."""
        self._step, self._next_step = (max(p, 1e-6) / _INPUT_STEPS for p in (peak, next_peak))

    def pack(self, weight: Tensor, bias: Tensor | None, padding: int, shape: Sequence[int]) -> Packed:
        scales = (weight.abs().amax((1, 2, 3)) / _WEIGHT_STEPS).clamp(min=1e-12)
        whole = (weight / scales[:, None, None, None]).round().clamp(-_WEIGHT_STEPS, _WEIGHT_STEPS)
        form = (_ONES, [padding, padding], _ONES, 1, list(shape))
        reordered = _operators.onednn.qconv_prepack(whole.to(torch.int8), scales, self._step, 0, *form)
        return Packed(reordered, bias, padding, scales, torch.zeros(len(scales), dtype=torch.int64))

    def given(self, x: Tensor) -> Tensor:
        rounded = torch.add(_HALF, x, alpha=1.0 / self._step)
        return rounded.clamp_(0, _INPUT_STEPS).to(torch.uint8)

    def convolve(self, packed: Packed, given: Tensor) -> Tensor:
        return self._convolved(packed, given, (1.0, 0, torch.float32, "none", _NO_SCALARS, ""))

    def activated(self, packed: Packed, given: Tensor) -> Tensor:
        return self._convolved(packed, given, (self._next_step, 0, torch.uint8, "relu", _NO_SCALARS, ""))

    def added(self, packed: Packed, given: Tensor, x: Tensor) -> Tensor:
        output = (1.0, 0, torch.float32, 1.0, 0, "sum", 1.0, "none", _NO_SCALARS, "")
        operator = _operators.onednn.qconv2d_pointwise.binary
        total: Tensor = operator(*self._inputs(packed, given), x, *self._form(packed), *output)
        return total

    def _convolved(self, packed: Packed, given: Tensor, output: tuple[Any, ...]) -> Tensor:
        operator = _operators.onednn.qconv2d_pointwise
        result: Tensor = operator(*self._inputs(packed, given), *self._form(packed), *output)
        return result

    def _inputs(self, packed: Packed, given: Tensor) -> tuple[Any, ...]:
        return given, self._step, 0, packed.weight, packed.scales, packed.zeros

    def _form(self, packed: Packed) -> tuple[Any, ...]:
        return packed.bias, _ONES, [packed.padding, packed.padding], _ONES, 1


def fuses_here() -> bool:
    """Whether this build of torch has what is needed, on this processor."""
    library: Any = torch.backends.mkldnn
    names = ("_convolution_pointwise", "_convolution_pointwise_", "_reorder_convolution_weight")
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    return is_x86 and bool(library.is_available()) and all(hasattr(_operators.mkldnn, n) for n in names)


def bytes_compute_here() -> bool:
    """Whether it convolves bytes, too."""
    return fuses_here() and hasattr(_operators.onednn, "qconv2d_pointwise")


class FusedNetwork:
    """See the module. Weights are a network's, read when they are needed; one thread may use an instance."""

    def __init__(self, net: PolicyValueNet, *, with_bytes: bool = False) -> None:
        """net: on the CPU, in the precision to compute in: float32 for bytes"""
        self._net, self.with_bytes = net, with_bytes
        self._blocks = [block for block in net.blocks if isinstance(block, Block)]
        self._peaks = [0.0] * (2 * len(self._blocks))
        self._packed: dict[tuple[Any, ...], Packed] = {}
        self._floats = Floats()
        self._ways: Sequence[Arithmetic] = ()
        self.begin()

    def begin(self) -> None:
        """The weights have changed."""
        self._packed.clear()
        self._peaks = [_REMEMBERED * peak for peak in self._peaks]
        numbers = range(len(self._peaks))
        self._settled = not self.with_bytes
        self._ways = [self._floats if self._settled else WatchedFloats(self._peaks, n) for n in numbers]

    def __call__(self, planes: Tensor, rules: Tensor, wraps: bool) -> tuple[Tensor, Tensor]:
        """Logits and win/draw/loss logits; arguments as those of `PolicyValueNet.forward`."""
        canvas = lay_out(planes, rules, wraps=wraps, is_full=bool(all_fill(planes)))
        if len(self._packed) > MAX_PACKED:
            self._packed.clear()
        if not self._settled:
            x = self._trunk(planes, rules, canvas)
            self._settle()
        elif canvas.wrapping is None and canvas.is_full and bool((rules == rules[:1]).all()):
            x = self._folded_trunk(planes, rules[:1], canvas)
        else:
            x = self._trunk(planes, rules, canvas)
        cells = F.relu(x)
        body = Body(cells, pool(cells, canvas), canvas)
        return self._net.policy(body), self._net.value(body.pooled)

    def _settle(self) -> None:
        """A batch has shown how large inputs get."""
        self._packed.clear()
        self._ways = [Bytes(*peaks) for peaks in pairwise([*self._peaks, 0.0])]
        self._settled = True

    def _trunk(self, planes: Tensor, rules: Tensor, canvas: Canvas) -> Tensor:
        """`PolicyValueNet.trunk` for any batch."""
        scales, shifts = self._net.film(rules.to(planes.dtype))
        x = self._stem(planes, canvas).mul_(canvas.mask)
        for index, (block, scale) in enumerate(zip(self._blocks, scales, strict=True)):
            shift = shifts[index] + _pooled_bias(block, x, canvas)
            hidden = self._way(2 * index, block.first, x, canvas)
            hidden = torch.addcmul(shift[:, :, None, None], hidden, scale[:, :, None, None])
            if canvas.wrapping is None:
                hidden.mul_(canvas.mask)
            x = self._way(2 * index + 1, block.second, hidden, canvas, onto=x).mul_(canvas.mask)
        return x

    def _way(
        self, number: int, conv: nn.Conv2d, x: Tensor, canvas: Canvas, *, onto: Tensor | None = None
    ) -> Tensor:
        """Activation and convolution of any boards, added to something or not."""
        way = self._ways[number]
        around, padding = surround(x, canvas)
        given = way.given(around)
        packed = self._pack(number, conv, given, padding)
        return way.convolve(packed, given) if onto is None else way.added(packed, given, onto)

    def _folded_trunk(self, planes: Tensor, rule: Tensor, canvas: Canvas) -> Tensor:
        """The same for boards of one variant that fill the canvas; rule: `[1, F]`."""
        x = self._stem(planes, canvas)
        for index, block in enumerate(self._blocks):
            first, second = self._ways[2 * index : 2 * index + 2]
            given = first.given(x)
            packed = self._fold(index, rule, given)
            if block.pooled_bias is None:
                hidden = first.activated(packed, given)
            else:
                bias = _pooled_bias(block, x, canvas)[:, :, None, None]
                hidden = second.given(first.convolve(packed, given).add_(bias))
            x = second.added(self._pack(2 * index + 1, block.second, hidden, 1), hidden, x)
        return x

    def _stem(self, planes: Tensor, canvas: Canvas) -> Tensor:
        around, padding = surround(planes, canvas)
        return self._floats.convolve(self._pack(_STEM, self._net.stem, around, padding), around)

    def _pack(self, number: int, conv: nn.Conv2d, given: Tensor, padding: int) -> Packed:
        """A convolution's weights, packed once for each canvas."""
        key = (number, padding, *given.shape[1:])
        if key not in self._packed:
            way = self._floats if number == _STEM else self._ways[number]
            self._packed[key] = way.pack(conv.weight, conv.bias, padding, given.shape)
        return self._packed[key]

    def _fold(self, index: int, rule: Tensor, given: Tensor) -> Packed:
        """A block's first convolution with a variant's scale and shift, packed once for each of them."""
        key = (2 * index, rule.numpy().tobytes(), *given.shape[1:])
        if key not in self._packed:
            scales, shifts = self._net.film(rule.to(self._net.stem.weight.dtype))
            weight = self._blocks[index].first.weight * scales[index].view(-1, 1, 1, 1)
            packed = self._ways[2 * index].pack(weight, shifts[index].flatten().clone(), 1, given.shape)
            self._packed[key] = packed
        return self._packed[key]


def _pooled_bias(block: Block, x: Tensor, canvas: Canvas) -> Tensor:
    """`[B, C]`, or a zero where a block doesn't pool; x: before the activation."""
    if block.pooled_bias is None:
        return x.new_zeros(())
    bias: Tensor = block.pooled_bias(pool(F.relu(x), canvas))
    return bias
