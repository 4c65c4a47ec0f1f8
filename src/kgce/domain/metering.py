"""What people declare about meters, and the port that keeps it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kgce.domain.changes import MeterChange
from kgce.domain.roles import Role, Use


@dataclass(frozen=True, slots=True, order=True)
class VirtualMeter:
    """A meter that hangs nowhere: an expression over an institution's points, in the carrier's unit.

    expression: sums and differences of point names, numbers as factors: `main - tenant`, `pv - 0.5 * export`; a name
    that is no plain word stands in quotes. counts: whether it belongs to the carrier's total.
    """

    institution: str
    name: str
    carrier: str
    expression: str
    item: str = ""
    use: Use = Use.OWN
    building: str = ""
    counts: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredChange:
    """A change of a meter and the number under which it can be taken back."""

    number: int
    change: MeterChange


class MeteringRegistry(Protocol):
    """Roles of points, changes of meters, virtual meters, published figures."""

    def publish(self, name: str, document: Mapping[str, Any], *, published_ms: int) -> None:
        """Freeze figures under a name; they stay as they are whatever is edited later.

        Raises:
            InputError: something else is published under this name.
        """
        ...

    def publication(self, name: str) -> dict[str, Any]:
        """What was frozen under a name, with `published_ms`.

        Raises:
            InputError: nothing was; the message lists what is.
        """
        ...

    def save_roles(self, roles: Mapping[tuple[str, str, str], Role]) -> None:
        """Insert or replace by series key; the points carry them from then on.

        Raises:
            InputError: no such point; nothing is saved.
        """
        ...

    def save_change(self, change: MeterChange) -> int:
        """Keep one declared change; its number. The same change again gives the same number."""
        ...

    def changes(self, institution: str | None = None) -> list[DeclaredChange]:
        """Declared changes (of one institution), by series key then time."""
        ...

    def remove_change(self, number: int) -> MeterChange:
        """Take one back.

        Raises:
            InputError: no such number.
        """
        ...

    def save_virtual_meters(self, meters: Iterable[VirtualMeter]) -> None:
        """Insert or replace by (institution, name)."""
        ...

    def remove_virtual_meter(self, institution: str, name: str) -> None:
        """Take one away.

        Raises:
            InputError: no such meter.
        """
        ...

    def virtual_meters(self, institution: str | None = None) -> list[VirtualMeter]:
        """Virtual meters (of one institution), by institution then name."""
        ...
