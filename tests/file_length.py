"""Fail when a source file exceeds 300 lines; the exception list may only shrink."""

import sys
from pathlib import Path

LIMIT = 300
EXCEPTIONS: frozenset[str] = frozenset()

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".py", ".sh", ".js", ".css", ".md"}


def main() -> int:
    too_long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for folder in ("src", "tests", "benchmarks", "deploy", "docs")
        for path in sorted((ROOT / folder).rglob("*"))
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        if path.suffix in SUFFIXES and str(path.relative_to(ROOT)) not in EXCEPTIONS
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LIMIT
    ]
    print(*too_long, sep="\n") if too_long else print(f"no file over {LIMIT} lines")
    return bool(too_long)


if __name__ == "__main__":
    sys.exit(main())
