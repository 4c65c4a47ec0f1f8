"""80 000 institutions x 8 carriers x 12 months: figures, grades, places, reasons against numpy, pandas and polars.

The peers get the same table and do what they have: sum the months, weigh, divide, rank within class, level and zone.
They know no coverage, gates, outliers, grades or reasons.
"""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.table import Row
from kgce.analytics.accounts import Account, AccountTable, Part
from kgce.analytics.assessing import Limits, Peers, assess
from kgce.analytics.evaluating import Stated, year_totals
from kgce.analytics.indicators import Indicator
from kgce.domain.factors import factor_set
from kgce.simulators.province import CARRIERS, province

INSTITUTIONS = 80_000
ROUNDS = 5
SHOWN = (Indicator.ENERGY_PER_AREA, Indicator.ENERGY_PER_CAPITA, Indicator.WATER_PER_CAPITA)
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.float64)
SET = factor_set("cn-national")


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """The same province for everybody."""

    table: AccountTable
    stated: Stated
    peers: Peers
    limits: dict[Indicator, Limits]
    weights: np.ndarray


def data() -> Data:
    """Seeded; every twentieth institution has gaps."""
    counties = list(province(INSTITUTIONS, seed=1))
    columns = {name: np.concatenate([getattr(one, name) for one in counties]) for name in _NAMES}
    n = len(columns["people"])
    accounts = tuple(Account(code, Part.TOTAL) for code in CARRIERS)
    owners = tuple(str(number) for number in range(n))
    table = AccountTable(
        owners,
        accounts,
        columns["amount"],
        columns["estimated"],
        columns["coverage"],
        np.ones_like(columns["coverage"]),
    )
    people, area = columns["people"], columns["area_m2"]
    stated = Stated(people, people, area, np.zeros(n), columns["heated_area_m2"], columns["is_stated"])
    peers = Peers(columns["class_code"], columns["level_code"], columns["zone_code"])
    limits = {
        one: Limits(np.full(n, high), np.full(n, high / 2), np.full(n, high / 3), np.full(n, np.nan))
        for one, high in zip(SHOWN, (20.0, 400.0, 40.0), strict=True)
    }
    weights = np.array([SET.factors[code].per_canonical if code in SET.factors else 0.0 for code in CARRIERS])
    return Data(table, stated, peers, limits, weights)


_NAMES = (
    "amount", "estimated", "coverage", "area_m2", "heated_area_m2", "people", "is_stated", "class_code", "level_code",
    "zone_code",
)  # fmt: skip


def ours(at: Data) -> np.ndarray:
    """Everything, three indicators, with the reasons of a hundred units."""
    totals = year_totals(at.table, DAYS)
    _, found = assess(totals, at.stated, at.peers, SET, indicators=SHOWN, limits=at.limits)
    return found[Indicator.ENERGY_PER_AREA].placed.rank


def floor(at: Data) -> np.ndarray:
    """Bare numpy: sum the months, weigh, divide, sort; three times, no groups, no gaps."""
    year = at.table.amount.sum(axis=2)
    energy, water = year @ at.weights, year[:, -1]
    for value in (energy / at.stated.area_m2, energy / at.stated.people, water / at.stated.people):
        order = np.argsort(value)
    return order


def in_pandas(at: Data) -> Callable[[], object]:
    """Long frame -> yearly sums -> figures -> ranks in groups."""
    n = len(at.table.owners)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), len(CARRIERS) * 12),
            "carrier": np.tile(np.repeat(np.arange(len(CARRIERS)), 12), n),
            "amount": at.table.amount.ravel(),
        }
    )
    units = pd.DataFrame(
        {
            "area": at.stated.area_m2,
            "people": at.stated.people,
            "group": at.peers.class_code * 100 + at.peers.level_code * 10 + at.peers.zone_code,
        }
    )

    def work() -> object:
        year = frame.groupby(["unit", "carrier"])["amount"].sum().to_numpy().reshape(n, len(CARRIERS))
        energy = year @ at.weights
        found = units.assign(
            area_value=energy / units["area"], person_value=energy / units["people"], water=year[:, 7] / units["people"]
        )
        return found.groupby("group")[["area_value", "person_value", "water"]].rank(method="min")

    return work


def in_polars(at: Data) -> Callable[[], object]:
    """The same, lazily."""
    n = len(at.table.owners)
    frame = pl.DataFrame(
        {
            "unit": np.repeat(np.arange(n), len(CARRIERS) * 12),
            "weight": np.tile(np.repeat(at.weights, 12), n),
            "is_water": np.tile(np.repeat(np.arange(len(CARRIERS)) == len(CARRIERS) - 1, 12), n),
            "amount": at.table.amount.ravel(),
        }
    )
    units = pl.DataFrame(
        {
            "unit": np.arange(n), "area": at.stated.area_m2, "people": at.stated.people,
            "group": at.peers.class_code * 100 + at.peers.level_code * 10 + at.peers.zone_code,
        }
    ).lazy()  # fmt: skip

    def work() -> object:
        year = (
            frame.lazy()
            .group_by("unit")
            .agg(
                (pl.col("amount").fill_nan(0) * pl.col("weight")).sum().alias("energy"),
                pl.col("amount").filter(pl.col("is_water")).fill_nan(0).sum().alias("water"),
            )
        )
        joined = units.join(year, on="unit").with_columns(
            (pl.col("energy") / pl.col("area")).alias("a"),
            (pl.col("energy") / pl.col("people")).alias("b"),
            (pl.col("water") / pl.col("people")).alias("c"),
        )
        return joined.with_columns(pl.col("a", "b", "c").rank("min").over("group")).collect()

    return work


def run() -> list[Row]:
    """Runs of the whole province per second; memory is this process's largest."""
    at = data()
    ours_s = _seconds(lambda: ours(at))
    peers = (
        ("bare numpy: sum, divide, sort", lambda: floor(at), "the floor; bar: within 10 x"),
        ("pandas", in_pandas(at), "no coverage, gates, grades, reasons"),
        ("polars, all cores", in_polars(at), "no coverage, gates, grades, reasons"),
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Row(
            "80 000 institutions: figures, grades, places",
            INSTITUTIONS / ours_s, INSTITUTIONS / _seconds(peer), "institutions/s", name,
            f"{note}; ours {ours_s * 1000:.0f} ms, largest memory {memory:,.0f} MB",
        )
        for name, peer, note in peers
    ]  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    best_s = np.inf
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        best_s = min(best_s, time.perf_counter() - began)
    return float(best_s)


if __name__ == "__main__":
    from benchmarks.table import show

    show(run())
