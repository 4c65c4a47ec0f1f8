"""Frames of every mode against vectors other people published and encoders other people wrote."""

import json
from pathlib import Path

import pytest

from kgce.collectors.modbus.exceptions import exception_facts
from kgce.collectors.modbus.frames import (
    crc,
    lrc,
    parse_answer,
    parse_frame,
    parse_request_frame,
    split_frames,
    unwrap,
    wrap,
)
from kgce.collectors.modbus.pdu import FrameError, parse_answer_pdu, parse_request

SHARED = Path(__file__).resolve().parents[4] / "shared" / "facts" / "protocol_vectors.json"


def vectors(protocol: str, *kinds: str) -> list:
    """Vectors of a protocol; none where shared/ is absent (a test below says so loudly)."""
    if not SHARED.exists():
        return []
    found = json.loads(SHARED.read_text(encoding="utf-8"))["vectors"]
    return [
        pytest.param(entry, id=entry["id"])
        for entry in found
        if entry["protocol"] == protocol and (not kinds or entry["kind"] in kinds)
    ]


def bits(found: tuple[bool, ...]) -> str:
    return "".join(str(int(bit)) for bit in found)


def test_the_published_frames_are_there(shared_facts: Path) -> None:
    counts = {name: len(vectors(f"modbus-{name}")) for name in ("pdu", "rtu", "ascii", "tcp")}
    assert counts == {"pdu": 17, "rtu": 18, "ascii": 8, "tcp": 22}


@pytest.mark.parametrize("vector", vectors("modbus-pdu", "exchange"))
def test_a_worked_example_of_the_specification_gives_its_fields(vector: dict) -> None:
    asked = bytes.fromhex(vector["request_hex"])
    request, answer = parse_request(asked), parse_answer_pdu(bytes.fromhex(vector["response_hex"]), asked)
    expected = vector["expect"]
    for name in ("address", "count", "value", "read_address", "read_count", "write_address"):
        if name in expected:
            assert getattr(request, name) == expected[name]
    for name in ("status", "byte_count"):
        if name in expected:
            assert getattr(answer, name) == expected[name]
    if "registers" in expected:
        assert list(answer.registers or request.registers or ()) == expected["registers"]
    if "bits_lsb_first" in expected:
        assert bits(answer.bits or ()) == expected["bits_lsb_first"]
    if "objects" in expected:
        assert {str(number): text for number, text in answer.objects or ()} == expected["objects"]


@pytest.mark.parametrize("vector", vectors("modbus-pdu", "exception"))
def test_an_exception_gives_its_code_and_what_it_means(vector: dict) -> None:
    answer = parse_answer_pdu(bytes.fromhex(vector["response_hex"]), bytes.fromhex(vector["request_hex"]))
    expected = vector["expect"]
    facts = exception_facts(answer.exception_code or 0)
    assert (answer.function, facts.code) == (expected["function"], expected["exception_code"])
    assert expected["name"].startswith(facts.name)
    assert (facts.retryable, facts.register_unsupported) == (expected["retryable"], expected["register_unsupported"])


@pytest.mark.parametrize(
    "vector", vectors("modbus-rtu", "request", "response", "exception", "invalid") + vectors("modbus-ascii", "frame")
)
def test_a_published_serial_frame_is_read_or_refused_as_published(vector: dict) -> None:
    mode = vector["protocol"].removeprefix("modbus-")
    frame = vector["text"].encode() if mode == "ascii" else bytes.fromhex(vector["hex"])
    expected = vector["expect"]
    if not expected["valid"]:
        with pytest.raises(FrameError, match=r"[CL]RC is"):
            parse_frame(mode, frame)
        return
    request = bytes.fromhex(vector["request_hex"]) if "request_hex" in vector else None
    found = parse_answer(mode, frame, request) if request else parse_frame(mode, frame)
    for name in ("function", "address", "count", "exception_code"):
        if name in expected:
            assert getattr(found.pdu, name) == expected[name]
    assert found.unit == expected["unit"]
    if "registers" in expected:
        assert list(found.pdu.registers or ()) == expected["registers"]


@pytest.mark.parametrize("vector", vectors("modbus-tcp", "exchange"))
def test_a_published_tcp_answer_gives_its_fields(vector: dict) -> None:
    frame, expected = bytes.fromhex(vector["response_hex"]), vector["expect"]
    if "quirk" in vector:  # longer than asked for: read alone it is whole, as an answer it is none
        with pytest.raises(FrameError, match="4 bytes answer a request for 1, which takes 2"):
            parse_answer("tcp", frame, bytes.fromhex(vector["request_hex"]))
        found = parse_answer("tcp", frame)
    else:
        request = bytes.fromhex(vector["request_hex"]) if "request_hex" in vector else None
        found = parse_answer("tcp", frame, request)
    assert found.tid == expected["tid"]
    for name in ("unit",):
        if name in expected:
            assert found.unit == expected[name]
    for name in ("exception_code", "byte_count"):
        if name in expected:
            assert getattr(found.pdu, name) == expected[name]
    if "registers" in expected:
        assert list(found.pdu.registers or ()) == expected["registers"]
    if "values" in expected:
        written = parse_request_frame("tcp", bytes.fromhex(vector["request_hex"])).pdu
        assert list(written.registers or ()) == expected["values"]


@pytest.mark.hazard(1, 2)
@pytest.mark.parametrize("vector", vectors("modbus-tcp", "invalid"))
def test_an_answer_one_behind_is_refused(vector: dict) -> None:
    with pytest.raises(FrameError, match="a late reply"):
        parse_answer("tcp", bytes.fromhex(vector["response_hex"]), bytes.fromhex(vector["request_hex"]))


@pytest.mark.hazard(5)
@pytest.mark.parametrize("vector", vectors("modbus-tcp", "stream"))
def test_a_published_stream_is_cut_by_its_headers(vector: dict) -> None:
    data = bytes.fromhex(vector["hex"] if "hex" in vector else "".join(vector["chunks_hex"]))
    cut = split_frames("tcp", data)
    assert (len(cut.frames), cut.rest, cut.fault) == (vector["expect"]["frames"], b"", "")


@pytest.mark.hazard(6)
@pytest.mark.parametrize("vector", vectors("modbus-rtu", "checksum") + vectors("modbus-ascii", "checksum"))
def test_a_published_checksum_comes_out(vector: dict) -> None:
    data, expected = bytes.fromhex(vector["data_hex"]), vector["expect"]
    if "lrc" in expected:
        assert lrc(data) == expected["lrc"]
    else:
        assert crc(data).hex() == expected["crc_wire_hex"]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param("0001000000060103000000", "announces 12 bytes, 11 are there", id="cut short"),
        pytest.param("000100010005010302000a", "protocol number 0001", id="another protocol"),
        pytest.param("00010000000001030200", "a length of 0 bytes", id="no length"),
        pytest.param("0001000000ff010302000a", "a length of 255 bytes", id="longer than any frame"),
        pytest.param("000100000004010302000a", "announces 10 bytes, 11 are there", id="one byte too many"),
        pytest.param("000100000005010304000a", "byte count says 4 bytes, 2 are there", id="byte count"),
        pytest.param("00010000000401030100", "no whole registers", id="half a register"),
        pytest.param("0001000000020141", "function 0x41", id="unknown function"),
        pytest.param("000100000004018302ff", "exception answer of 3 bytes", id="long exception"),
    ],
)
def test_a_malformed_tcp_answer_says_what_is_wrong(frame: str, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        parse_answer("tcp", bytes.fromhex(frame))


@pytest.mark.parametrize(
    ("request_hex", "answer_hex", "reason"),
    [
        pytest.param("0300000002", "0402000a", "function 4 answers a request for function 3", id="another function"),
        pytest.param("0300000002", "0302000a", "2 bytes answer a request for 2, which takes 4", id="too short"),
        pytest.param("0600010003", "0600010004", "value 4 answers a request with value 3", id="another value"),
        pytest.param("0600010003", "0600020003", "address 2", id="another address"),
        pytest.param("100001000204000A0102", "1000010001", "count 1", id="written less"),
        pytest.param("030000007e", "0302000a", "a count of 126", id="more than any request may ask for"),
    ],
)
def test_an_answer_to_something_else_is_refused(request_hex: str, answer_hex: str, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        parse_answer_pdu(bytes.fromhex(answer_hex), bytes.fromhex(request_hex))


def test_an_enron_answer_has_two_registers_for_each_number() -> None:
    """devices.md 1.3, Plum MacBAT 5: count 1 brings the four bytes of one float; 230.2 is 43 66 33 33."""
    asked = wrap("rtu", bytes.fromhex("031b5b0001"))
    answer = wrap("rtu", bytes.fromhex("030443663333"))
    assert parse_answer("rtu", answer, asked, words=2).pdu.registers == (0x4366, 0x3333)
    with pytest.raises(FrameError, match="4 bytes answer a request for 1"):
        parse_answer("rtu", answer, asked)


def test_frames_behind_noise_and_between_other_frames_are_found() -> None:
    one, two = wrap("rtu", bytes.fromhex("0304008d008e"), unit=17), wrap("rtu", bytes.fromhex("8302"), unit=9)
    asked = wrap("rtu", bytes.fromhex("03007c0002"), unit=17)
    cut = split_frames("rtu", b"\x00\xff" + asked + one + b"\x11" + two + one[:4], is_all=True)
    assert cut.frames == (asked, one, two)
    assert cut.rest == one[:4]
    line = wrap("ascii", bytes.fromhex("0304008d008e"), unit=17)
    cut = split_frames("ascii", b"noise:11" + line + b"\r\n" + line + line[:6])
    assert (cut.frames, cut.rest) == ((line, line), line[:6])


@pytest.mark.hazard(5)
def test_a_frame_spelt_by_the_registers_of_another_is_not_cut_out_of_its_half() -> None:
    """Registers 0x0010 0x0018 0x000b 0x0018 are a checked answer of unit 0 to function 16."""
    whole = wrap("rtu", bytes.fromhex("030a000000100018000b0018"))
    assert parse_answer("rtu", whole[5:13]).pdu.function == 16
    cut = split_frames("rtu", whole[:13])
    assert (cut.frames, cut.rest) == ((), whole[:13])
    assert split_frames("rtu", cut.rest + whole[13:]).frames == (whole,)


def test_a_tcp_stream_out_of_step_keeps_what_came_before() -> None:
    good = wrap("tcp", bytes.fromhex("0302000a"), tid=5)
    cut = split_frames("tcp", good + good[1:])
    assert (cut.frames, cut.rest) == ((good,), good[1:])
    assert cut.fault == "a length of 1281 bytes, which no frame has"


@pytest.mark.parametrize("mode", ["tcp", "rtu", "rtu-over-tcp", "ascii", "pdu"])
def test_what_is_wrapped_is_unwrapped(mode: str) -> None:
    pdu = bytes.fromhex("0304008d008e")
    found = unwrap(mode, wrap(mode, pdu, unit=17, tid=0x0C05))
    assert found.pdu == pdu
    assert found.unit in {17, None}


@pytest.mark.parametrize(
    ("request_hex", "answer_hex"),
    [
        pytest.param("080000a537", "080000a537", id="diagnostics, 6.8"),
        pytest.param("16000400f20025", "16000400f20025", id="masked writing, 6.16"),
        pytest.param("11", "110201ff", id="server id, 6.13"),
        pytest.param("0f0013000a02cd01", "0f0013000a", id="coils, 6.11"),
        pytest.param("0500acff00", "0500acff00", id="one coil, 6.5"),
    ],
)
def test_functions_that_are_never_used_are_still_known_on_a_shared_line(request_hex: str, answer_hex: str) -> None:
    """Another master's frames: Modbus Application Protocol V1.1b3, section 6."""
    asked, answered = bytes.fromhex(request_hex), bytes.fromhex(answer_hex)
    assert parse_answer_pdu(answered, asked).function == asked[0]
    frames = [wrap("rtu", asked, unit=9), wrap("rtu", answered, unit=9)]
    assert split_frames("rtu", b"".join(frames)).frames == tuple(frames)
