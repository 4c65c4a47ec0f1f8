"""Runs the real kgce command, and kills its own process (SIGKILL) at the n-th call of one function.

The other threads get a moment first: what they had promised to others by then, they have promised.

python -m tests.faults.crashing MODULE:CLASS.METHOD before|after N kgce-arguments ...
"""

import importlib
import os
import signal
import sys
import time
from typing import Any

LAST_WORDS_S = 0.2


def arm(point: str, when: str, count: int) -> None:
    module_name, _, path = point.partition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, name = path.split(".")
    for step in outer:
        owner = getattr(owner, step)
    original = getattr(owner, name)
    calls = 0

    def die() -> None:
        time.sleep(LAST_WORDS_S)
        os.kill(os.getpid(), signal.SIGKILL)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count and when == "before":
            die()
        result = original(*args, **kwargs)
        if calls == count:
            die()
        return result

    setattr(owner, name, deadly)


if __name__ == "__main__":
    arm(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    sys.argv = ["kgce", *sys.argv[4:]]
    from kgce.cli.main import run

    run()
