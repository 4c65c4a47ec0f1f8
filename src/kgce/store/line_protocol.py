"""Line protocol: readings as ready-made lines, one per device and time, one field per quantity.

    electricity,region=370102,institution=s1,building=A,device=main active_power=12.5,frequency=49.98 1700000000000

Line protocol cannot hold a line break, and its backslashes mean different things in different places; names carry
such signs percent-encoded. Everyday names, in any script, stand as they are.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from kgce.domain.batch import Batch, BoolArray, Int32Array, Int64Array
from kgce.domain.tree import Series

TAGS: Final = ("region", "institution", "building", "device")
QUALITY_SUFFIX: Final = "_q"  # `<quantity>_q` holds the quality bits where they are not zero
_QUALITY_SUFFIX: Final = QUALITY_SUFFIX.encode()
WITHDRAWN: Final = 256  # further quality bit: the value beside it no longer stands (a field cannot be deleted)
DELETED: Final = 512  # further quality bit: there is no reading at this time any more
UNNAMED: Final = "reading"  # measurement of series that state none
DERIVED: Final = frozenset({"consumption", "indicator", "event", "touched"})  # measurements that hold no readings

# Control signs, the double quote (to VictoriaMetrics it begins a text), the comment sign, percent, backslash, and the
# letters that set a name apart from one that is taken.
_CODES: Final = "[01][0-9A-F]|2[235]|5C|6[2-59]|7[124F]"
_UNSAFE: Final = re.compile(rf"[\x00-\x1f\x22\x7f\\]|%(?={_CODES})")
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


def tags_of(tags: Mapping[str, str]) -> str:
    """Tags as they stand behind a measurement; a tag without a value must not be written."""
    return "".join(f",{tag}={encode(value).translate(_TAG_SIGNS)}" for tag, value in tags.items() if value)


def stored_tag(tag: str, name: str) -> bytes:
    """A tag whose value is a stored name already."""
    return f",{tag}={name.translate(_TAG_SIGNS)}".encode()


def head_of(series: Series, **further: str) -> bytes:
    """Measurement and tags, with further tags behind."""
    values = (series.region, series.institution, series.building, series.device)
    tags = {**dict(zip(TAGS, values, strict=True)), **further}
    return (measurement_name(series.measurement).translate(_MEASUREMENT_SIGNS) + tags_of(tags)).encode()


def place_of(series: Series) -> dict[str, str]:
    """All of a series as tags, for measurements that speak about series."""
    names = (*TAGS, "kind", "quantity")
    place = (series.region, series.institution, series.building, series.device, series.measurement, series.quantity)
    return dict(zip(names, place, strict=True))


def series_at(tags: Mapping[str, str]) -> Series:
    """The series behind such tags."""
    names = ("institution", "device", "quantity", "kind", "building", "region")
    return Series(*(decode(tags.get(name, "")) for name in names))


def field_key(quantity: str) -> bytes:
    """A quantity as it stands before the equals sign."""
    return field_name(quantity).translate(_TAG_SIGNS).encode()


def numbers(values: npt.NDArray[np.generic]) -> list[bytes]:
    """Each number as text, the shortest that is read back as the same; NaN is `null`."""
    if not len(values):
        return []
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


class Lines:
    """Lines of some fields, one per head and time; `texts[i]` holds the fields `rows_of(i)`."""

    def __init__(self, heads: Sequence[bytes], head: Int32Array, time_ms: Int64Array, fields: Sequence[bytes]) -> None:
        """heads: table; head: (m,) place in it; time_ms: (m,); fields: m texts `key=value`, or several with commas."""
        self._order = np.lexsort((time_ms, head))
        head, time_ms = head[self._order], time_ms[self._order]
        is_first = np.ones(len(head), np.bool_)
        is_first[1:] = (head[1:] != head[:-1]) | (time_ms[1:] != time_ms[:-1])
        self._starts = np.append(np.flatnonzero(is_first), len(head))

        ordered = [fields[row] for row in self._order.tolist()]
        places, times = head[is_first].tolist(), numbers(time_ms[is_first])
        if len(places) == len(ordered):  # one field each
            self.texts = [b"%b %b %b" % row for row in zip([heads[at] for at in places], ordered, times, strict=True)]
            return
        starts = self._starts.tolist()
        self.texts = [
            b"%b %b %b" % (heads[at], b",".join(ordered[start:stop]), time)
            for start, stop, at, time in zip(starts[:-1], starts[1:], places, times, strict=True)
        ]

    def rows_of(self, line: int) -> npt.NDArray[np.intp]:
        """Positions of the fields in one line."""
        return self._order[self._starts[line] : self._starts[line + 1]]


def reading_lines(rows: Batch, *, states_quality: BoolArray, deleted: BoolArray | None = None) -> Lines:
    """Readings as lines.

    Rows that `states_quality` overrule both fields of what is stored; `deleted` ones say that nothing stands any more.
    """
    places: dict[bytes, int] = {}
    head = np.array([places.setdefault(head_of(series), len(places)) for series in rows.series], np.int32)
    keys = [field_key(series.quantity) for series in rows.series]
    stems = [key + b"=" for key in keys]
    index = rows.index.tolist()
    fields = [stems[at] + number for at, number in zip(index, numbers(rows.value), strict=True)]
    missing = np.isnan(rows.value)
    for row in np.flatnonzero((rows.quality != 0) | states_quality | missing).tolist():
        bits = int(rows.quality[row]) | (WITHDRAWN if missing[row] and states_quality[row] else 0)
        if deleted is not None and deleted[row]:
            bits = DELETED
        stated = b"%b%b=%di" % (keys[index[row]], _QUALITY_SUFFIX, bits)
        fields[row] = stated if missing[row] else b"%b,%b" % (fields[row], stated)
    return Lines(list(places), head[rows.index], rows.time_ms, fields)
