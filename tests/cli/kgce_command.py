"""Runs the real command in a process of its own, as a user does."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "kgce")


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def kgce(*arguments: object, cwd: Path, timeout_s: float = 100, **env: str) -> Answer:
    """Run `kgce ARGUMENTS` in a folder and wait for it."""
    command = [*COMMAND, *map(str, arguments)]
    surroundings = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **env}
    ended = subprocess.run(
        command, cwd=cwd, env=surroundings, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)
