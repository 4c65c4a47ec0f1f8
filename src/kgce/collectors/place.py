"""Where a configured device stands in the tree: fields every driver's configuration shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kgce.domain.tree import Series


class Strict(BaseModel):
    """A configuration table: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Strict):
    """A device's place: institution and device identify, building and region describe."""

    institution: Annotated[str, Field(min_length=1)]
    device: Annotated[str, Field(min_length=1)]
    building: str = ""
    region: str = ""
    counts: bool = True  # False: inside another meter's total already

    def series(self, quantity: str, measurement: str) -> Series:
        """Series of one quantity of this device."""
        return Series(self.institution, self.device, quantity, measurement, self.building, self.region)
