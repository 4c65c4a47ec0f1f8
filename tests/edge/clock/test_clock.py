"""The gateway's clock under leaps of the machine's clock; wall and monotonic clocks are injected."""

from dataclasses import dataclass
from itertools import pairwise

import pytest

from kgce.edge.clock.clock import EARLIEST_SANE_S, GatewayClock
from kgce.edge.clock.memory import ClockMemory
from tests.edge.fakes import NOW_S

DAY_S = 86_400.0


@dataclass
class Machine:
    """A wall clock anybody can set, and one that only goes on."""

    wall_s: float = NOW_S
    boot_s: float = 1000.0
    boot_id: str = "boot-a"
    synchronised: bool = False

    def passes(self, seconds: float) -> None:
        self.wall_s += seconds
        self.boot_s += seconds

    def clock(self, folder, **more) -> GatewayClock:
        return GatewayClock(
            ClockMemory(folder),
            wall=lambda: self.wall_s,
            since_boot=lambda: self.boot_s,
            boot_id=lambda: self.boot_id,
            is_synchronised=lambda: self.synchronised,
            **more,
        )


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_sane_clock_is_trusted_from_the_start_and_followed(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.passes(10)
    machine.wall_s += 5  # a correction forward
    clock.look()
    assert (clock.is_sure, clock.now(), clock.id) == (True, machine.wall_s, "")


def test_a_correction_backwards_stretches_time_and_never_repeats_it(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s -= 20
    seen = [clock.now()]
    for _ in range(200):
        machine.passes(1)
        clock.look()
        seen.append(clock.now())
    assert all(after > before for before, after in pairwise(seen))
    assert clock.now() == pytest.approx(machine.wall_s)
    assert clock.is_sure


@pytest.mark.hazard(48)
@pytest.mark.parametrize("leap_s", [DAY_S, -DAY_S])
def test_a_jump_by_a_day_is_doubted_and_time_goes_on_from_the_anchor(tmp_path, machine, leap_s) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += leap_s
    machine.passes(1)
    clock.look()
    machine.passes(100)
    clock.look()
    assert not clock.is_sure
    assert clock.id
    assert clock.now() == pytest.approx(NOW_S + 101)
    (event,) = clock.events()
    assert event.id == "clock.doubted"
    assert event.evidence["machine_s"] - event.evidence["expected_s"] == pytest.approx(leap_s)


def test_a_jump_that_is_taken_back_shifts_nothing(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += DAY_S
    clock.look()
    doubted = clock.id
    machine.passes(60)
    machine.wall_s -= DAY_S
    clock.look()
    assert clock.is_sure
    assert clock.shift_ms(doubted) == 0
    assert clock.now() == pytest.approx(NOW_S + 60)


def test_a_jump_the_kernel_vouches_for_is_followed_and_told(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += 3600
    machine.synchronised = True
    clock.look()
    assert clock.now() == machine.wall_s
    assert [event.id for event in clock.events()] == ["clock.stepped"]


@pytest.mark.hazard(48)
def test_a_boot_in_1970_goes_on_after_the_last_good_time_until_the_kernel_knows_better(tmp_path, machine) -> None:
    machine.clock(tmp_path).close()  # a good day before
    machine.wall_s, machine.boot_s, machine.boot_id = 12.0, 12.0, "boot-b"
    clock = machine.clock(tmp_path)
    assert not clock.is_sure
    assert NOW_S < clock.now() < NOW_S + 300, "no row of 1970 ever leaves"
    machine.passes(50)
    stamped_s = clock.now()
    machine.wall_s, machine.synchronised = NOW_S + 7200.0, True
    doubted = clock.id
    clock.look()
    assert clock.is_sure
    assert stamped_s + clock.shift_ms(doubted) / 1000 == pytest.approx(NOW_S + 7200.0)


def test_an_unset_clock_that_somebody_sets_is_trusted_without_a_time_service(tmp_path, machine) -> None:
    machine.clock(tmp_path).close()
    machine.wall_s, machine.boot_id = 0.0, "boot-b"
    clock = machine.clock(tmp_path)
    machine.wall_s = NOW_S + 60
    clock.look()
    assert clock.is_sure


def test_a_first_boot_in_1970_never_stamps_before_this_software_existed(tmp_path, machine) -> None:
    machine.wall_s = 100.0
    assert machine.clock(tmp_path).now() >= EARLIEST_SANE_S


def test_a_boot_with_the_last_shutdown_time_of_long_ago_or_years_ahead_is_doubted(tmp_path, machine) -> None:
    machine.clock(tmp_path).close()
    for wall_s, reason in ((NOW_S - 3600, "behind the last good time"), (NOW_S + 4000 * DAY_S, "far ahead")):
        machine.wall_s, machine.boot_id = wall_s, reason
        assert machine.clock(tmp_path).status()["reason"] == reason


def test_a_restarted_gateway_goes_on_doubting_under_the_same_name(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += DAY_S
    clock.look()
    machine.passes(30)
    again = machine.clock(tmp_path)
    assert (again.is_sure, again.id, again.now()) == (False, clock.id, pytest.approx(NOW_S + 30))


def test_after_a_reboot_the_doubt_is_over_and_its_time_can_never_be_known(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += DAY_S
    clock.look()
    doubted = clock.id
    machine.boot_id, machine.boot_s, machine.wall_s = "boot-b", 5.0, NOW_S + 600
    again = machine.clock(tmp_path)
    assert again.is_sure
    assert again.shift_ms(doubted) is None
    assert not again.may_still_be_known(doubted)


def test_the_centre_is_a_witness_when_nobody_else_is(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += DAY_S
    clock.look()
    machine.passes(10)
    clock.heard(NOW_S + 10 + 40, 0.2)  # our anchor itself was 40 s behind, and the wall clock is a day off
    clock.look()
    assert clock.is_sure
    assert clock.now() == pytest.approx(NOW_S + 50.1)
    status = clock.status()
    assert (status["witness"], status["follows_machine"]) == ("centre", False)


def test_a_centre_that_took_too_long_to_answer_is_no_witness(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += DAY_S
    clock.look()
    clock.heard(NOW_S, 200.0)
    assert not clock.is_sure


def test_a_plausible_but_wrong_clock_is_stepped_to_the_centres_time_and_told(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    clock.heard(NOW_S + 3600, 0.0)
    assert clock.now() == pytest.approx(NOW_S + 3600)
    (event,) = clock.events()
    assert (event.id, event.evidence["shift_s"]) == ("clock.stepped", 3600.0)


def test_the_operators_word_makes_the_machines_clock_right(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    machine.wall_s += 500
    clock.look()
    clock.trust_wall()
    assert (clock.is_sure, clock.now()) == (True, machine.wall_s)


def test_a_site_that_demands_the_kernels_word_waits_for_it(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path, needs_kernel=True)
    clock.look()
    assert clock.status()["reason"] == "not synchronised"
    machine.synchronised = True
    clock.look()
    assert clock.is_sure


def test_a_damaged_memory_is_as_good_as_none(tmp_path, machine, caplog) -> None:
    (tmp_path / "clock.json").write_bytes(b"\x00garbage")
    assert machine.clock(tmp_path).is_sure
    assert "cannot be read" in caplog.text


def test_the_last_good_time_is_on_disk_at_most_a_minute_late(tmp_path, machine) -> None:
    clock = machine.clock(tmp_path)
    for _ in range(100):
        machine.passes(1)
        clock.look()
    assert NOW_S + 100 - ClockMemory(tmp_path).load().good_ms / 1000 <= 60
