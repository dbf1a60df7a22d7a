"""The one door to the kernels of special variants, reached by address.

A kernel's compiled code holds all that it calls, so two dozen kernels that play moves would each be compiled
with the whole of `games.move_kernels` inside. Instead that code is compiled once, as a C function whose
address every `Rules` carries, and callers hand it their arguments through memory. An error in it (an index
out of bounds, where that is checked) is printed and makes it return 0; the caller then raises.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.extending import intrinsic
from numpy.typing import NDArray

from games.compilation import c_function, inlined
from games.legal_kernels import draw_special, list_special
from games.move_kernels import act_special, begin_special, end_without_goal
from games.number_kernels import as_int
from games.rules import Rules, placeholder_rules
from games.state import State, new_state

_TYPES: Any = numba.types
_CGUTILS: Any = numba.core.cgutils
_FAILED = 0
"""What a C function of numba's returns after an error."""

BEGIN_GAME, LIST_MOVES, DRAW_MOVE, ACT, SETTLE = range(5)
"""What may be asked for; see `special`."""


@inlined
def serve_special(
    rules: Rules, state: State, row: int, request: int, argument: int, out: NDArray[np.int16]
) -> int:
    """Do what `special` promises."""
    if request == BEGIN_GAME:
        begin_special(rules, state, row)
    elif request == LIST_MOVES:
        return list_special(rules, state, row, out, as_int(argument))
    elif request == DRAW_MOVE:
        return draw_special(rules, state, row, np.uint64(argument), out)
    elif request == ACT:
        act_special(rules, state, row, as_int(argument))
        end_without_goal(rules, state, row)
    elif request == SETTLE:
        end_without_goal(rules, state, row)
    return 0


@cache
def _arguments_type() -> Any:
    """The numba type of `(rules, state, row, request, argument, out)`."""
    rules = placeholder_rules()
    sample = (rules, new_state(rules, 1))
    numbers, cells = [_TYPES.int64] * 3, _TYPES.Array(_TYPES.int16, 1, "C")
    return _TYPES.Tuple([*map(numba.typeof, sample), *numbers, cells])


def _receive(_typing: Any, call: Any) -> Any:  # noqa: ARG001  (numba asks by name)
    """The arguments that lie at an address."""
    expected = _arguments_type()

    def load(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.bitcast(args[0], context.get_value_type(expected).as_pointer())
        return builder.load(pointer)

    return expected(_TYPES.voidptr), load


def _hand_over(_typing: Any, address: Any, arguments: Any) -> Any:  # noqa: ARG001
    """Put the arguments into memory and call the function at an address with where they lie."""
    expected = _arguments_type()
    if arguments != expected:
        raise numba.TypingError(f"special(): expected arguments {expected}, got {arguments}")

    def store_and_call(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        memory = _CGUTILS.alloca_once(builder, context.get_value_type(expected))
        builder.store(args[1], memory)
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(8).as_pointer()])
        function = builder.inttoptr(args[0], kind.as_pointer())
        return builder.call(function, [builder.bitcast(memory, ir.IntType(8).as_pointer())])

    return _TYPES.int64(_TYPES.int64, expected), store_and_call


_received: Any = intrinsic(_receive)
_call: Any = intrinsic(_hand_over)


def _entry(call: Any) -> int:
    rules, state, row, request, argument, out = _received(call)
    return 1 + serve_special(rules, state, row, request, argument, out)


@cache
def entry_address() -> int:
    """Where the compiled code of `special` lies in this process; compiles it when first asked."""
    return c_function(_entry, _TYPES.int64(_TYPES.voidptr))


@inlined
def special(rules: Rules, state: State, row: int, request: int, argument: int, out: NDArray[np.int16]) -> int:
    """What only variants that aren't plain need.

    BEGIN_GAME: prepare a row that was reset
    LIST_MOVES: write the legal actions without SWAP to `out[argument:]`; the end
    DRAW_MOVE: a uniformly random legal action, SWAP excepted; argument: random bits, out: scratch
    ACT: choose the cell `argument`, and see whether the game is over; SETTLE: see that only

    out: int16 `[n]`, C-contiguous; any array where it isn't used
    """
    arguments = (rules, state, as_int(row), as_int(request), as_int(argument), out)
    answer = _call(rules.entry[0], arguments)
    if answer == _FAILED:
        raise IndexError("a special kernel failed; the reason is on stderr")
    return answer - 1
