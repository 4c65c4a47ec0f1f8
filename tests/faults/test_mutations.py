"""The list of protections fits the code: each text stands exactly once, each test exists, each fault is guarded."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.faults.mutants import Mutation, mutations


@pytest.mark.parametrize("one", mutations(), ids=lambda one: one.name)
def test_a_protection_is_where_the_list_says(one: Mutation) -> None:
    assert [edit.places(ROOT) for edit in one.edits] == [1] * len(one.edits)
    assert all(edit.before != edit.after for edit in one.edits)


def test_every_fault_test_guards_a_protection() -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "--no-header", "tests/faults"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    there = {line.removeprefix("tests/faults/") for line in listing.splitlines() if "::" in line}
    named = {one.test for one in mutations()}
    assert named <= there, f"no such test: {named - there}"
    guarded = {test.partition("[")[0] for test in named}
    faults = {test.partition("[")[0] for test in there if not test.startswith("test_mutations")}
    assert faults - guarded == {
        "test_killed.py::test_a_gateway_killed_while_it_writes_straight_into_influxdb_doubles_nothing"
    }
