"""`kgce edge buffer`: what a technician sees and does beside a stopped gateway, and beside a running one."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.local.run_file import running
from kgce.store.open import open_store
from tests.cli.kgce_command import kgce

METER = Series("hall", "main", "active_energy_import", measurement="electricity")
POWER = Series("hall", "main", "active_power_total", measurement="electricity")
T0_MS = 1_767_225_600_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A stopped gateway whose buffer holds 20 batches of two readings and one dead letter."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[gateway]\nid = "cellar"\nfolder = "gw"\n[local]\nlisten = "127.0.0.1:0"\n'
        '[sink]\nkind = "influxdb"\nurl = "http://127.0.0.1:9"\ndatabase = "x"\n'
    )
    (tmp_path / "gw").mkdir()
    with Buffer(tmp_path / "gw") as buffer:
        for minute in range(21):
            at_ms = T0_MS + 60_000 * minute
            buffer.put(Batch.from_rows([(METER, at_ms, 100.0 + minute, 0), (POWER, at_ms, 60.0, 0)]))
        parcel = buffer.peek_oldest(2)
        buffer.bury(parcel, parcel.batch, "field type conflict", Counter())
    return file


def test_show_says_what_waits_and_why_the_rest_does_not(file: Path) -> None:
    answer = kgce("edge", "buffer", "show", file, cwd=file.parent)
    assert answer.code == 0, answer.err
    assert "42 polled = 0 stored + 0 duplicate + 2 refused + 0 dropped + 40 waiting" in answer.out
    assert "40 readings in 20 batches" in answer.out
    assert "2026-01-01 00:01:00 UTC" in answer.out
    assert "sink.refused" in answer.out
    told = kgce("edge", "buffer", "show", file, "--json", cwd=file.parent).json
    assert told["counters"]["waiting"] == 40
    assert not told["running"]


def test_dead_letters_are_listed_shown_retried_and_discarded(file: Path) -> None:
    here = file.parent
    (letter,) = kgce("edge", "buffer", "letters", file, "--json", cwd=here).json
    assert (letter["rows"], letter["reason"]) == (2, "field type conflict")
    assert "field type conflict" in kgce("edge", "buffer", "letters", file, cwd=here).out
    shown = kgce("edge", "buffer", "letter", file, letter["seq"], "--json", cwd=here).json
    assert shown["readings"][0] == {
        "series": "hall/main/active_energy_import", "time_ms": T0_MS, "value": 100.0, "quality": 0,
    }  # fmt: skip
    unknown = kgce("edge", "buffer", "retry", file, "77", cwd=here)
    assert (unknown.code, unknown.err) == (2, "kgce: no dead letter 77; kgce edge buffer letters lists them\n")
    assert kgce("edge", "buffer", "retry", file, cwd=here).code == 2, "neither numbers nor --all"
    assert "2 readings wait again" in kgce("edge", "buffer", "retry", file, "--all", cwd=here).err
    status = kgce("edge", "buffer", "show", file, "--json", cwd=here).json
    assert (status["counters"]["waiting"], status["counters"]["refused"], status["equation_holds"]) == (42, 0, True)


def test_discarding_asks_first_and_keeps_the_count(file: Path) -> None:
    here = file.parent
    assert kgce("edge", "buffer", "discard", file, "1", cwd=here).code == 1, "nobody answered"
    assert len(kgce("edge", "buffer", "letters", file, "--json", cwd=here).json) == 1
    assert kgce("edge", "buffer", "discard", file, "1", "--yes", cwd=here).code == 0
    assert kgce("edge", "buffer", "letters", file, "--json", cwd=here).json == []
    assert kgce("edge", "buffer", "show", file, "--json", cwd=here).json["counters"]["refused"] == 2


def test_what_waits_can_be_carried_to_a_store_as_a_file(file: Path) -> None:
    here = file.parent
    answer = kgce("edge", "buffer", "export", file, "waiting.csv", cwd=here)
    assert answer.code == 0, answer.err
    assert "20 readings; 20 left out as no billed counters" in answer.err
    (here / "registry.csv").write_text(
        "institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2\n"
        "hall,Hall,370102,office,county,cold,2026,10,100,\n"
    )
    assert kgce("import", "registry", "registry.csv", cwd=here).code == 0
    taken = kgce("import", "readings", "waiting.csv", "--json", cwd=here)
    assert (taken.code, taken.json["stored"]) == (0, 20), taken.err
    with open_store(here / "kgce-data") as store:
        rows = store.read([METER.key], start_ms=T0_MS, end_ms=T0_MS + 86_400_000)
    assert sorted(rows.value.tolist()) == [101.0 + minute for minute in range(20)]
    again = kgce("edge", "buffer", "export", file, "waiting.csv", cwd=here)
    assert (again.code, again.err) == (2, "kgce: waiting.csv is there already; name another file\n")
    assert kgce("edge", "buffer", "show", file, "--json", cwd=here).json["counters"]["waiting"] == 40


def test_beside_a_running_gateway_show_asks_its_page_and_the_rest_says_stop_it(file: Path) -> None:
    here = file.parent
    command = [sys.executable, "-m", "kgce", "edge", "run", str(file)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=here)
    try:
        deadline = time.monotonic() + 30
        while running(here / "gw") is None and time.monotonic() < deadline:
            time.sleep(0.1)
        told = kgce("edge", "buffer", "show", file, "--json", cwd=here).json
        assert (told["running"], told["counters"]["waiting"]) == (True, 40)
        assert "the gateway runs" in kgce("edge", "buffer", "show", file, cwd=here).out
        refused = kgce("edge", "buffer", "letters", file, cwd=here)
        assert refused.code == 2
        assert "stop it first" in refused.err
    finally:
        child.terminate()
        child.wait(20)
