"""Known data sets: one small adapter each, from published files to institutions, readings and findings."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from kgce.collectors.datasets import benchmark_annual, cambridge, ev_sessions, heating, lancaster, school_water, ucsd
from kgce.collectors.datasets.dataset import Dataset
from kgce.collectors.files.table import Progress
from kgce.domain.errors import ConfigError

DATASETS: Final[dict[str, Callable[[Path, Progress], Dataset]]] = {
    "cambridge": cambridge.load,
    "benchmark-annual": benchmark_annual.load,
    "school-water": school_water.load,
    "heating-hot-water": heating.load,
    "ev-sessions": ev_sessions.load,
    "lancaster": lancaster.load,
    "ucsd": ucsd.load,
}


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def load(name: str, folder: Path, progress: Progress = _silent) -> Dataset:
    """One known data set from the folder of measured data.

    Raises:
        ConfigError: no such data set, or its files are not in the folder.
        InputError: a file is damaged.
    """
    adapter = DATASETS.get(name)
    if adapter is None:
        raise ConfigError(f"unknown data set {name!r}; known: {', '.join(DATASETS)}")
    return adapter(folder, progress)


__all__ = ["DATASETS", "Dataset", "load"]
