"""Virtual meters: sums and differences of points, read from text without ever running it."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Amounts, Flag, Provenance
from kgce.domain.errors import InputError

LONGEST: Final = 2000  # characters; a hundred names fit
DEEPEST: Final = 60  # nested parentheses


@dataclass(frozen=True, slots=True)
class Expression:
    """A linear combination of points: factor of each name; names stand in the order in which they first appear."""

    text: str
    factors: Mapping[str, float]


def parse_expression(text: str) -> Expression:
    """Read `main - tenant`, `0.5 * (a + b)`, `'wing b' / 2`.

    Raises:
        InputError: anything else than names, numbers, + - * / and parentheses; a product or quotient of two names; a
            bare number beside names; a factor that is not finite; nothing left of any name.
    """
    if len(text) > LONGEST:
        raise InputError(f"an expression of {len(text)} signs is longer than {LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"{text!r} is no expression: write sums and differences such as main - tenant") from None
    constant, factors = _Reading(text).read(tree.body, 0)
    if constant:
        raise InputError(f"{text!r} adds the number {constant:g}: amounts are sums of points, numbers are factors")
    if not factors or not all(np.isfinite(factor) for factor in factors.values()):
        raise InputError(f"{text!r} names no point, or has a factor that is not finite")
    if not any(factors.values()):
        raise InputError(f"{text!r} leaves nothing of any point")
    return Expression(text, factors)


_Linear = tuple[float, dict[str, float]]


@dataclass(frozen=True, slots=True)
class _Reading:
    text: str

    def read(self, node: ast.expr, depth: int) -> _Linear:  # noqa: PLR0911 - one line for each thing that may stand there
        """A number and the factors of the names."""
        if depth > DEEPEST:
            raise InputError(f"{self.text!r} is nested deeper than {DEEPEST} parentheses")
        match node:
            case ast.Constant(value=bool()):
                raise self._no(node)
            case ast.Constant(value=int() | float() as number):
                return float(number), {}
            case ast.Constant(value=str() as name):
                return 0.0, {name: 1.0}
            case ast.Name(id=name):
                return 0.0, {name: 1.0}
            case ast.Attribute(value=ast.Name(id=device), attr=quantity):
                return 0.0, {f"{device}.{quantity}": 1.0}
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return _scaled(self.read(inner, depth + 1), -1.0)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.read(inner, depth + 1)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._combine(operator, self.read(left, depth + 1), self.read(right, depth + 1))
        raise self._no(node)

    def _combine(self, operator: ast.operator, left: _Linear, right: _Linear) -> _Linear:
        match operator:
            case ast.Add():
                return _added(left, right)
            case ast.Sub():
                return _added(left, _scaled(right, -1.0))
            case ast.Mult() if not left[1] or not right[1]:
                named, number = (right, left[0]) if not left[1] else (left, right[0])
                return _scaled(named, number)
            case ast.Div() if not right[1] and right[0]:
                return _scaled(left, 1 / right[0])
        raise InputError(f"{self.text!r}: names can be added, subtracted, and multiplied or divided by a number only")

    def _no(self, node: ast.expr) -> InputError:
        return InputError(f"{self.text!r} holds {ast.unparse(node)[:40]!r}: write sums and differences of points only")


def _scaled(one: _Linear, factor: float) -> _Linear:
    return one[0] * factor, {name: held * factor for name, held in one[1].items()}


def _added(one: _Linear, other: _Linear) -> _Linear:
    factors = dict(one[1])
    for name, factor in other[1].items():
        factors[name] = factors.get(name, 0.0) + factor
    return one[0] + other[0], factors


def combine(expression: Expression, amounts_of: Callable[[str], Amounts]) -> Amounts:
    """(m,) amounts of a virtual meter.

    Args:
        expression: which points with which factors.
        amounts_of: (m,) amounts of a point by its name.

    Returns:
        A term that is missing lowers the coverage of a sum; of a difference nothing is known without all of its terms,
        since what is left is no part of it. Coverage is the mean of the terms', by their factors.
    """
    terms = [(factor, amounts_of(name)) for name, factor in expression.factors.items() if factor]
    is_sum = all(factor > 0 for factor, _ in terms)
    shape = terms[0][1].amount.shape
    amount, weight, coverage, estimated = (np.zeros(shape) for _ in range(4))
    known, unknown = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    provenance, flags = np.full(shape, Provenance.MEASURED, np.uint8), np.zeros(shape, np.uint8)
    for factor, term in terms:
        is_there = np.isfinite(term.amount)
        amount += np.where(is_there, factor * np.nan_to_num(term.amount), 0.0)
        known |= is_there
        unknown |= ~is_there & (not is_sum)
        coverage += abs(factor) * term.coverage
        weight += abs(factor)
        estimated += abs(factor) * term.estimated
        provenance = np.maximum(provenance, np.where(is_there, term.provenance, Provenance.MEASURED)).astype(np.uint8)
        flags |= np.where(is_there, term.flags, np.uint8(Flag.PARTIAL)).astype(np.uint8)
    missing = unknown | ~known
    return Amounts(
        np.where(missing, np.nan, amount),
        np.where(missing, 0.0, coverage / weight),
        np.where(missing, np.uint8(Provenance.MISSING), provenance).astype(np.uint8),
        np.where(missing, np.uint8(0), flags).astype(np.uint8),
        np.where(missing, 0.0, np.minimum(estimated, np.abs(amount))),
    )
