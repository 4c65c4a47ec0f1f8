"""`kgce bench`: how fast a province is on this machine, or on a cluster."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from kgce.cli.database import JsonOption
from kgce.cli.parts import ClusterOption, work_on
from kgce.cli.terminal import print_json, print_table, progress, say
from kgce.domain.factors import DEFAULT_FACTOR_SET

if TYPE_CHECKING:
    from kgce.analytics.assessing import Assessment

app = typer.Typer(help="Speed on synthetic data.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Speed on synthetic data."""


class _Watch:
    """Seconds of each stage, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - began


@app.command("province")
def province(
    institutions: Annotated[int, typer.Option("--institutions", min=137, max=1_000_000, help="How many.")] = 80_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same province.")] = 1,
    factor_set: Annotated[str, typer.Option("--factor-set", help="Standard-coal factors.")] = DEFAULT_FACTOR_SET,
    cluster: ClusterOption = None,
    json: JsonOption = False,
) -> None:
    """A synthetic province: meters added up into institutions and regions, figures, grades, places, reasons.

    The counties are worked on one after the other, or by the workers of a Dask cluster; the result is the same.

    Example: kgce bench province --institutions 80000
    """
    from kgce.analytics.assessing import Peers, assess
    from kgce.analytics.evaluating import year_totals
    from kgce.analytics.indicators import Indicator
    from kgce.cli.bench_province import MONTH_DAYS, digest, joined, regions, stated_of_all, work_county
    from kgce.domain.factors import factor_set as known_set
    from kgce.simulators.province import counties

    watch = _Watch()
    tasks = [(code, size, seed) for code, size in counties(institutions)]
    with progress("counties", quiet=json) as advance, watch("counties: meters made, booked, summed"):
        worked = list(work_on(work_county, tasks, cluster, advance))
    with watch("county -> city -> province"):
        cities, whole = regions(worked)
    table, stated = joined(worked), stated_of_all(worked)
    codes = ("class_code", "level_code", "zone_code")
    peers = Peers(*(np.concatenate([getattr(one.made, name) for one in worked]) for name in codes))
    shown = (Indicator.ENERGY_PER_AREA, Indicator.ENERGY_PER_CAPITA, Indicator.WATER_PER_CAPITA)
    with watch("figures, grades, places, reasons"):
        totals = year_totals(table, MONTH_DAYS)
        groups, found = assess(totals, stated, peers, known_set(factor_set), indicators=shown)
    with watch("bare numpy: sum, divide, sort"):
        np.argsort(table.amount.sum(axis=2) @ np.ones(len(table.accounts)) / stated.area_m2)
    arrays: list[np.ndarray] = [table.amount, table.coverage, cities.amount, whole.amount, groups.group]
    for one in found.values():
        arrays += [one.figures.value, one.gated.bits, one.placed.rank]
    document = {
        "institutions": len(table.owners),
        "metering_points": sum(one.points for one in worked),
        "cities": len(cities.owners),
        "peer_groups": len(groups.size),
        "seconds": {stage: round(seconds, 4) for stage, seconds in watch.seconds.items()},
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "factor_set": factor_set,
        "indicators": {str(indicator): _summary(one) for indicator, one in found.items()},
        "digest": digest(arrays),
    }
    _tell(document, json=json)


def _summary(one: "Assessment") -> dict[str, Any]:
    from kgce.analytics.leaders.gates import Gate

    bits = one.gated.bits
    out = {str(gate.name).lower(): int(((bits & gate.value) > 0).sum()) for gate in Gate if gate.value}
    ranked = one.placed.rank > 0
    return {
        "ranked": int(ranked.sum()),
        "leaders": int((one.placed.rank == 1).sum()),
        "median": float(np.median(one.figures.value[ranked])),
        "out": {name: count for name, count in out.items() if count},
    }


def _tell(document: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(document)
        return
    print_table(
        f"{document['institutions']:,} institutions, {document['metering_points']:,} meters, "
        f"{document['peer_groups']} peer groups",
        ("stage", "s"),
        [(stage, f"{seconds:.3f}") for stage, seconds in document["seconds"].items()],
        right=("s",),
    )
    print_table(
        f"figures, {document['factor_set']}",
        ("indicator", "ranked", "leaders", "median", "out"),
        [
            (name, f"{one['ranked']:,}", f"{one['leaders']:,}", f"{one['median']:.2f}",
             ", ".join(f"{gate} {count:,}" for gate, count in one["out"].items()))
            for name, one in document["indicators"].items()
        ],
        right=("ranked", "leaders", "median"), wrap=("out",),
    )  # fmt: skip
    say(f"largest memory {document['memory_mb']:,} MB; digest {document['digest']}")
