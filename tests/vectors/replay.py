"""Replays a file of protocol vectors: one JSON line per vector, then the count.

    python tests/vectors/replay.py FILE [--protocol NAME] [--failed] [--registers LIST.csv]

FILE is shaped like protocol_vectors.json: {"vectors": [{id, protocol, kind, ..., expect}]}. Each line is
{id, protocol, ok, got, expected}; a vector that is believed wrong has also `argued`, from argued.toml beside this file.
Register images are read by profiles made of LIST.csv, by default the registers.csv beside FILE, else by shipped ones.
Exit code 0 when every vector is right or argued, 1 otherwise, 2 when the file cannot be used.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.vectors.answers import ANSWERS, images
from tests.vectors.compare import differences

ARGUED: Final = Path(__file__).with_name("argued.toml")
Vector = Mapping[str, Any]


def replay(vectors: Iterable[Vector], argued: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """One result per vector, in order; an answer that raises is a wrong answer."""
    for vector in vectors:
        identity, protocol = str(vector.get("id", "?")), str(vector.get("protocol", "?"))
        expected = vector.get("expect", {})
        got, why = _answer(vector, protocol)
        why = why or differences(expected, got)
        result = {"id": identity, "protocol": protocol, "ok": not why, "got": got, "expected": expected}
        if why:
            result["differs"] = why
        if why and identity in argued:
            result["argued"] = argued[identity]
        yield result


def _answer(vector: Vector, protocol: str) -> tuple[dict[str, Any], list[str]]:
    answer = ANSWERS.get(protocol)
    if answer is None:
        return {}, [f"no decoder for protocol {protocol!r}; known: {', '.join(sorted(ANSWERS))}"]
    try:
        return answer(vector), []
    except Exception as error:  # noqa: BLE001 - whatever is raised here is a finding about the decoder
        return {"error": f"{type(error).__name__}: {error}"}, [f"raised {type(error).__name__}: {error}"]


def load(path: Path) -> list[Vector]:
    """The vectors of a file.

    Raises:
        ValueError: it is not JSON, or holds no list of vectors.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    found = document.get("vectors") if isinstance(document, dict) else document
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError('expected {"vectors": [...]}, or a list of vectors')
    return found


def arguments() -> dict[str, str]:
    """Vectors believed wrong: why, with its source, by id."""
    return {
        one["id"]: f"{one['argument']} [{one['source']}]" for one in tomllib.loads(ARGUED.read_text()).get("vector", [])
    }


def main() -> int:
    """Print the results."""
    parser = argparse.ArgumentParser(description="Replay protocol vectors against kgce's decoders.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--protocol", help="only this protocol")
    parser.add_argument("--failed", action="store_true", help="print only what is not right")
    parser.add_argument("--registers", type=Path, help="register list (CSV) that describes the devices of images")
    options = parser.parse_args()
    beside = options.registers or options.file.with_name("registers.csv")
    images.LISTS[:] = [beside] if beside.exists() else []
    try:
        vectors = load(options.file)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"replay: {options.file}: {error}\n")
        return 2
    wanted = [one for one in vectors if options.protocol in {None, one.get("protocol")}]
    results = list(replay(wanted, arguments()))
    for result in results:
        if not (options.failed and result["ok"]):
            print(json.dumps(result, ensure_ascii=False, default=str))
    right = sum(result["ok"] for result in results)
    argued = sum("argued" in result for result in results)
    print(json.dumps({"vectors": len(results), "ok": right, "argued": argued, "wrong": len(results) - right - argued}))
    return 0 if right + argued == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
