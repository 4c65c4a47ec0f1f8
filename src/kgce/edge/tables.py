"""What every table of the gateway's file has in common."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path.expanduser()


def _variable_is_set(name: str) -> str:
    if name and not os.environ.get(name):
        raise ValueError(f"environment variable {name} is not set; export it, or leave this key out")
    return name


FolderPath = Annotated[Path, AfterValidator(_beside_the_file)]  # a relative path starts where the file lies
VariableName = Annotated[str, AfterValidator(_variable_is_set)]


class Table(BaseModel):
    """One table: unknown keys are mistakes, and nobody changes it while the gateway runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
