"""Shows that the fault tests can fail: takes away one protection after the other, and runs the test that guards it.

python -m tests.faults.mutants [words of a name]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

FILE = Path(__file__).with_name("mutations.toml")
COPIED = ("src", "tests", "pyproject.toml", "deploy", "benchmarks")
TIMEOUT_S = 300


@dataclass(frozen=True)
class Edit:
    """One text in a file, and what stands there without the protection."""

    file: str
    before: str
    after: str

    def places(self, root: Path) -> int:
        return (root / self.file).read_text().count(self.before)

    def apply(self, root: Path) -> None:
        path = root / self.file
        path.write_text(path.read_text().replace(self.before, self.after))


@dataclass(frozen=True)
class Mutation:
    """A protection, the test that guards it, and how to take it away."""

    name: str
    test: str
    edits: tuple[Edit, ...]


def mutations() -> list[Mutation]:
    found = tomllib.loads(FILE.read_text())["mutation"]
    return [Mutation(one["name"], one["test"], tuple(Edit(**edit) for edit in one["edit"])) for one in found]


def kills(one: Mutation) -> tuple[bool, str]:
    """Whether the test fails without the protection, and its last assertion."""
    with tempfile.TemporaryDirectory(prefix="kgce-mutant-") as folder:
        root = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, root / name, **({"ignore": _needless} if copy is shutil.copytree else {}))
        for edit in one.edits:
            edit.apply(root)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", f"tests/faults/{one.test}"]
        surroundings = {**os.environ, "PYTHONPATH": str(root / "src"), "CI": "true"}
        ended = subprocess.run(
            command, cwd=root, env=surroundings, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    if "1 passed" not in ended.stdout and "1 failed" not in ended.stdout:
        raise RuntimeError(f"the test did not run: {ended.stdout[-800:]}{ended.stderr[-400:]}")
    why = [line.removeprefix("E ").strip() for line in ended.stdout.splitlines() if line.startswith("E ")]
    return ended.returncode == 1, why[0] if why else ""


def _needless(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in {"__pycache__", "node_modules"} or name.startswith(".venv")}


def main(words: str) -> int:
    survivors = 0
    for one in mutations():
        if words not in one.name:
            continue
        began = time.monotonic()
        killed, why = kills(one)
        survivors += not killed
        verdict = "fails" if killed else "PASSES, the protection is not guarded"
        print(
            f"{one.name}\n    {one.test}\n    without it: {verdict} ({time.monotonic() - began:.0f} s) {why}",
            flush=True,
        )
    return survivors


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
