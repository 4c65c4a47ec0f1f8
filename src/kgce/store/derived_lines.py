"""Derived series as lines: one per row, its numbers as fields; what is unknown is no field."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.derived import Derived
from kgce.store.line_protocol import Lines, field_key, numbers, tags_of

_UNKNOWN: Final = b"null"  # how `numbers` writes NaN


def derived_lines(rows: Derived) -> Lines:
    """Lines with millisecond times; a row without any number makes none."""
    rows = rows.select(np.asarray(np.isfinite(np.stack(list(rows.fields.values()))).any(axis=0)))
    heads: dict[str, int] = {}
    names = list(rows.tags)
    head = [
        heads.setdefault(tags_of(dict(zip(names, values, strict=True))), len(heads))
        for values in zip(*rows.tags.values(), strict=True)
    ]
    stems = [field_key(name) + b"=" for name in rows.fields]

    def fields_of(chosen: npt.NDArray[np.intp]) -> list[bytes]:
        columns = [
            [b"" if text == _UNKNOWN else stem + text for text in numbers(values[chosen])]
            for stem, values in zip(stems, rows.fields.values(), strict=True)
        ]
        return [b",".join(filter(None, texts)) for texts in zip(*columns, strict=True)]

    return Lines(
        [f"{rows.measurement}{tags}".encode() for tags in heads], np.array(head, np.int32), rows.time_ms, fields_of
    )
