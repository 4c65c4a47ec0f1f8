"""Gate: many may use the open file at once, or one may have it to himself (to open it anew, to compact it)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """A shared and an exclusive way in; who waits for the exclusive one lets nobody else in before."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = 0
        self._is_taken = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Enter beside others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken)
            self._users += 1
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Enter alone, once those inside have left."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken)
            self._is_taken = True
            self._changed.wait_for(lambda: not self._users)
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()
