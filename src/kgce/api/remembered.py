"""Answers remembered by idempotency key, so that a request that is sent again gets the first answer."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from kgce.domain.errors import InputError

_MOST: Final = 10_000
_LONGEST_KEY: Final = 256
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class _Known(Generic[_Answer]):
    digest: bytes
    answer: _Answer


class Remembered(Generic[_Answer]):
    """The newest answers; any thread. After a restart they are forgotten: then the store knows what it has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known[_Answer]] = OrderedDict()

    def once(self, key: str | None, body: bytes, work: Callable[[], _Answer]) -> _Answer:
        """The answer of `work`, or the one remembered under this key for the same body.

        Raises:
            InputError: the key was used for another body, or is too long.
        """
        if key is None:
            return work()
        if len(key) > _LONGEST_KEY:
            raise InputError(f"an Idempotency-Key has {_LONGEST_KEY} signs at most")
        digest = hashlib.sha256(body).digest()
        with self._lock:
            known = self._known.get(key)
        if known is not None:
            if known.digest != digest:
                raise InputError(f"Idempotency-Key {key!r} was used for another body: choose a new key")
            return known.answer
        answer = work()
        with self._lock:
            self._known[key] = _Known(digest, answer)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return answer
