"""Arrays on a shelf are whole or absent, whatever was killed, full or damaged."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kgce.analytics.book import Book
from kgce.domain.errors import StoreUnavailable
from kgce.store.shelf import FolderShelf
from tests.analytics.province import Province
from tests.analytics.test_accounts import monthly
from tests.disks import small_disk

NAME = "ledger/2019/370102@Asia~Shanghai"
ARRAYS = {"month": np.arange(12.0), "keys": np.array(["a", "主表"])}


@pytest.fixture
def shelf(tmp_path: Path) -> FolderShelf:
    return FolderShelf(tmp_path / "shelf")


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "shelf").rglob("*") if path.is_file())


def test_what_was_saved_comes_back_and_what_was_not_is_none(shelf: FolderShelf, tmp_path: Path) -> None:
    assert shelf.load(NAME) is None
    shelf.save(NAME, ARRAYS)
    found = shelf.load(NAME)
    assert sorted(found) == ["keys", "month"]
    np.testing.assert_array_equal(found["month"], ARRAYS["month"])
    assert found["keys"].tolist() == ["a", "主表"]
    assert files(tmp_path) == ["370102%40Asia~Shanghai.npz"]


def test_names_cannot_leave_the_shelf(shelf: FolderShelf, tmp_path: Path) -> None:
    shelf.save("ledger/../../../escape", ARRAYS)
    assert not (tmp_path.parent / "escape.npz").exists()
    assert [path.relative_to(tmp_path / "shelf").parts[0] for path in (tmp_path / "shelf").rglob("*.npz")] == ["ledger"]


def test_an_open_file_is_read_as_it_was_although_it_is_replaced(shelf: FolderShelf) -> None:
    shelf.save(NAME, ARRAYS)
    before = shelf.load(NAME)
    shelf.save(NAME, {"month": np.zeros(12), "keys": ARRAYS["keys"]})
    np.testing.assert_array_equal(before["month"], ARRAYS["month"])
    np.testing.assert_array_equal(shelf.load(NAME)["month"], np.zeros(12))


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.9])
def test_a_torn_file_is_put_aside_and_worked_out_anew(shelf: FolderShelf, tmp_path: Path, kept: float) -> None:
    shelf.save(NAME, ARRAYS)
    (path,) = (tmp_path / "shelf").rglob("*.npz")
    content = path.read_bytes()
    path.write_bytes(content[: kept if kept in {0, 10} else int(len(content) * kept)])
    assert shelf.load(NAME) is None
    assert files(tmp_path) == ["370102%40Asia~Shanghai.damaged"]


def test_a_damaged_array_is_told_and_the_next_try_finds_nothing(shelf: FolderShelf, tmp_path: Path) -> None:
    shelf.save(NAME, {"month": np.random.default_rng(1).random(1000)})
    (path,) = (tmp_path / "shelf").rglob("*.npz")
    content = bytearray(path.read_bytes())
    content[4000] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="put aside: try again"):
        shelf.load(NAME)["month"]
    assert shelf.load(NAME) is None


def test_a_writer_killed_amid_a_save_leaves_the_old_arrays(shelf: FolderShelf, tmp_path: Path) -> None:
    """Killed once the new file is written and before it takes the old one's place."""
    shelf.save(NAME, ARRAYS)
    script = (
        "import os, sys, numpy as np; from pathlib import Path; from kgce.store.shelf import FolderShelf\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        f"FolderShelf(Path(sys.argv[1])).save({NAME!r}, {{'month': np.zeros(12)}})"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path / "shelf")], check=False)
    assert ended.returncode == -9
    np.testing.assert_array_equal(shelf.load(NAME)["month"], ARRAYS["month"])


def test_a_full_disk_keeps_the_old_arrays_and_leaves_no_litter(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        shelf = FolderShelf(disk / "shelf")
        shelf.save(NAME, ARRAYS)
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            shelf.save(NAME, {"month": np.zeros(10_000_000)})
        np.testing.assert_array_equal(shelf.load(NAME)["month"], ARRAYS["month"])
        assert [path.name for path in (disk / "shelf").rglob("*") if path.is_file()] == ["370102%40Asia~Shanghai.npz"]


def test_a_book_whose_ledger_was_damaged_works_it_out_anew(shelf: FolderShelf, tmp_path: Path) -> None:
    at = Province()
    at.institution("a")
    monthly(at, "main", 10, counts=True)
    book = Book(at.store, at.registry, shelf)
    before = book.year(2019).table.amount.tobytes()
    (path,) = (tmp_path / "shelf").rglob("*.npz")
    path.write_bytes(b"nothing")
    assert book.year(2019).table.amount.tobytes() == before
    assert book.bring_up(2019).work.worked_out == 0
