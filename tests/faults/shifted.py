"""Runs the real kgce command on a machine whose wall clock somebody sets: FILE holds the seconds it is off.

python -m tests.faults.shifted FILE kgce-arguments ...
"""

import sys
import time
from pathlib import Path

_TRUE = time.time


def shift(file: Path) -> None:
    def shifted() -> float:
        text = file.read_text()
        return _TRUE() + float(text) if text else _TRUE()

    time.time = shifted


if __name__ == "__main__":
    shift(Path(sys.argv[1]))
    sys.argv = ["kgce", *sys.argv[2:]]
    from kgce.cli.main import run

    run()
