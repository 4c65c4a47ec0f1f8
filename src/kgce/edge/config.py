"""Gateway configuration: one TOML file, checked as a whole before any socket opens.

[gateway]  id, folder
[sink]     where readings go: kind = "mqtt", "influxdb" or "duckdb", see uplink/config.py
[buffer]   max_mb, max_days, min_free_mb, min_free_percent, durability
[uplink]   flush_interval_s, rows_per_message, catch_up_rows_per_s, dead_letter_after
[checks]   rated_kw, max_flow_m3h, limits, max_per_hour, max_step ..., see checks/config.py
[clock]    jump_limit_s, max_hold_h, trust
[local]    enabled, listen, allow_remote
[control]  charging, alarms: off unless it is there, see control/config.py
[remote]   whose signed configurations are taken, see remote/config.py
[[modbus]] [[mqtt]] ...  see collectors/config.py
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from kgce.collectors.config import CollectorsConfig
from kgce.domain.errors import ConfigError
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.config import BufferTable
from kgce.edge.checks.config import ChecksTable
from kgce.edge.clock.config import ClockTable
from kgce.edge.control.config import ControlTable
from kgce.edge.local.config import LocalTable
from kgce.edge.remote.config import RemoteTable
from kgce.edge.tables import FolderPath, Table
from kgce.edge.uplink.config import SinkTable, UplinkTable

_SECRETS: Final = frozenset({"password", "token"})
_MOVED: Final = {
    "gateway.flush_interval_s": "[uplink] flush_interval_s",
    "gateway.buffer_max_mb": "[buffer] max_mb",
    "gateway.durability": "[buffer] durability",
}
_COLLECTORS: Final = frozenset(CollectorsConfig.model_fields)


class GatewayTable(Table):
    """Who the gateway is and where its buffer lives."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    folder: FolderPath


class GatewayConfig(Table):
    """The whole file."""

    gateway: GatewayTable
    sink: SinkTable | None = None
    buffer: BufferTable = BufferTable()
    uplink: UplinkTable = UplinkTable()
    checks: ChecksTable = ChecksTable()
    clock: ClockTable = ClockTable()
    local: LocalTable = LocalTable()
    remote: RemoteTable | None = None
    control: ControlTable | None = None
    collectors: CollectorsConfig

    def make_buffer(self, clock: Callable[[], float]) -> Buffer:
        """The buffer of this gateway.

        Raises:
            ConfigError: another gateway holds it, or it is not a buffer.
        """
        return self.buffer.make(self.gateway.folder, clock=clock)


def load_config(path: Path) -> GatewayConfig:
    """Read and check a whole configuration file.

    Raises:
        ConfigError: one line with file, table, key and what to change.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    return parse_config(tables, origin=str(path), folder=path.parent)


def parse_config(tables: Mapping[str, Any], *, origin: str = "configuration", folder: Path = Path()) -> GatewayConfig:
    """Check the tables of a configuration; relative paths start at `folder`.

    Raises:
        ConfigError: one line with origin, table, key and what to change.
    """
    problems: list[Problem] = []
    config = _validated(tables, folder, problems)
    if config is None:
        more = f"; {len(problems) - 1} more below it" if len(problems) > 1 else ""
        raise ConfigError(f"{origin}: {problems[0]}{more}")
    return config


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change in the file."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def problems_of(path: Path) -> list[Problem]:
    """Everything that is wrong with a file, not only the first; empty when a gateway can start with it."""
    problems: list[Problem] = []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return [Problem("file", f"cannot be read: {error}")]
    except tomllib.TOMLDecodeError as error:
        return [Problem("file", f"not TOML: {error}")]
    _validated(tables, path.parent, problems)
    return problems


def _validated(tables: Mapping[str, Any], folder: Path, problems: list[Problem]) -> GatewayConfig | None:
    collectors = {name: tables[name] for name in _COLLECTORS if name in tables}
    others = {name: table for name, table in tables.items() if name not in _COLLECTORS}
    try:
        return GatewayConfig.model_validate({**others, "collectors": collectors}, context={"folder": folder})
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems += [_problem(one) for one in found if not _is_echo(one, found)]
    except ConfigError as error:
        problems.append(Problem("file", str(error)))
    return None


def _is_echo(one: ErrorDetails, others: Sequence[ErrorDetails]) -> bool:
    """A list that is too short because its entries are wrong is no mistake of its own."""
    place = one["loc"]
    return one["type"] == "too_short" and any(other["loc"][: len(place)] == place != other["loc"] for other in others)


def _problem(found: ErrorDetails) -> Problem:
    key = str(found["loc"][-1]) if found["loc"] else ""
    if found["type"] == "extra_forbidden":
        what = _why_unknown(key, _where(found["loc"]))
    else:
        got = found["input"]
        shown = f" (got {got!r})" if isinstance(got, str | int | float) else ""
        what = found["msg"].removeprefix("Value error, ") + shown
    return Problem(_where(found["loc"]), what)


def _why_unknown(key: str, where: str) -> str:
    if key in _SECRETS:
        return f"secrets do not belong here, use {key}_env"
    moved = _MOVED.get(where)
    return f"is now {moved}" if moved else "unknown key, remove it"


def _where(location: tuple[int | str, ...]) -> str:
    """`sink.path`, `modbus[0].devices[1].unit`: the names as they stand in the file."""
    steps = list(location)
    if steps[:1] == ["collectors"]:
        steps = steps[1:]
    if steps[:1] == ["sink"] and len(steps) > 1:
        del steps[1]  # pydantic names the kind of sink, the file does not
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "file"
