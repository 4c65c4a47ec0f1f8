"""What a birth declares: its metrics by name and by alias, for the node itself or for one device."""

from dataclasses import dataclass
from typing import Self

from kgce.collectors.sparkplug.payload import Metric, Payload


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric of a birth."""

    name: str
    datatype: int
    unit: str | None


class Unresolved(LookupError):
    """A metric the birth does not declare; only another birth can tell what it is."""


@dataclass(frozen=True, slots=True)
class Births:
    """The metrics a birth declares."""

    by_name: dict[str, Declared]
    by_alias: dict[int, Declared]

    @classmethod
    def of(cls, payload: Payload) -> Self:
        """Read a birth; what is declared twice in different ways is not declared at all."""
        by_name: dict[str, Declared] = {}
        by_alias: dict[int, Declared] = {}
        unclear: set[str | int] = set()
        for metric in payload.metrics:
            if metric.name is None or metric.datatype is None:
                continue
            declared = Declared(metric.name, metric.datatype, metric.unit)
            if by_name.setdefault(metric.name, declared) != declared:
                unclear.add(metric.name)
            if metric.alias is not None and by_alias.setdefault(metric.alias, declared) != declared:
                unclear.add(metric.alias)
        return cls(
            {name: declared for name, declared in by_name.items() if name not in unclear},
            {alias: declared for alias, declared in by_alias.items() if alias not in unclear},
        )

    def resolve(self, metric: Metric) -> Declared:
        """What this metric of a data message is.

        Raises:
            Unresolved: the birth does not say, or says something else than the message.
        """
        if metric.name is not None:
            found = self.by_name.get(metric.name)
            by_alias = None if metric.alias is None else self.by_alias.get(metric.alias)
            if by_alias is not None and by_alias != found:
                raise Unresolved("name and alias contradict each other")
        else:
            found = None if metric.alias is None else self.by_alias.get(metric.alias)
        if found is None:
            raise Unresolved("metric not in the birth" if metric.name is not None else "unknown alias")
        if metric.datatype is not None and metric.datatype != found.datatype:
            raise Unresolved("datatype differs from the birth")
        return found
