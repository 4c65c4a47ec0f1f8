"""Whether an answer says what a vector expects: numbers within a tolerance, hex without regard to case, prose not at all."""

import contextlib
import math
from collections.abc import Mapping
from typing import Any, Final

from tests.vectors.meanings import decision

# Remarks for the reader of a vector, not results: what a thing is called in words, and why.
PROSE: Final = frozenset({"note", "name", "reason", "unit_of_measure", "tolerance_rel", "must_not_crash"})
EXACT_REL: Final = 1e-12  # one rounding of a scale such as 0.01
FLOAT32_REL: Final = 2.0**-24  # a vector prints 230.2 for the 32-bit float nearest to it


def differences(expected: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """What the answer lacks or says differently, a line each; empty means that it is right."""
    tolerance = float(expected.get("tolerance_rel", EXACT_REL))
    found = [
        line
        for key, value in expected.items()
        if key not in PROSE and key != "action"
        for line in _differ(
            key, value, got.get(key, "(nothing)"), max(tolerance, FLOAT32_REL * key.startswith("float32"))
        )
    ]
    if "action" in expected and decision(expected["action"]) != got.get("decision"):
        found.append(f"action: {got.get('decision')!r}, expected {expected['action']!r}")
    return found


def _differ(place: str, expected: Any, got: Any, tolerance: float) -> list[str]:
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return [
            line
            for key, value in expected.items()
            if key not in PROSE or key in got
            for line in _differ(f"{place}.{key}", value, got.get(key, "(nothing)"), tolerance)
        ]
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return [f"{place}: {len(got)} entries, expected {len(expected)}"]
        pairs = enumerate(zip(expected, got, strict=True))
        return [line for at, (one, other) in pairs for line in _differ(f"{place}[{at}]", one, other, tolerance)]
    return [] if _same(expected, got, tolerance) else [f"{place}: {got!r}, expected {expected!r}"]


def _same(expected: Any, got: Any, tolerance: float) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return math.isclose(expected, got, rel_tol=tolerance, abs_tol=1e-12)
    if isinstance(expected, str) and isinstance(got, str):
        return _text(expected) == _text(got)
    return bool(expected == got)


def _text(text: str) -> str:
    """Without regard to case, and to UTF-8 that somebody took for ISO 8859-1 on the way ("Â°C")."""
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.casefold()
