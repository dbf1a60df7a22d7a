"""Kernels as JavaScript, so that the rules and the search in a browser are the ones that Python plays by.

A kernel is plain Python over numbers and arrays. Like numba, `Translator` takes it together with the types of
its arguments, follows the types through it, and takes every kernel along that it calls. What it doesn't know
it refuses, with the place.

Integers become JavaScript's numbers, so bit operations have 32 bits there; `np.int64` and `np.uint64` become
BigInts. `float32` is rounded after each operation, as in the kernels.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from games.number_kernels import as_int
from selfplay.web.javascript import (
    BOOL,
    FLOAT,
    FLOAT32,
    INT,
    INT64,
    NOTHING,
    UINT64,
    WIDE,
    Array,
    Expression,
    Several,
    Struct,
    TranslationError,
    Type,
    converted,
    element_type,
    literal,
    merged,
    safe_name,
)

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Pow: "**",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_MATHS = {"cos": "Math.cos", "exp": "Math.exp", "log": "Math.log", "sqrt": "Math.sqrt", "floor": "Math.floor"}


class Translator:
    """Collects kernels and writes them down as a JavaScript module.

    Args:
        instead: kernels that are called by another name: calls of a key become calls of its value.
    """

    def __init__(self, instead: Mapping[Any, Any] | None = None) -> None:
        self._instead = {_plain(old): new for old, new in (instead or {}).items()}
        self._names: dict[tuple[Any, tuple[Type, ...]], tuple[str, Type]] = {}
        self._used: dict[str, int] = {}
        self._texts: list[str] = []

    def add(self, kernel: Any, *types: Type) -> tuple[str, Type]:
        """Translate a kernel for arguments of these types; its JavaScript name and the type of its result."""
        function = _plain(self._instead.get(_plain(kernel), kernel))
        key = (function, types)
        if key not in self._names:
            text, returns = _Function(self, function, types).translated()
            name = self._fresh(function.__name__)
            self._texts.append(f"function {name}{text}")
            self._names[key] = name, returns
        return self._names[key]

    def _fresh(self, name: str) -> str:
        """A function's name that no variable has, numbered where the types differ."""
        self._used[name] = count = self._used.get(name, 0) + 1
        return f"${name.strip('_')}" + (f"_{count}" if count > 1 else "")

    def text(self) -> str:
        """All functions, each after those that it calls."""
        return "\n".join(self._texts)


def _plain(kernel: Any) -> Any:
    """The Python function of a compiled kernel."""
    return getattr(kernel, "py_func", kernel)


@dataclass
class _Function:
    """One kernel for arguments of certain types."""

    translator: Translator
    function: Any
    arguments: tuple[Type, ...]
    variables: dict[str, Type] = field(default_factory=dict)
    returns: Type | None = None

    def translated(self) -> tuple[str, Type]:
        """Its parameters and body, and what it returns."""
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(self.function))).body
        assert isinstance(tree, ast.FunctionDef)
        parameters = [argument.arg for argument in tree.args.args]
        self.variables = dict(zip(parameters, self.arguments, strict=True))
        while True:
            before = dict(self.variables), self.returns
            body = self._block(tree.body)
            if before == (self.variables, self.returns):
                break
        local = [safe_name(name) for name in self.variables if name not in parameters]
        declared = f"  let {', '.join(local)};\n" if local else ""
        return f"({', '.join(map(safe_name, parameters))}) {{\n{declared}{body}}}", self.returns or NOTHING

    # --- statements -----------------------------------------------------------------------------------------

    def _block(self, body: list[ast.stmt]) -> str:
        return textwrap.indent("".join(map(self._statement, body)), "  ")

    def _statement(self, node: ast.stmt) -> str:
        try:
            return str(getattr(self, f"_do_{type(node).__name__.lower()}", self._unknown)(node))
        except TranslationError as error:
            line = ast.unparse(node).splitlines()[0]
            where = f"{self.function.__module__}.{self.function.__qualname__}"
            raise TranslationError(f"{where}: {line}\n  {error}") from None

    def _unknown(self, node: ast.AST) -> Any:
        raise TranslationError(f"no translation for {type(node).__name__}")

    def _do_expr(self, node: ast.Expr) -> str:
        if isinstance(node.value, ast.Constant):
            return ""  # a docstring
        return f"{self._value(node.value).text};\n"

    def _do_pass(self, node: ast.Pass) -> str:  # noqa: ARG002
        return ""

    def _do_break(self, node: ast.Break) -> str:  # noqa: ARG002
        return "break;\n"

    def _do_continue(self, node: ast.Continue) -> str:  # noqa: ARG002
        return "continue;\n"

    def _do_return(self, node: ast.Return) -> str:
        if node.value is None:
            return "return;\n"
        value = self._value(node.value)
        self.returns = value.type if self.returns is None else merged(self.returns, value.type)
        return f"return {value.text};\n"

    def _do_annassign(self, node: ast.AnnAssign) -> str:
        return self._store(node.target, self._value(node.value)) if node.value else ""

    def _do_assign(self, node: ast.Assign) -> str:
        (target,) = node.targets
        if not isinstance(target, ast.Tuple):
            return self._store(target, self._value(node.value))
        if not isinstance(node.value, ast.Tuple):
            return self._unpack(target, self._value(node.value))
        values = [self._value(part) for part in node.value.elts]
        kept = [Expression(f"part{i}$", value.type) for i, value in enumerate(values)]
        begin = "".join(f"const {k.text} = {v.text}; " for k, v in zip(kept, values, strict=True))
        stores = "".join(self._store(t, k).strip() + " " for t, k in zip(target.elts, kept, strict=True))
        return f"{{ {begin}{stores}}}\n"

    def _unpack(self, target: ast.Tuple, value: Expression) -> str:
        if not isinstance(value.type, Several):
            raise TranslationError(f"expected a tuple, got {value.type}")
        for part, kind in zip(target.elts, value.type.types, strict=True):
            self._store(part, Expression("", kind))
        names = ", ".join(safe_name(part.id) for part in target.elts if isinstance(part, ast.Name))
        return f"[{names}] = {value.text};\n"

    def _store(self, target: ast.expr, value: Expression) -> str:
        """An assignment to a variable, an element, or all elements of a part of an array."""
        if isinstance(target, ast.Name):
            known = self.variables.get(target.id, value.type)
            self.variables[target.id] = merged(known, value.type)
            return f"{safe_name(target.id)} = {value.text};\n"
        if not isinstance(target, ast.Subscript):
            return str(self._unknown(target))
        place = self._value(target)
        if isinstance(place.type, Array):
            return f"{place.text}.fill({value.text});\n"
        return f"{place.text} = {converted(value, place.type)};\n"

    def _do_augassign(self, node: ast.AugAssign) -> str:
        value = self._binary(node.op, self._value(node.target), self._value(node.value))
        return self._store(node.target, value)

    def _do_if(self, node: ast.If) -> str:
        text = f"if ({self._value(node.test).text}) {{\n{self._block(node.body)}}}"
        return text + (f" else {{\n{self._block(node.orelse)}}}\n" if node.orelse else "\n")

    def _do_while(self, node: ast.While) -> str:
        return f"while ({self._value(node.test).text}) {{\n{self._block(node.body)}}}\n"

    def _do_for(self, node: ast.For) -> str:
        call, target = node.iter, node.target
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "range" and len(call.args) <= 2):
            raise TranslationError("only a range of one or two bounds is walked")
        assert isinstance(target, ast.Name)
        bounds = [converted(self._value(bound), INT) for bound in call.args]
        first, end = ("0", *bounds)[-2:]
        self._store(target, Expression("", INT))
        name = safe_name(target.id)
        return (
            f"for (let i$ = {first}, end$ = {end}; i$ < end$; i$++) {{\n"
            f"  {name} = i$;\n{self._block(node.body)}}}\n"
        )

    # --- values ---------------------------------------------------------------------------------------------

    def _value(self, node: ast.expr) -> Expression:
        found: Expression = getattr(self, f"_see_{type(node).__name__.lower()}", self._unknown)(node)
        return found

    def _see_constant(self, node: ast.Constant) -> Expression:
        return literal(node.value)

    def _see_name(self, node: ast.Name) -> Expression:
        if node.id in self.variables:
            return Expression(safe_name(node.id), self.variables[node.id])
        return literal(self._constant(node))

    def _see_attribute(self, node: ast.Attribute) -> Expression:
        if isinstance(node.value, ast.Name) and node.value.id not in self.variables:
            return literal(self._constant(node))
        struct = self._value(node.value)
        if not isinstance(struct.type, Struct):
            raise TranslationError(f"expected a struct, got {struct.type}")
        return Expression(f"{struct.text}.{node.attr}", dict(struct.type.fields)[node.attr])

    def _constant(self, node: ast.expr) -> Any:
        """A value of the kernel's module."""
        try:
            return eval(ast.unparse(node), dict(self.function.__globals__))
        except NameError as error:
            raise TranslationError(str(error)) from None

    def _see_tuple(self, node: ast.Tuple) -> Expression:
        parts = [self._value(part) for part in node.elts]
        text = ", ".join(part.text for part in parts)
        return Expression(f"[{text}]", Several(tuple(part.type for part in parts)))

    def _see_subscript(self, node: ast.Subscript) -> Expression:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            array = self._value(node.value.value)
            return Expression(f"{array.text}.n{ast.unparse(node.slice)}", INT)
        array = self._value(node.value)
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(array.type, Several):
            return Expression(f"{array.text}[{self._index(indices[0])}]", array.type.types[0])
        if not isinstance(array.type, Array):
            raise TranslationError(f"expected an array, got {array.type}")
        if isinstance(indices[-1], ast.Slice):
            return self._part(array, array.type, indices)
        if len(indices) < array.type.dimensions:
            return self._row(array, array.type, [self._index(index) for index in indices])
        terms = [f"{array.text}.offset"]
        for place, index in enumerate(indices):
            last = place == array.type.dimensions - 1
            terms.append(self._index(index) + ("" if last else f" * {array.text}.t{place}"))
        return Expression(f"{array.text}.data[{' + '.join(terms)}]", element_type(array.type))

    def _index(self, node: ast.expr) -> str:
        return converted(self._value(node), INT)

    def _row(self, array: Expression, kind: Array, indices: list[str]) -> Expression:
        """What is left of an array when its first indices are given."""
        rest = Array(kind.element, kind.dimensions - len(indices))
        return Expression(f"{array.text}.at({', '.join(indices)})", rest)

    def _part(self, array: Expression, kind: Array, indices: list[ast.expr]) -> Expression:
        """A stretch of an array along its first dimension, or of one of its rows."""
        *rows, stretch = indices
        assert isinstance(stretch, ast.Slice)
        if rows:
            array = self._row(array, kind, [self._index(row) for row in rows])
        lower = self._index(stretch.lower) if stretch.lower else "0"
        upper = self._index(stretch.upper) if stretch.upper else f"{array.text}.n0"
        return Expression(f"{array.text}.part({lower}, {upper})", array.type)

    def _see_binop(self, node: ast.BinOp) -> Expression:
        return self._binary(node.op, self._value(node.left), self._value(node.right))

    def _binary(self, op: ast.operator, left: Expression, right: Expression) -> Expression:
        kinds = (left.type, right.type)
        if isinstance(op, ast.FloorDiv):
            return Expression(f"Math.floor({left.text} / {right.text})", INT)
        if isinstance(op, ast.Mod):
            return Expression(f"modulo({left.text}, {right.text})", INT)
        sign = _BINARY.get(type(op)) or self._unknown(op)
        for wide in WIDE:
            if wide in kinds:
                text = f"({converted(left, wide)} {sign} {converted(right, wide)})"
                grows = wide == UINT64 and sign in ("+", "-", "*", "<<")
                return Expression(f"BigInt.asUintN(64, {text})" if grows else text, wide)
        text = f"({left.text} {sign} {right.text})"
        if kinds == (FLOAT32, FLOAT32):
            return Expression(f"Math.fround{text}", FLOAT32)
        if sign in ("/", "**") or FLOAT in kinds or FLOAT32 in kinds:
            return Expression(text, FLOAT)
        return Expression(text, BOOL if kinds == (BOOL, BOOL) and sign in "&|^" else INT)

    def _see_unaryop(self, node: ast.UnaryOp) -> Expression:
        value = self._value(node.operand)
        if isinstance(node.op, ast.Not):
            return Expression(f"!{value.text}", BOOL)
        sign = "-" if isinstance(node.op, ast.USub) else "~"
        return Expression(f"({sign}{value.text})", value.type)

    def _see_boolop(self, node: ast.BoolOp) -> Expression:
        values = [self._value(part) for part in node.values]
        kind = values[0].type
        for value in values[1:]:
            kind = merged(kind, value.type)
        sign = " && " if isinstance(node.op, ast.And) else " || "
        return Expression(f"({sign.join(value.text for value in values)})", kind)

    def _see_compare(self, node: ast.Compare) -> Expression:
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            return self._membership(node)
        sides = [self._value(side).text for side in (node.left, *node.comparators)]
        signs = [_COMPARE[type(op)] for op in node.ops]
        parts = [f"({a} {sign} {b})" for a, sign, b in zip(sides, signs, sides[1:], strict=False)]
        return Expression(parts[0] if len(parts) == 1 else f"({' && '.join(parts)})", BOOL)

    def _membership(self, node: ast.Compare) -> Expression:
        left, (among,) = self._value(node.left).text, node.comparators
        assert isinstance(among, ast.Tuple)
        tests = " || ".join(f"{left} == {self._value(part).text}" for part in among.elts)
        return Expression(f"({tests})" if isinstance(node.ops[0], ast.In) else f"!({tests})", BOOL)

    def _see_ifexp(self, node: ast.IfExp) -> Expression:
        test, then, other = self._value(node.test), self._value(node.body), self._value(node.orelse)
        return Expression(f"({test.text} ? {then.text} : {other.text})", merged(then.type, other.type))

    # --- calls ----------------------------------------------------------------------------------------------

    def _see_call(self, node: ast.Call) -> Expression:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "view":
            return Expression(f"floatOfBits({self._value(node.func.value).text})", FLOAT32)
        function, values = self._constant(node.func), [self._value(argument) for argument in node.args]
        if function is as_int:
            return Expression(converted(values[0], INT), INT)
        if hasattr(function, "py_func"):
            name, returns = self.translator.add(function, *(value.type for value in values))
            return Expression(f"{name}({', '.join(value.text for value in values)})", returns)
        if hasattr(function, "_fields"):
            parts = list(zip(function._fields, values, strict=True))
            text = ", ".join(f"{name}: {value.text}" for name, value in parts)
            return Expression(f"({{{text}}})", Struct(tuple((name, value.type) for name, value in parts)))
        return self._intrinsic(function, values)

    def _intrinsic(self, function: Callable[..., Any], values: list[Expression]) -> Expression:
        """Functions of Python and numpy that kernels use."""
        value = values[0]
        if function in (max, min):
            kind = merged(value.type, values[1].type)
            return Expression(f"Math.{function.__name__}({value.text}, {values[1].text})", kind)
        if function is bool:
            return Expression(f"!!{value.text}", BOOL)
        if function is float or function is np.float64:
            return Expression(converted(value, FLOAT), FLOAT)
        if function is np.float32:
            return Expression(converted(value, FLOAT32), FLOAT32)
        if function in (np.int64, np.uint64):
            wide = INT64 if function is np.int64 else UINT64
            return Expression(converted(value, wide), wide)
        if function in (int, np.int8, np.int16, np.int32, np.uint16):
            return Expression(converted(value, INT), INT)
        name = _MATHS.get(getattr(function, "__name__", ""))
        if name is None:
            raise TranslationError(f"no translation for {function!r}")
        if value.type == FLOAT32:
            return Expression(f"Math.fround({name}({value.text}))", FLOAT32)
        return Expression(f"{name}({value.text})", FLOAT)
