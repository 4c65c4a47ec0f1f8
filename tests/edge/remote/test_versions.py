"""Which version a gateway starts with, whatever happened before."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from kgce.domain.errors import ConfigError, InputError
from kgce.edge.config import load_config
from kgce.edge.remote.files import write_whole
from kgce.edge.remote.record import Record, Refused, decode
from kgce.edge.remote.versions import Start, Versions, start_version
from tests.edge.fakes import NOW_MS, clock
from tests.edge.remote.station import toml


class Disk:
    """A gateway's folder as it lies there before a start."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gateway.toml"
        self.file.write_text(toml())
        self.versions = Versions(folder / "buffer", self.file)
        self.start()

    def start(self) -> Start:
        return start_version(self.file, load_config(self.file), clock=clock)

    def runs(self, version: int, **other) -> None:
        """On record as running, and on disk."""
        self.versions.keep(version, toml(version))
        digest = self.versions.local_digest()
        record = Record(running=version, highest=version, local_digest=digest, since_ms=1)
        self.versions.save(replace(record, **other))

    @property
    def record(self) -> Record:
        return self.versions.load()


@pytest.fixture
def disk(tmp_path) -> Disk:
    return Disk(tmp_path)


def limit(start: Start) -> float:
    return start.config.checks.future_limit_s


def test_the_first_start_is_with_the_local_file(disk) -> None:
    start = disk.start()
    assert (start.version, start.path, limit(start)) == (0, disk.file, 300.0)
    assert disk.record == Record(since_ms=NOW_MS, local_digest=disk.versions.local_digest())


def test_a_proven_version_runs_again_with_paths_beside_the_local_file(disk) -> None:
    disk.runs(7)
    start = disk.start()
    assert (start.version, limit(start)) == (7, 7.0)
    assert start.path.name == "v000007.toml"
    assert start.config.gateway.folder == disk.file.parent / "buffer"
    assert disk.record.since_ms == 1, "it runs since it was taken, not since the restart"


def test_a_version_whose_trial_did_not_end_is_left_for_the_one_before(disk) -> None:
    disk.versions.keep(6, toml(6))
    disk.runs(7, previous=6, on_trial=True, highest_digest="ab")
    start = disk.start()
    assert (start.version, limit(start)) == (6, 6.0)
    reason = "the gateway ended during the trial of version 7"
    assert disk.record.refused == Refused(reason, NOW_MS, 7, "ab")
    assert (disk.record.highest, disk.record.on_trial, disk.record.untold) == (7, False, "rolled back")
    assert disk.start().version == 6


def test_a_local_file_changed_since_wins(disk) -> None:
    disk.runs(7)
    disk.file.write_text(toml(60))
    start = disk.start()
    assert (start.version, limit(start)) == (0, 60.0)
    assert (disk.record.previous, disk.record.highest, disk.record.untold) == (7, 7, "local")


def test_what_the_operator_wants_is_taken_once(disk) -> None:
    disk.versions.keep(6, toml(6))
    disk.runs(7)
    disk.versions.want(6)
    assert disk.start().version == 6
    assert disk.versions.wanted() is None
    assert (disk.record.previous, disk.record.highest) == (7, 7)
    disk.versions.want(0)
    assert disk.start().version == 0
    assert disk.start().version == 0


def test_only_what_is_kept_can_be_wanted(disk) -> None:
    disk.runs(7)
    with pytest.raises(InputError, match="version 5 is not kept here; there are 0, 7"):
        disk.versions.want(5)
    (disk.versions.folder / "wanted").write_text("5\n")
    assert disk.start().version == 7
    (disk.versions.folder / "wanted").write_text("seven")
    assert disk.start().version == 7


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("damaged [", "not TOML"),
        (toml().replace("hall-1", "hall-2"), "was made for another gateway.id than the local file has"),
        (toml().replace('"buffer"', '"elsewhere"'), "another gateway.folder"),
    ],
)
def test_a_version_that_cannot_run_any_more_is_left_for_the_local_file(disk, text, reason) -> None:
    disk.runs(7)
    disk.versions.path(7).write_text(text)
    start = disk.start()
    assert (start.version, limit(start)) == (0, 300.0)
    assert reason in disk.record.refused.reason
    assert disk.start().version == 0


def test_a_version_that_is_gone_is_left_for_the_local_file(disk) -> None:
    disk.runs(7)
    disk.versions.path(7).unlink()
    assert disk.start().version == 0


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"running": 7}', None])
def test_without_a_record_the_local_file_runs_and_no_old_version_comes_back(disk, damage) -> None:
    disk.versions.keep(6, toml(6))
    disk.runs(7)
    record = disk.versions.folder / "current.json"
    record.unlink() if damage is None else record.write_bytes(damage)
    assert disk.start().version == 0
    assert disk.record.highest == 7


def test_a_record_is_read_back_as_it_was() -> None:
    record = Record(running=3, previous=2, on_trial=True, refused=Refused("why", 5, None, "d"), untold="local")
    assert decode(record.encode()) == record
    assert decode(Record().encode()) == Record()


def test_the_newest_ten_are_kept_and_what_may_have_to_run(disk) -> None:
    for version in range(1, 21):
        disk.versions.keep(version, toml(version))
    disk.versions.forget_old(Record(running=3, previous=1))
    assert disk.versions.kept() == [1, 3, *range(11, 21)]


def test_versions_are_for_the_gateway_alone(disk) -> None:
    disk.runs(7)
    assert stat.S_IMODE(disk.versions.folder.stat().st_mode) == 0o700
    for path in disk.versions.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_disk_that_takes_nothing_does_not_keep_the_gateway_from_starting(disk, monkeypatch) -> None:
    disk.runs(7, previous=0, on_trial=True)

    def full(_descriptor) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert disk.start().version == 0
    monkeypatch.undo()
    assert disk.record.on_trial, "the next start decides the same again"
    assert disk.start().version == 0


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(_descriptor) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    write_whole(path, b"newest")
    assert path.read_bytes() == b"newest"


def test_deeply_nested_brackets_are_a_mistake_not_a_crash(disk) -> None:
    with pytest.raises(ConfigError, match="not TOML"):
        disk.versions.parse("a = " + "[" * 100_000, origin="version 1")
