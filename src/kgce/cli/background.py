"""A job in a thread of its own, beside what the command does."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from kgce.domain.errors import KgceError

log: Final = logging.getLogger(__name__)
_PATIENCE_S: Final = 10.0


@contextmanager
def beside(run: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """Run it until the block ends; what ends it before is told, and the command goes on."""
    stopping = threading.Event()

    def guarded() -> None:
        try:
            run(stopping)
        except KgceError as error:
            log.error("%s ended: %s", name, error)  # noqa: TRY400 - one line says it

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(_PATIENCE_S)
