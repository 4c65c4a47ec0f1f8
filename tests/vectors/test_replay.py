"""The replay script on the published vectors, on files it has never seen, and on wrong ones."""

import json
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from pymodbus.framer import FramerAscii, FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

SCRIPT = Path(__file__).with_name("replay.py")


def replay(file: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """(exit code, lines) of the script as a user runs it."""
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(file), *options], capture_output=True, text=True, check=False
    )
    assert not ended.stderr or ended.returncode == 2, ended.stderr
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


def written(folder: Path, vectors: list[dict[str, Any]]) -> Path:
    file = folder / "vectors.json"
    file.write_text(json.dumps({"vectors": vectors}))
    return file


def test_every_published_vector_replays_right_or_is_argued(shared_facts: Path) -> None:
    code, lines = replay(shared_facts / "protocol_vectors.json")
    assert code == 0
    assert len(lines) == 245
    assert lines[-1]["vectors"] == 244
    assert lines[-1]["wrong"] == 0
    assert lines[-1]["argued"] <= 5
    assert {"id", "protocol", "ok", "got", "expected"} <= lines[0].keys()


def test_the_same_vectors_pass_without_a_register_list_beside_them(shared_facts: Path, tmp_path: Path) -> None:
    """Then the shipped profiles read the images."""
    file = tmp_path / "elsewhere.json"
    file.write_bytes((shared_facts / "protocol_vectors.json").read_bytes())
    assert replay(file, "--protocol", "device-image")[1][-1] == {"vectors": 9, "ok": 9, "argued": 0, "wrong": 0}


def test_vectors_nobody_has_seen_replay_by_their_shape(tmp_path: Path) -> None:
    """Frames built by pymodbus, values packed by struct: ids, units, addresses and numbers are drawn."""
    luck = random.Random(645)
    vectors = [vector for number in range(60) for vector in drawn(number, luck)]
    code, lines = replay(written(tmp_path, vectors))
    assert [line for line in lines[:-1] if not line["ok"]] == []
    assert (code, lines[-1]["ok"]) == (0, len(vectors))


def drawn(number: int, luck: random.Random) -> list[dict[str, Any]]:
    unit, tid, address = luck.randrange(1, 248), luck.randrange(1, 65536), luck.randrange(65000)
    registers = [luck.randrange(65536) for _ in range(luck.randrange(2, 9))]
    request = ReadHoldingRegistersRequest(address=address, count=len(registers), dev_id=unit, transaction_id=tid)
    answer = ReadHoldingRegistersResponse(registers=registers, dev_id=unit, transaction_id=tid)
    decode = DecodePDU(is_server=False)
    rtu, text = FramerRTU(decode).buildFrame(answer), FramerAscii(decode).buildFrame(answer).decode()
    asked = struct.pack(">HHHBBHH", tid, 0, 6, unit, 3, address, len(registers))
    told = struct.pack(">HHHBBB", tid, 0, 3 + 2 * len(registers), unit, 3, 2 * len(registers))
    told += struct.pack(f">{len(registers)}H", *registers)
    value = luck.uniform(-1e6, 1e6)
    packed = struct.pack(">d", value)
    said = {"valid": True, "unit": unit, "function": 3, "registers": registers}
    damaged = bytearray(rtu)
    damaged[luck.randrange(len(rtu))] ^= 1 << luck.randrange(8)
    dlt = luck.randrange(10**8)
    return [
        {"id": f"a{number}", "protocol": "modbus-rtu", "kind": "response", "hex": rtu.hex(), "expect": said},
        {"id": f"b{number}", "protocol": "modbus-ascii", "kind": "frame", "text": text, "expect": said},
        {
            "id": f"c{number}", "protocol": "modbus-tcp", "kind": "exchange", "request_hex": asked.hex(),
            "response_hex": told.hex(), "expect": {"valid": True, "tid": tid, "unit": unit, "registers": registers},
        },
        {
            "id": f"d{number}", "protocol": "modbus-rtu", "kind": "invalid", "hex": damaged.hex(),
            "expect": {"valid": False, "action": "discard frame, keep waiting until timeout"},
        },
        {
            "id": f"e{number}", "protocol": "modbus-rtu", "kind": "request",
            "hex": FramerRTU(decode).buildFrame(request).hex(),
            "expect": {"valid": True, "unit": unit, "function": 3, "address": address, "count": len(registers)},
        },
        {
            "id": f"f{number}", "protocol": "register-decode", "kind": "decode", "type": "float64",
            "byte_order": "GHEFCDAB", "hex": b"".join(packed[at : at + 2] for at in (6, 4, 2, 0)).hex(),
            "expect": {"value": value},
        },
        {
            "id": f"g{number}", "protocol": "dlt645-2007", "kind": "response", "hex": dlt_answer(number, dlt),
            "expect": {
                "valid": True, "address": f"{number:012d}", "control": "91", "di": "00010000", "scale": 0.01,
                "value": dlt / 100, "unit": "kWh",
            },
        },
    ]  # fmt: skip


def dlt_answer(address: int, value: int) -> str:
    """DL/T 645-2007 by its definition: BCD low first, data + 33, sum."""
    plain = bytes.fromhex("00000100") + bytes.fromhex(f"{value:08d}")[::-1]
    frame = b"\x68" + bytes.fromhex(f"{address:012d}")[::-1] + bytes([0x68, 0x91, len(plain)])
    frame += bytes((byte + 0x33) & 0xFF for byte in plain)
    return (frame + bytes([sum(frame) & 0xFF, 0x16])).hex()


def test_a_wrong_expectation_and_an_unknown_protocol_are_told(shared_facts: Path, tmp_path: Path) -> None:
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    one = next(vector for vector in vectors if vector["id"] == "dec-pm-08")
    wrong = one | {"id": "other", "expect": {"value": 3.0}}
    code, lines = replay(written(tmp_path, [one, wrong, {"id": "x", "protocol": "bacnet", "kind": "frame"}]))
    assert code == 1
    assert [line["ok"] for line in lines[:-1]] == [True, False, False]
    assert lines[-1] == {"vectors": 3, "ok": 1, "argued": 0, "wrong": 2}
    assert "bacnet" in lines[2]["differs"][0]


def test_every_expectation_counts(shared_facts: Path, tmp_path: Path) -> None:
    """A replay that compares nothing would pass everything: each number expected is changed once, and must fail."""
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    spoilt = [changed for vector in vectors if (changed := spoil(vector)) is not None]
    assert len(spoilt) > 180
    _, lines = replay(written(tmp_path, spoilt), "--registers", str(shared_facts / "registers.csv"))
    assert [line["id"] for line in lines[:-1] if line["ok"]] == []


def spoil(vector: dict[str, Any]) -> dict[str, Any] | None:
    """The vector with one expected number changed; None where it expects none."""
    copy = json.loads(json.dumps(vector))
    todo: list[Any] = [copy["expect"]]
    while todo:
        place = todo.pop(0)
        entries = place.items() if isinstance(place, dict) else enumerate(place)
        for key, value in entries:
            places = {"fc", "address", "channel", "reg"} if place is not copy["expect"] else set()
            if key not in {"tolerance_rel", "scale", *places} and type(value) in {int, float}:
                place[key] = value * 2 + 1
                return copy
            if isinstance(value, dict | list):
                todo.append(value)
    return None


def test_a_file_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "vectors.json"
    for text in ("{", '{"vectors": 5}', "[1, 2]"):
        file.write_text(text)
        assert replay(file)[0] == 2
    assert replay(tmp_path / "nowhere.json")[0] == 2
