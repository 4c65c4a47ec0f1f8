"""Readings as lines for VictoriaMetrics, which keeps floats to about 12 digits and every sample of an instant.

    electricity,db=kgce,region=...,device=main,measurement=electricity active_power=12.5 1700000000000
    electricity,...,measurement=electricity,part=hi active_power=1070945621 ...      what 12 digits cannot hold:
    electricity,...,measurement=electricity,part=lo active_power=1431655765 ...      the two halves of the double
    electricity,...,measurement=electricity,rev=1 active_power=13,active_power_q=0 ...     a correction

A sample is never changed there: a correction is a sample under the next `rev`, and the highest one stands.
"""

from typing import Final

import numpy as np

from kgce.domain.batch import Batch, BoolArray, FloatArray, Int32Array
from kgce.domain.tree import Series
from kgce.store.intake import Positions
from kgce.store.line_protocol import (
    DELETED,
    QUALITY_SUFFIX,
    Lines,
    decode,
    field_key,
    head_of,
    measurement_name,
    measurement_of,
    numbers,
    ready,
    stored_tag,
)

PARTS: Final = ("hi", "lo")
# Within these bounds any mixture of values shares a block of the server without losing a digit (tried, see the tests).
_WHOLE_BELOW: Final = 1e12
_DECIMAL_BELOW: Final = 1e8
_DECIMALS: Final = 1e4
_VISIBLE_FROM: Final = 1e-6  # smaller and larger ones would cost their neighbours digits
_HALF_BITS: Final = 32
_HALF: Final = 0xFFFFFFFF


def is_plain(value: FloatArray) -> BoolArray:
    """(m,) True where the server gives the very same double back."""
    size = np.abs(value)
    with np.errstate(invalid="ignore", over="ignore"):
        is_whole = (np.rint(value) == value) & (size < _WHOLE_BELOW)
        is_decimal = (np.rint(value * _DECIMALS) / _DECIMALS == value) & (size < _DECIMAL_BELOW)
    found: BoolArray = is_whole | is_decimal
    return found


def reading_lines(rows: Batch, rev: Int32Array, deleted: BoolArray, database: str) -> list[bytes]:
    """The lines; rows of `rev` 0 are new, those of a higher one overrule what stands. `deleted` ones say: no more."""
    keys = [field_key(series.quantity) for series in rows.series]
    index = rows.index.tolist()
    size = np.abs(rows.value)
    exists = ~np.isnan(rows.value) & ~deleted
    plain = is_plain(rows.value)
    shown = exists & (plain | ((size >= _VISIBLE_FROM) & (size < _WHOLE_BELOW)))
    states_quality = (rows.quality != 0) | (rev > 0) | ~exists
    bits = np.where(deleted, DELETED, rows.quality.astype(np.int64))

    texts = numbers(rows.value)
    fields: list[bytes] = []
    for row in np.flatnonzero(shown | states_quality).tolist():
        key = keys[index[row]]
        parts = [b"%b=%b" % (key, texts[row])] if shown[row] else []
        if states_quality[row]:
            parts.append(b"%b%b=%d" % (key, QUALITY_SUFFIX.encode(), bits[row]))
        fields.append(b",".join(parts))
    lines = _written(rows, rev, np.flatnonzero(shown | states_quality), fields, {"db": database})

    exact = np.flatnonzero(exists & ~plain)
    halves = rows.value[exact].view(np.uint64)
    for part, half in zip(PARTS, (halves >> np.uint64(_HALF_BITS), halves & np.uint64(_HALF)), strict=True):
        pairs = zip(exact.tolist(), half.tolist(), strict=True)
        stated = [b"%b=%d" % (keys[index[row]], value) for row, value in pairs]
        lines += _written(rows, rev, exact, stated, {"db": database, "part": part})
    return lines


def _written(rows: Batch, rev: Int32Array, chosen: Positions, fields: list[bytes], tags: dict[str, str]) -> list[bytes]:
    if not len(chosen):
        return []
    highest = int(rev[chosen].max()) + 1
    code = rows.index[chosen].astype(np.int64) * highest + rev[chosen]
    used, at = np.unique(code, return_inverse=True)
    places: dict[bytes, int] = {}
    place = np.array(
        [
            places.setdefault(_head(rows.series[one // highest], one % highest, tags), len(places))
            for one in used.tolist()
        ],
        np.int32,
    )
    return Lines(list(places), place[at], rows.time_ms[chosen], ready(fields)).texts


def _head(series: Series, rev: int, tags: dict[str, str]) -> bytes:
    further = {**tags, "rev": str(rev)} if rev else tags
    return head_of(series, **further) + stored_tag("measurement", measurement_name(series.measurement))


def described(labels: dict[str, str]) -> tuple[Series, int, str]:
    """Series, rev and what the sample is (`value`, `quality`, `hi`, `lo`), of the labels of a time series."""
    stored = labels["measurement"]
    field = labels["__name__"].removeprefix(f"{stored}_")
    is_quality = field.endswith(QUALITY_SUFFIX)
    tags = [decode(labels.get(tag, "")) for tag in ("building", "region")]
    series = Series(
        decode(labels.get("institution", "")),
        decode(labels.get("device", "")),
        decode(field.removesuffix(QUALITY_SUFFIX)),
        measurement_of(stored),
        *tags,
    )
    return series, int(labels.get("rev", "0")), "quality" if is_quality else labels.get("part", "value")
