"""Fixture: write lines to a file, read it back."""

from pathlib import Path
from typing import Any

import pytest

from kgce.collectors.files.readings import ReadingsFile
from tests.collectors.files.reading_files import HEADER, Read, read_path


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write lines below a header, read them at a fixed time."""

    def write_and_read(*lines: str, header: str = HEADER, **options: Any) -> ReadingsFile:
        path = tmp_path / "readings.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return read_path(path, **options)

    return write_and_read
