"""Queries on a field of the store, each limited to the places chosen in the dashboard; panels_*.py show them."""

from dataclasses import dataclass
from typing import Final

from kgce.dashboards.influxql import identifier, selected, string
from kgce.dashboards.units import grafana_unit

PLACES: Final = ("region", "institution", "building", "device")  # tags, outermost first; also the variables' names
FRESH: Final = "5m"  # a reading older than this is no longer called live

_CHOSEN: Final = " AND ".join(["$timeFilter", *map(selected, PLACES)])
_DEVICE: Final = ", ".join(map(identifier, ("institution", "building", "device")))
_BUILDING: Final = ", ".join(map(identifier, ("institution", "building")))


@dataclass(frozen=True, slots=True)
class Field:
    """One quantity of one kind of device, as the store names it."""

    measurement: str
    name: str

    @property
    def unit(self) -> str:
        """Grafana's id of the unit this field is stored in."""
        return grafana_unit(self.name)

    def mean(self) -> str:
        """Mean per `$__interval`, a line per device; an interval without readings is a gap."""
        return f"SELECT mean({identifier(self.name)}) {self._source()} GROUP BY time($__interval), {_DEVICE} fill(null)"

    def least_of_day(self, timezone: str) -> str:
        """The smallest reading of each day, per device: what still flows when nobody uses anything."""
        return (
            f"SELECT min({identifier(self.name)}) {self._source()} "
            f"GROUP BY time(1d), {_DEVICE} fill(none) tz({string(timezone)})"
        )

    def sum_of_means(self) -> str:
        """Means per device and `$__interval`, added up per building over the devices that have readings."""
        means = (
            f'SELECT mean({identifier(self.name)}) AS "each" {self._source()} '
            f"GROUP BY time($__interval), {_DEVICE} fill(none)"
        )
        return f"{_over(means, 'sum')} GROUP BY time($__interval), {_BUILDING} fill(null)"

    def amounts(self, every: str, timezone: str) -> str:
        """Difference of a counter's last readings from interval to interval (1h, 1d of the time zone), per device."""
        return (
            f"SELECT non_negative_difference(last({identifier(self.name)})) {self._source()} "
            f"GROUP BY time({every}), {_DEVICE} fill(none) tz({string(timezone)})"
        )

    def amount_of_range(self) -> str:
        """Last minus first reading of a counter in the time range, added up over devices."""
        name = identifier(self.name)
        per_device = f'SELECT last({name}) - first({name}) AS "each" {self._source()} GROUP BY {_DEVICE}'
        return _over(per_device, "sum")

    def sum_of_live(self) -> str:
        """Sum of the newest reading of every device that is not older than FRESH."""
        return _over(self._live(), "sum")

    def count_of_live(self) -> str:
        """How many devices have a reading not older than FRESH."""
        return _over(self._live(), "count")

    def newest(self, column: str) -> str:
        """The newest reading of every device with its own time."""
        return f"SELECT last({identifier(self.name)}) AS {identifier(column)} {self._source()} GROUP BY {_DEVICE}"

    def highest_of_live(self) -> str:
        """The greatest of the newest readings that are not older than FRESH."""
        return _over(self._live(), "max")

    def worked_out(self, formula: str, *, while_: str) -> str:
        """A formula of means of this measurement's fields per `$__interval`, per device, of readings that fulfil it."""
        return f"SELECT {formula} {self._source()} AND {while_} GROUP BY time($__interval), {_DEVICE} fill(none)"

    def total_readings(self, every: str) -> str:
        """How many readings all chosen devices together delivered per interval."""
        return f"SELECT count({identifier(self.name)}) {self._source()} GROUP BY time({every}) fill(0)"

    def readings(self, every: str) -> str:
        """How many readings each device delivered per interval; none is 0, because a count is known."""
        return f"SELECT count({identifier(self.name)}) {self._source()} GROUP BY time({every}), {_DEVICE} fill(0)"

    def _live(self) -> str:
        return (
            f'SELECT last({identifier(self.name)}) AS "each" {self._source()} '
            f"AND time > now() - {FRESH} GROUP BY {_DEVICE}"
        )

    def _source(self) -> str:
        return f"FROM {identifier(self.measurement)} WHERE {_CHOSEN}"


def _over(per_device: str, aggregate: str) -> str:
    return f'SELECT {aggregate}("each") FROM ({per_device}) WHERE $timeFilter'  # noqa: S608  # built from quoted parts


def tag_values(tag: str, measurements: tuple[str, ...]) -> str:
    """Values of a place tag among the measurements, limited by the choices made further out in the tree."""
    outer = " AND ".join(map(selected, PLACES[: PLACES.index(tag)]))
    sources = ", ".join(map(identifier, measurements))
    return f"SHOW TAG VALUES FROM {sources} WITH KEY = {identifier(tag)}" + (f" WHERE {outer}" if outer else "")
