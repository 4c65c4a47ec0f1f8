"""The week's faults, each on a meter of its own, and all of them on one meter on different days."""

from dataclasses import replace

from tests.week_of_faults.load import Load, at
from tests.week_of_faults.meter import Dip, Meter, Outage, Swap

LATE = Outage(at("Tuesday", "21:10"), at("Wednesday", "03:10"), replayed_ms=at("Thursday", "21:00"))
STEP_75_KW = ((at("Thursday", "09:15"), at("Thursday", "16:45"), 75_000),)
NOON = at("Thursday", "12:00")
SWAPPED = at("Wednesday", "10:07:30")
WIDTH_KWH = 1_000_000
SILENT = at("Wednesday", "10:00") + 1  # its last reading is that of ten o'clock


def before_rollover(load: Load, instant_ms: int) -> int:
    """What a register must show first to start again at zero just after an instant."""
    return WIDTH_KWH * 1000 - int(load.used_wh(instant_ms)) - 10


def whole_week() -> Meter:
    """Everything on one meter; only Monday is healthy."""
    swapped, again, full = at("Wednesday", "10:07:30"), at("Saturday", "14:02:30"), at("Sunday", "12:02:30")
    behind = Meter("everything", extra=STEP_75_KW)
    used = int(behind.load.used_wh(full) - behind.load.used_wh(again))
    return replace(
        behind,
        outages=(
            Outage(at("Tuesday", "09:10"), at("Tuesday", "15:10")),
            Outage(at("Thursday", "21:10"), at("Friday", "03:10"), replayed_ms=at("Sunday", "09:00")),
        ),
        swaps=(Swap(swapped, 3_210, is_declared=True), Swap(again, WIDTH_KWH * 1000 - used, is_declared=False)),
        dips=(Dip(at("Friday", "12:00"), 5), Dip(at("Sunday", "09:00"), 1)),
        width_kwh=WIDTH_KWH,
        most_per_hour=100.0,
        is_repeated=True,
    )


METERS = (
    Meter("healthy"),
    Meter("outage", outages=(Outage(at("Wednesday", "09:10"), at("Wednesday", "15:10")),)),
    Meter("outage-over-midnight", outages=(Outage(at("Tuesday", "21:10"), at("Wednesday", "03:10")),)),
    Meter("missed-reading", outages=(Outage(at("Thursday", "11:55"), at("Thursday", "12:05")),)),
    Meter("late-replay", outages=(LATE,)),
    Meter("swap-declared", swaps=(Swap(SWAPPED, 3_210, is_declared=True),)),
    Meter("swap-declared-higher", swaps=(Swap(SWAPPED, 951_234_560, is_declared=True),)),
    Meter("swap-undeclared", swaps=(Swap(SWAPPED, 3_210, is_declared=False),)),
    Meter("swap-undeclared-higher", swaps=(Swap(SWAPPED, 951_234_560, is_declared=False),), most_per_hour=100.0),
    Meter("dip-of-1", dips=(Dip(NOON, 1),)),
    Meter("dip-of-5", dips=(Dip(NOON, 5),)),
    Meter("step-of-75-kw", extra=STEP_75_KW, most_per_hour=100.0),
    Meter(
        "roll-over", first_wh=before_rollover(Meter("").load, at("Friday", "11:32:30")), width_kwh=WIDTH_KWH,
    ),
    Meter("repeated-rows", is_repeated=True),
    Meter("dead-slave", "first"),
    Meter("dead-slave", "second", extra=((at("Monday", "08:00"), at("Sunday", "18:00"), 2_400),)),
    Meter("dead-slave", "third", silent_ms=SILENT),
    whole_week(),
)  # fmt: skip
