"""Pages: a cursor that stays right while rows come and go, unlike an offset.

A cursor is the key of the last row given, packed so that nobody builds one by hand.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

import orjson
from fastapi import Query

from kgce.domain.errors import InputError

Item = TypeVar("Item")
Key = tuple[str | int | float, ...]

MOST: Final = 1000
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the page before; the first page without.")]


def cursor_of(key: Key) -> str:
    """The key as it stands in a URL."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key))).rstrip(b"=").decode()


def key_of(cursor: str) -> Key:
    """The key behind a cursor.

    Raises:
        InputError: it is none.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = orjson.loads(packed)
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or not all(isinstance(part, str | int | float) for part in key):
        raise InputError("this cursor is none: take `next` of the page before, or leave it out")
    return tuple(key)


def page(
    rows: Sequence[Item], key: Callable[[Item], Key], *, cursor: str | None, limit: int
) -> tuple[list[Item], str | None]:
    """Rows after the cursor, as many as asked, and the cursor of the page behind them; rows ascend by `key`.

    Raises:
        InputError: the cursor is none, or of another list.
    """
    first = 0 if cursor is None else _after(rows, key, key_of(cursor))
    found = list(rows[first : first + limit])
    more = first + limit < len(rows)
    return found, cursor_of(key(found[-1])) if found and more else None


def _after(rows: Sequence[Item], key: Callable[[Item], Key], last: Key) -> int:
    """Place of the first row whose key is greater."""
    low, high = 0, len(rows)
    try:
        while low < high:
            middle = (low + high) // 2
            if key(rows[middle]) <= last:
                low = middle + 1
            else:
                high = middle
    except TypeError:
        raise InputError("this cursor is of another list: leave it out to begin anew") from None
    return low
