"""Regression on how a building is used: ordinary least squares that tells which variables it left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from kgce.analytics.leaders.lineup import IndexArray
from kgce.domain.batch import BoolArray, FloatArray

MAX_UNKNOWN: Final = 0.2  # share of units that would go without a score for the sake of one variable
UNITS_PER_COEFFICIENT: Final = 10  # rule of thumb; fewer fit the chance in the data
DIGITS: Final = 12  # of a residual; what lies beyond is rounding, and would part equals
Z_90: Final = 1.6448536269514722  # two-sided 90 % of the normal distribution


class Scale(StrEnum):
    """How a variable enters."""

    LINEAR = "linear"  # hours, degree days
    LOG = "log"  # densities: twice the people are one step, whatever the number


@dataclass(frozen=True, slots=True, eq=False)
class HowVariable:
    """How a building is used or what weather it stands in, never what it is equipped with.

    value: (n,) NaN = unknown; with Scale.LOG a value that is not positive is unknown.
    """

    name: str
    value: FloatArray
    scale: Scale = Scale.LINEAR


@dataclass(frozen=True, slots=True)
class Dropped:
    """A variable that takes no part, with the reason as a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The regression of m of n units on p coefficients, the first of them the constant.

    unit: (m,) rows that were fitted; residual: (m,) log of actual / predicted; basis: (m, p) orthonormal columns that
    span the kept variables; kept: their names; dropped: the others.
    """

    unit: IndexArray
    residual: FloatArray
    basis: FloatArray
    kept: tuple[str, ...]
    dropped: tuple[Dropped, ...]


def fit_how(value: FloatArray, variables: Sequence[HowVariable]) -> Fit:
    """Regress the logarithm of an intensity on how-variables, the least significant leaving first.

    Args:
        value: (n,) intensity; a unit without a positive one is not fitted.
        variables: candidates, (n,) each. A unit that lacks a kept one is not fitted.

    Source: energy_domain.md section 11: only how-variables, significant and available. 90 % is this module's choice.
    """
    dropped: list[Dropped] = []
    has_value = np.isfinite(value) & (value > 0)
    columns = {variable.name: _scaled(variable) for variable in variables}
    for name, column in list(columns.items()):
        unknown = float(np.isnan(column[has_value]).mean()) if has_value.any() else 1.0
        if unknown > MAX_UNKNOWN:
            del columns[name]
            dropped.append(Dropped(name, f"unknown for {100 * unknown:.0f} % of the units"))
    while True:
        unit = _rows(has_value, columns)
        log_value = np.log(value[unit])
        design = _design(unit, columns)
        leaving = _leaving(design, log_value, list(columns))
        if leaving is None:
            break
        del columns[leaving.name]
        dropped.append(leaving)
    basis = np.linalg.qr(design)[0]
    residual = np.round(log_value - basis @ (basis.T @ log_value), DIGITS)
    return Fit(unit, residual, basis, tuple(columns), tuple(dropped))


def t_limit_90(freedom: int) -> float:
    """Two-sided 90 % limit of Student's t, to 0.002 from four degrees of freedom on.

    Source: Cornish-Fisher expansion in 1/freedom, Abramowitz and Stegun 26.7.5.
    """
    z, nu = Z_90, float(freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / nu + second / nu**2 + third / nu**3


def _scaled(variable: HowVariable) -> FloatArray:
    if variable.scale is Scale.LINEAR:
        return np.where(np.isfinite(variable.value), variable.value, np.nan)
    logs: FloatArray = np.log(variable.value, out=np.full(len(variable.value), np.nan), where=variable.value > 0)
    return logs


def _rows(has_value: BoolArray, columns: dict[str, FloatArray]) -> IndexArray:
    known = has_value.copy()
    for column in columns.values():
        known &= ~np.isnan(column)
    return np.flatnonzero(known)


def _design(unit: IndexArray, columns: dict[str, FloatArray]) -> FloatArray:
    """(m, 1 + p) a constant and the variables, centred and scaled; one that does not vary becomes zeros."""
    chosen = [column[unit] for column in columns.values()]
    centred = [column - column.mean() if len(column) else column for column in chosen]
    widths = [float(np.abs(column).max(initial=0.0)) for column in centred]
    varies = [width > 1e-9 * float(np.abs(raw).max(initial=0.0)) for width, raw in zip(widths, chosen, strict=True)]
    scaled = [
        column / width if vary else np.zeros_like(column)
        for column, width, vary in zip(centred, widths, varies, strict=True)
    ]
    return np.stack([np.ones(len(unit)), *scaled], axis=1)


def _leaving(design: FloatArray, log_value: FloatArray, names: list[str]) -> Dropped | None:
    """The variable that has to leave next; None = all may stay."""
    units, coefficients = design.shape
    if not names:
        return None
    for place, name in enumerate(names):
        if np.linalg.matrix_rank(design[:, : place + 2]) < min(place + 2, units):
            return Dropped(name, "it does not vary, or follows from the other variables")
    if units <= coefficients:
        return Dropped(names[-1], f"{units} units are too few")
    t = _t_values(design, log_value)[1:]
    weakest, limit = int(np.argmin(t)), t_limit_90(units - coefficients)
    if t[weakest] < limit:
        return Dropped(names[weakest], f"not significant at 90 %: t = {t[weakest]:.2f}, below {limit:.2f}")
    if units < UNITS_PER_COEFFICIENT * coefficients:
        return Dropped(names[weakest], f"{units} units are fewer than {UNITS_PER_COEFFICIENT} per coefficient")
    return None


def _t_values(design: FloatArray, log_value: FloatArray) -> FloatArray:
    """(p,) absolute t of each coefficient; infinite where the fit leaves no residual."""
    coefficient = np.linalg.lstsq(design, log_value)[0]
    residual = log_value - design @ coefficient
    variance = float(residual @ residual) / (len(log_value) - len(coefficient))
    error = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    t: FloatArray = np.divide(np.abs(coefficient), error, out=np.full(len(error), np.inf), where=error > 0)
    return t
