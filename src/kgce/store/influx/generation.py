"""Generation: which InfluxDB answers, and what that means for how it is spoken to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_V2_WRITES_SINCE: Final = (1, 8)  # first version with /api/v2/write, which influxdb-client speaks


@dataclass(frozen=True, slots=True)
class Generation:
    """Version of a server as it states it; servers that keep it to themselves are taken as 1.x."""

    version: tuple[int, int]
    text: str  # as the server wrote it

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Generation":
        """From the headers of `/ping`."""
        text = headers.get("x-influxdb-version", "")
        found = re.search(r"(\d+)\.(\d+)", text)
        return cls((int(found[1]), int(found[2])) if found else (1, 0), text.removeprefix("v"))

    @property
    def major(self) -> int:
        """1, 2 or 3."""
        return self.version[0]

    @property
    def takes_v2_writes(self) -> bool:
        """Whether influxdb-client can write to it."""
        return self.version >= _V2_WRITES_SINCE

    def __str__(self) -> str:
        return f"InfluxDB {self.text or '1.x (it does not say which)'}"

    @property
    def way(self) -> str:
        """How it is spoken to, for the log."""
        writes = "influxdb-client to /api/v2/write" if self.takes_v2_writes else "lines to /write"
        return f"{writes}, InfluxQL over /query"
