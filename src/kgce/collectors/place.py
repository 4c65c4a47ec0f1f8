"""Where a configured device stands in the tree: fields every driver's configuration shares."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from kgce.domain.tree import Series


def _beside_the_file(name: str, info: ValidationInfo) -> str:
    folder: Path = (info.context or {}).get("folder", Path())
    return str(folder / Path(name).expanduser())


FileName = Annotated[str, AfterValidator(_beside_the_file)]  # a relative one starts where the gateway's file lies


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
