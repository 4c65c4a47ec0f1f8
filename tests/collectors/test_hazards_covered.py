"""Every field hazard that concerns a collector has a named test (shared/facts/devices.md, section 4)."""

import re
from pathlib import Path

MARK = re.compile(r"hazard\(([\d, ]+)\)")
CONCERN_A_COLLECTOR = range(1, 48)  # 48 to 52 are about clocks and days; the ledger's and the gateway's
TESTS = Path(__file__).resolve().parents[1]


def test_each_of_the_47_hazards_of_a_collector_has_a_test_that_names_it() -> None:
    named = {
        int(number)
        for path in TESTS.rglob("test_*.py")
        for group in MARK.findall(path.read_text(encoding="utf-8"))
        for number in group.split(",")
        if number.strip()
    }
    assert set(CONCERN_A_COLLECTOR) <= named
