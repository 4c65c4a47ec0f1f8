"""Line protocol: readings as ready-made lines, one per device and time, one field per quantity.

    electricity,region=370102,institution=s1,building=A,device=main active_power=12.5,frequency=49.98 1700000000000

Line protocol cannot hold a line break, and its backslashes mean different things in different places; names carry
such signs percent-encoded. Everyday names, in any script, stand as they are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
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


@lru_cache(maxsize=200_000)  # gateways send the same series again and again
def _written(series: Series) -> tuple[bytes, bytes]:
    """Head and field key of a series."""
    return head_of(series), field_key(series.quantity)


def numbers(values: npt.NDArray[np.generic]) -> list[bytes]:
    """Each number as text, the shortest that is read back as the same; NaN is `null`."""
    if not len(values):
        return []
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


class Lines:
    """Lines of some fields, one per head and time, made in parts as they are asked for."""

    def __init__(
        self,
        heads: Sequence[bytes],
        head: Int32Array,
        time_ms: Int64Array,
        fields: Callable[[npt.NDArray[np.intp]], Sequence[bytes]],
    ) -> None:
        """heads: table; head: (m,) place in it; time_ms: (m,); fields: texts `key=value` of the rows at positions."""
        self._heads = heads
        self._order = np.lexsort((time_ms, head))
        self._fields = fields
        head, time_ms = head[self._order], time_ms[self._order]
        is_first = np.ones(len(head), np.bool_)
        is_first[1:] = (head[1:] != head[:-1]) | (time_ms[1:] != time_ms[:-1])
        self._starts = np.append(np.flatnonzero(is_first), len(head))
        self._head, self._time_ms = head[is_first], time_ms[is_first]

    def __len__(self) -> int:
        return len(self._head)

    def part(self, first: int, end: int) -> list[bytes]:
        """The texts of these lines."""
        rows = self._order[self._starts[first] : self._starts[end]]
        fields, times = self._fields(rows), numbers(self._time_ms[first:end])
        heads = [self._heads[at] for at in self._head[first:end].tolist()]
        if len(heads) == len(fields):  # one field each
            return [b"%b %b %b" % row for row in zip(heads, fields, times, strict=True)]
        starts = (self._starts[first : end + 1] - self._starts[first]).tolist()
        return [
            b"%b %b %b" % (head, b",".join(fields[start:stop]), time)
            for start, stop, head, time in zip(starts[:-1], starts[1:], heads, times, strict=True)
        ]

    @property
    def texts(self) -> list[bytes]:
        """Every line; the i-th holds the fields at `rows_of(i)`."""
        return self.part(0, len(self))

    def rows_of(self, line: int) -> npt.NDArray[np.intp]:
        """Positions of the fields in one line."""
        return self._order[self._starts[line] : self._starts[line + 1]]


def reading_lines(rows: Batch, *, states_quality: BoolArray, deleted: BoolArray | None = None) -> Lines:
    """Readings as lines.

    Rows that `states_quality` overrule both fields of what is stored; `deleted` ones say that nothing stands any more.
    """
    places: dict[bytes, int] = {}
    written = [_written(series) for series in rows.series]
    head = np.array([places.setdefault(head, len(places)) for head, _ in written], np.int32)
    keys = [key for _, key in written]
    stems = [key + b"=" for key in keys]
    missing = np.isnan(rows.value)
    is_special = (rows.quality != 0) | states_quality | missing

    def fields_of(chosen: npt.NDArray[np.intp]) -> list[bytes]:
        index = rows.index[chosen].tolist()
        fields = [stems[at] + number for at, number in zip(index, numbers(rows.value[chosen]), strict=True)]
        for at in np.flatnonzero(is_special[chosen]).tolist():
            row = int(chosen[at])
            bits = int(rows.quality[row]) | (WITHDRAWN if missing[row] and states_quality[row] else 0)
            if deleted is not None and deleted[row]:
                bits = DELETED
            stated = b"%b%b=%di" % (keys[index[at]], _QUALITY_SUFFIX, bits)
            fields[at] = stated if missing[row] else b"%b,%b" % (fields[at], stated)
        return fields

    return Lines(list(places), head[rows.index], rows.time_ms, fields_of)


def ready(fields: Sequence[bytes]) -> Callable[[npt.NDArray[np.intp]], list[bytes]]:
    """Fields whose texts are there already, as `Lines` asks for them."""
    return lambda chosen: [fields[at] for at in chosen.tolist()]
