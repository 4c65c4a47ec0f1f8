"""Line protocol: readings as ready-made lines, one per device and time, one field per quantity.

    electricity,region=370102,institution=s1,building=A,device=main active_power=12.5,frequency=49.98 1700000000000

Line protocol cannot hold a line break, and its backslashes mean different things in different places; names carry
such signs percent-encoded. Everyday names, in any script, stand as they are.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, BoolArray
from kgce.domain.tree import Series

TAGS: Final = ("region", "institution", "building", "device")
QUALITY_SUFFIX: Final = "_q"  # `<quantity>_q` holds the quality bits where they are not zero
WITHDRAWN: Final = 256  # further quality bit: the value beside it no longer stands (a field cannot be deleted)
UNNAMED: Final = "reading"  # measurement of series that state none
DERIVED: Final = frozenset({"consumption", "indicator", "event"})  # measurements beside the readings, not readings

# Control signs, the comment sign, percent, backslash, and the letters that set a name apart from one that is taken.
_CODES: Final = "[01][0-9A-F]|2[35]|5C|6[2-59]|7[124F]"
_UNSAFE: Final = re.compile(rf"[\x00-\x1f\x7f\\]|%(?={_CODES})")
_CODE: Final = re.compile(f"%({_CODES})")
_RESERVED: Final = frozenset({"time", *TAGS})  # a field of this name is dropped, or hides the tag
_TAG_SIGNS: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_MEASUREMENT_SIGNS: Final = str.maketrans({",": r"\,", " ": r"\ "})


def encode(text: str) -> str:
    """The text without signs a line or a query could trip over; `decode` gives it back."""
    return _UNSAFE.sub(lambda match: _coded(match[0]), text)


def decode(text: str) -> str:
    """What `encode`, `measurement_name` or `field_name` was made from."""
    return _CODE.sub(lambda match: chr(int(match[1], 16)), text)


def _coded(sign: str) -> str:
    return f"%{ord(sign):02X}"


def measurement_name(measurement: str) -> str:
    """Stored name of a measurement; a leading # would make the line a comment, and some names are taken."""
    if not measurement:
        return UNNAMED
    name = encode(measurement)
    is_taken = name.startswith("#") or name == UNNAMED or name in DERIVED
    return _coded(name[0]) + name[1:] if is_taken else name


def measurement_of(name: str) -> str:
    """The measurement behind a stored name."""
    return "" if name == UNNAMED else decode(name)


def field_name(quantity: str) -> str:
    """Stored name of a quantity; it never looks like a tag, the time or a quality field."""
    name = encode(quantity)
    if name in _RESERVED:
        name = _coded(name[0]) + name[1:]
    return name[:-1] + _coded("q") if name.endswith(QUALITY_SUFFIX) else name


def _head(series: Series) -> str:
    """Measurement and tags; a tag without a value must not be written."""
    values = (series.region, series.institution, series.building, series.device)
    tags = [f",{tag}={encode(value).translate(_TAG_SIGNS)}" for tag, value in zip(TAGS, values, strict=True) if value]
    return measurement_name(series.measurement).translate(_MEASUREMENT_SIGNS) + "".join(tags)


class Lines:
    """Lines of some rows; `texts[i]` holds the rows `rows_of(i)`."""

    def __init__(self, rows: Batch, is_update: BoolArray) -> None:
        """Write the rows as lines; rows that update a stored one overrule both of its fields."""
        devices: dict[str, int] = {}
        device = np.array([devices.setdefault(_head(series), len(devices)) for series in rows.series], np.int32)
        device, time_ms = device[rows.index], rows.time_ms
        fields = _fields(rows, is_update)

        self._order = np.lexsort((time_ms, device))
        device, time_ms = device[self._order], time_ms[self._order]
        is_first = np.ones(len(device), np.bool_)
        is_first[1:] = (device[1:] != device[:-1]) | (time_ms[1:] != time_ms[:-1])
        self._starts = np.append(np.flatnonzero(is_first), len(device))

        heads = list(devices)
        ordered = [fields[row] for row in self._order.tolist()]
        starts = self._starts.tolist()
        spans = zip(starts[:-1], starts[1:], device[is_first].tolist(), time_ms[is_first].tolist(), strict=True)
        self.texts = [f"{heads[of]} {','.join(ordered[start:stop])} {at}" for start, stop, of, at in spans]

    def rows_of(self, line: int) -> npt.NDArray[np.intp]:
        """Positions of the rows in one line."""
        return self._order[self._starts[line] : self._starts[line + 1]]


def _fields(rows: Batch, is_update: BoolArray) -> list[str]:
    """`name=value`, with `name_q=bits` where there is a quality to state, or an earlier one to overrule."""
    keys = [field_name(series.quantity).translate(_TAG_SIGNS) for series in rows.series]
    numbers = zip(rows.index.tolist(), rows.value.tolist(), strict=True)
    fields = [f"{keys[at]}={number!r}" for at, number in numbers]
    missing = np.isnan(rows.value)
    for row in np.flatnonzero((rows.quality != 0) | is_update).tolist():
        bits = int(rows.quality[row]) | (WITHDRAWN if missing[row] and is_update[row] else 0)
        stated = f"{keys[rows.index[row]]}{QUALITY_SUFFIX}={bits}i"
        fields[row] = stated if missing[row] else f"{fields[row]},{stated}"
    return fields
