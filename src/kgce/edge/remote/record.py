"""Record: which version runs, which came before it, what was accepted and refused; one small file, `current.json`."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

LOCAL = 0  # the version that is the file named on the command line


@dataclass(frozen=True, slots=True)
class Refused:
    """The last configuration that is not running because something spoke against it."""

    reason: str
    at_ms: int
    version: int | None = None  # None: nobody could tell, its signature was not good
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that must outlive the process."""

    running: int = LOCAL
    since_ms: int = 0
    previous: int = LOCAL  # what ran before, and runs again when the trial fails
    on_trial: bool = False
    highest: int = 0  # of all versions ever accepted: nothing up to it is accepted again
    highest_digest: str = ""
    refused: Refused | None = None
    untold: Literal["", "rolled back", "local"] = ""  # decided at the start, when nobody could be told yet
    local_digest: str = ""  # of the local file when `running` was decided: changed since, it wins

    def encode(self) -> bytes:
        """As JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def decode(text: bytes) -> Record:
    """Read it back.

    Raises:
        ValueError: this is no record.
    """
    try:
        document: dict[str, Any] = orjson.loads(text)
        refused = document.pop("refused")
        return Record(**document, refused=Refused(**refused) if refused else None)
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a record of versions: {error}") from error
