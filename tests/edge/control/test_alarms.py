"""Alarms: told once, with the reading; over only when the value has come back far enough."""

import pytest

from kgce.domain.batch import Quality
from kgce.edge.config import parse_config
from kgce.edge.control.alarms import Alarms
from kgce.edge.control.config import AlarmTable
from kgce.edge.control.control import Control
from kgce.edge.local.problems import problems
from kgce.edge.local.snapshot import Live
from tests.edge.fakes import NOW_S
from tests.edge.local.test_problems import status

RULE = {
    "institution": "school", "device": "boiler", "quantity": "supply_temperature", "above": 95.0, "for_s": 60, "clear": 5.0,
    "message": "the boiler is too hot", "todo": "check the pump",
}  # fmt: skip


class Boiler:
    """One rule, and a clock that the readings move."""

    def __init__(self, **changed) -> None:
        self.now_s = NOW_S
        self.live: Live | None = None
        self.events: list = []
        self.rule = AlarmTable.model_validate({**RULE, **changed})
        self.alarms = self.made()

    def made(self) -> Alarms:
        return Alarms([self.rule], lambda _key: self.live, self.events.append, lambda: self.now_s)

    def reads(self, value: float, *, after_s: float = 30.0, quality: int = 0) -> list[str]:
        self.now_s += after_s
        self.live = Live(round(self.now_s * 1000), value, quality)
        self.alarms.look()
        return [event.id for event in self.events]


def test_an_alarm_is_raised_after_its_time_and_once() -> None:
    boiler = Boiler()
    assert boiler.reads(96.0) == []
    assert boiler.reads(97.0) == []
    assert boiler.reads(98.0) == ["control.alarm"]
    assert boiler.reads(99.0) == ["control.alarm"]
    event = boiler.events[0]
    assert (event.severity, event.evidence["value"], event.subject) == (
        "alarm",
        98.0,
        "school/boiler/supply_temperature",
    )
    assert "check the pump" in event.message


def test_a_moment_beyond_the_limit_is_none() -> None:
    boiler = Boiler()
    for value in (96.0, 94.0, 96.0, 94.0, 96.0):
        assert boiler.reads(value) == []


def test_it_is_over_only_when_it_has_come_back_far_enough() -> None:
    boiler = Boiler(for_s=0)
    assert boiler.reads(96.0) == ["control.alarm"]
    assert boiler.reads(94.0) == ["control.alarm"], "within the hysteresis"
    assert boiler.reads(90.0) == ["control.alarm", "control.alarm_over"]


@pytest.mark.parametrize("bit", [Quality.BAD, Quality.SUSPECT, Quality.OUT_OF_RANGE])
def test_a_reading_nobody_trusts_neither_raises_nor_ends_it(bit) -> None:
    boiler = Boiler(for_s=0)
    assert boiler.reads(400.0, quality=int(bit)) == []
    boiler.reads(96.0)
    assert boiler.reads(20.0, quality=int(bit)) == ["control.alarm"]


def test_a_value_too_low_and_a_fault_code_are_alarms_as_well() -> None:
    low = Boiler(quantity="pressure", above=None, below=80.0, for_s=0, clear=10.0)
    assert low.reads(79.0) == ["control.alarm"]
    assert low.reads(85.0) == ["control.alarm"]
    assert low.reads(90.0) == ["control.alarm", "control.alarm_over"]
    fault = Boiler(quantity="error_code", above=None, equals=7.0, for_s=0, clear=0.0)
    assert fault.reads(7.0) == ["control.alarm"]
    assert fault.reads(0.0) == ["control.alarm", "control.alarm_over"]


def test_a_device_that_falls_silent_is_told_to_be_watched_no_more() -> None:
    boiler = Boiler()
    boiler.reads(60.0)
    boiler.now_s += 901
    boiler.alarms.look()
    boiler.alarms.look()
    assert [event.id for event in boiler.events] == ["control.unwatched"]
    assert boiler.alarms.standing()[0]["severity"] == "warning"
    assert boiler.reads(60.0) == ["control.unwatched", "control.watched"]


def test_a_restart_raises_nothing_twice() -> None:
    boiler = Boiler(for_s=0)
    boiler.reads(96.0)
    state = boiler.alarms.state()
    boiler.alarms = boiler.made()
    boiler.alarms.restore(state)
    assert boiler.reads(97.0) == ["control.alarm"]
    assert boiler.reads(80.0) == ["control.alarm", "control.alarm_over"]


def test_a_standing_alarm_is_the_first_thing_a_technician_reads() -> None:
    boiler = Boiler(for_s=0)
    boiler.reads(96.0)
    (found,) = problems(status(control={"alarms": boiler.alarms.standing()}), round(boiler.now_s * 1000))
    assert (found.severity, found.subject, found.todo) == ("alarm", "school/boiler", "check the pump")


def test_control_is_off_unless_the_file_asks_for_it(tmp_path) -> None:
    tables = {"gateway": {"id": "a", "folder": str(tmp_path)}}
    assert parse_config(tables).control is None
    assert parse_config({**tables, "control": {"alarms": [RULE]}}).control.alarms[0].above == 95.0


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [({"below": 5.0}, "give one of"), ({"above": None}, "give one of"), ({"quantity": "nonsense"}, "unknown quantity")],
)
def test_a_rule_that_makes_no_sense_is_refused(changed, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        AlarmTable.model_validate({**RULE, **changed})


async def test_a_damaged_memory_is_as_good_as_none(tmp_path, caplog) -> None:
    (tmp_path / "control.json").write_bytes(b"[{}]")
    table = parse_config({"gateway": {"id": "a", "folder": str(tmp_path)}, "control": {"alarms": [RULE]}}).control
    control = Control(table, lambda _key: None, list, lambda _event: None, clock=lambda: NOW_S, folder=tmp_path)
    assert control.status() == {"alarms": [], "charging": None}
    assert "start anew" in caplog.text
