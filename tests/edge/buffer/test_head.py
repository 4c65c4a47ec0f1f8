"""The first page's copy: it brings back what a broken head hides, and taking it costs the gateway no lock."""

import subprocess
import sys

import pytest

from kgce.edge.buffer import head
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import holds
from tests.conftest import ROOT
from tests.edge.fakes import clock, power_batch

PAGE = 4096


@pytest.fixture
def path(tmp_path):
    """A buffer of 50 waiting batches, closed."""
    with Buffer(tmp_path, clock=clock) as buffer:
        for i in range(50):
            buffer.put(power_batch(10 * i, 10))
    return tmp_path / "buffer.sqlite"


def break_head(path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xa5" * PAGE)


def test_with_the_copy_a_broken_first_page_costs_nothing(path) -> None:
    assert path.with_name("buffer.sqlite.head").stat().st_size == PAGE
    break_head(path)
    with Buffer(path.parent, clock=clock) as buffer:
        assert buffer.waiting_rows() == 500
        assert holds(buffer.counters())
    assert not list(path.parent.glob("*.patched*"))


def test_without_the_copy_the_gateway_starts_with_nothing_and_says_so(path) -> None:
    path.with_name("buffer.sqlite.head").unlink()
    break_head(path)
    with Buffer(path.parent, clock=clock) as buffer:
        assert buffer.waiting_rows() == 0
        (repair,) = buffer.status()["repairs"]
        assert "nobody knows how many" in repair["what"]


def test_the_copy_holds_the_page_that_is_in_the_file(path) -> None:
    with Buffer(path.parent, clock=clock):
        pass
    copy = path.with_name("buffer.sqlite.head").read_bytes()
    assert copy[:24] == path.read_bytes()[:24], "magic, page size, versions"
    assert copy[100:] == path.read_bytes()[100:PAGE], "where the tables begin"


def test_a_file_that_nobody_has_open_is_not_copied(tmp_path) -> None:
    (tmp_path / "buffer.sqlite").write_bytes(b"SQLite format 3\0" + b"\0" * PAGE)
    head.save(tmp_path / "buffer.sqlite")
    assert not (tmp_path / "buffer.sqlite.head").exists()


def test_another_process_cannot_open_a_buffer_that_is_in_use(tmp_path) -> None:
    program = (
        "import sys; from pathlib import Path; from kgce.edge.buffer.buffer import Buffer; Buffer(Path(sys.argv[1]))"
    )
    with Buffer(tmp_path, clock=clock) as buffer:
        ended = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert "in use by another gateway" in ended.stderr
        assert buffer.put(power_batch(0, 1)) == 1
