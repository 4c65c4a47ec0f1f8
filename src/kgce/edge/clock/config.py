"""The table `[clock]`: when the machine's clock is doubted, and for how long readings wait for the right time."""

from typing import Annotated, Literal

from pydantic import Field

from kgce.edge.tables import Table


class ClockTable(Table):
    """When the machine's clock is believed."""

    jump_limit_s: Annotated[float, Field(ge=1, le=3600)] = 30.0  # a larger leap within a second is no correction
    max_hold_h: Annotated[float, Field(ge=0, le=24 * 30)] = 24.0  # then readings go up as they are, marked
    trust: Literal["auto", "kernel"] = "auto"  # "kernel": at the start too, only once it says it is synchronised
