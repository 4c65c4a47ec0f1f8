"""What can never be taken is kept with its reason, in bounded room, and can be tried again."""

import base64
import json

import pytest

from kgce.collectors.ingest.letters import DeadLetters, letters_in
from kgce.collectors.uplink import message
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.store.duckdb.store import DuckDbStore
from tests.cli.kgce_command import kgce
from tests.edge.fakes import power_batch


def test_letters_come_back_as_they_were(tmp_path):
    letters = DeadLetters(tmp_path / "letters", clock=lambda: 1_767_225_600.5)
    letters.put("kgce/v1/g1/batch", "g1", b"\xff\x00 {", "not JSON")
    letters.put("kgce/v1/g2/event", "g2", b"", "not events")
    first, second = letters_in(tmp_path / "letters")
    assert (first.at, first.topic, first.gateway, first.payload) == (
        "2026-01-01T00:00:00.500+00:00", "kgce/v1/g1/batch", "g1", b"\xff\x00 {",
    )  # fmt: skip
    assert second.reason == "not events"


def test_the_room_is_bounded_and_the_newest_stay(tmp_path):
    letters = DeadLetters(tmp_path, file_bytes=2_000, clock=lambda: 0.0)
    for at in range(500):
        letters.put("t", "g", b"x" * 100, f"reason {at}")
    kept = [int(one.reason.split()[1]) for one in letters_in(tmp_path)]
    assert kept == list(range(kept[0], 500))
    assert 50 < len(kept) < 200
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 20_000


def test_a_line_cut_short_hides_no_other(tmp_path):
    DeadLetters(tmp_path, clock=lambda: 0.0).put("t", "g", b"x", "one")
    with (tmp_path / "letters.jsonl").open("ab") as file:
        file.write(b'{"at": "cut')
        file.write(b"\n")
    DeadLetters(tmp_path, clock=lambda: 0.0).put("t", "g", b"x", "two")
    assert [one.reason for one in letters_in(tmp_path)] == ["one", "two"]


def test_a_disk_that_takes_nothing_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        DeadLetters(tmp_path / "file", clock=lambda: 0.0).put("t", "g", b"x", "why")
    with pytest.raises(ConfigError, match="no folder of dead letters"):
        list(letters_in(tmp_path / "nowhere"))


def test_the_command_shows_tries_again_and_throws_away(tmp_path):
    good = message.encode(Message(Number("g1", "b", 1, 1), 5, power_batch(0, 3)))
    letters = DeadLetters(tmp_path / "letters", clock=lambda: 0.0)
    letters.put("kgce/v1/g1/batch", "g1", b"rubbish", "not JSON: at line 1")
    letters.put("kgce/v1/g1/batch", "g1", good, "the store cannot take it: a bug, since mended")

    shown = kgce("letters", "show", "--folder", "letters", cwd=tmp_path)
    assert "rubbish" in shown.out
    assert "1 times: not JSON" in shown.err
    assert len(kgce("letters", "show", "--folder", "letters", "--json", cwd=tmp_path).json) == 2
    tried = kgce("letters", "retry", "--folder", "letters", "--store", "data", "--json", cwd=tmp_path).json
    assert tried == {"taken": 1, "left": 1, "stored": 3}
    with DuckDbStore(tmp_path / "data" / "readings.duckdb") as store:
        assert len(store.series()) == 1
    assert "1 letters thrown away" in kgce("letters", "discard", "--folder", "letters", cwd=tmp_path).err
    assert list(letters_in(tmp_path / "letters")) == []


def test_the_file_is_plain_json_lines(tmp_path):
    DeadLetters(tmp_path, clock=lambda: 0.0).put("t", "g", b"\x01", "why")
    [line] = (tmp_path / "letters.jsonl").read_text().splitlines()
    assert base64.b64decode(json.loads(line)["payload"]) == b"\x01"
