"""The table `[checks]`: what this site knows better than physics.

[checks]
rated_kw = {main = 63, boiler = 120}      # what the supply behind a device can carry
max_flow_m3h = {water-main = 5}
limits.voltage = [190, 260]               # by quantity or field: lowest and highest value that can be true
max_per_hour.water_volume = 4             # by quantity, field or device.field: what a counter can gain
max_step.supply_temperature = 20          # by quantity or field: the largest step from one reading to the next
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, field_validator

from kgce.domain.errors import InputError
from kgce.domain.events import RecordEvent
from kgce.domain.quantities import quantity_of
from kgce.edge.checks.checks import Checks
from kgce.edge.checks.limits import Limit
from kgce.edge.checks.rated import Rated
from kgce.edge.tables import Table

_Positive = Annotated[float, Field(gt=0)]


class ChecksTable(Table):
    """Limits of the checks; see the table in checks.py."""

    future_limit_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    behind_limit_s: Annotated[float, Field(ge=60, le=31_536_000)] = 900.0
    confirm_readings: Annotated[int, Field(ge=1, le=1000)] = 3
    rated_kw: dict[str, _Positive] = Field(default_factory=dict)
    max_flow_m3h: dict[str, _Positive] = Field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)
    max_per_hour: dict[str, _Positive] = Field(default_factory=dict)
    max_step: dict[str, _Positive] = Field(default_factory=dict)

    @field_validator("limits")
    @classmethod
    def _are_limits(cls, limits: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in limits.items():
            _is_quantity(name)
            if not low < high:
                raise ValueError(f"{name}: the lower bound {low} is not below the upper bound {high}")
        return limits

    @field_validator("max_step")
    @classmethod
    def _are_steps(cls, steps: dict[str, float]) -> dict[str, float]:
        for name in steps:
            _is_quantity(name)
        return steps

    def make(
        self,
        *,
        clock: Callable[[], float],
        is_clock_sure: Callable[[], bool] | None = None,
        record: RecordEvent = lambda _event: None,
    ) -> Checks:
        """Fresh checks with these limits."""
        return Checks(
            clock=clock,
            is_clock_sure=is_clock_sure,
            record=record,
            future_limit_s=self.future_limit_s,
            behind_limit_s=self.behind_limit_s,
            confirm_readings=self.confirm_readings,
            limits={name: Limit(low, high) for name, (low, high) in self.limits.items()},
            rates=self.max_per_hour,
            steps=self.max_step,
            rated=Rated(self.rated_kw, self.max_flow_m3h),
        )


def _is_quantity(name: str) -> None:
    try:
        quantity_of(name)
    except InputError as error:
        raise ValueError(str(error)) from error
