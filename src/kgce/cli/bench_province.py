"""What `kgce bench province` works on: one county at a time, then all of them together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgce.analytics.accounts import Account, AccountTable, Part, add_up, gather
from kgce.analytics.evaluating import Stated
from kgce.domain.batch import FloatArray
from kgce.simulators.province import CARRIERS, County, county

ITEMS = {Part.ITEM_A: 0.45, Part.ITEM_B: 0.3, Part.ITEM_C: 0.2, Part.ITEM_D: 0.05}
ORDER = [Account(code, Part.TOTAL) for code in CARRIERS] + [Account("electricity", one) for one in ITEMS]
ACCOUNTS = tuple(sorted(ORDER))
MONTH_DAYS: FloatArray = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class WorkedCounty:
    """A county whose meters were added up into its institutions, and these into the county."""

    made: County
    institutions: AccountTable
    county: AccountTable
    points: int


def work_county(task: tuple[str, int, int]) -> WorkedCounty:
    """(code, institutions, seed): two meters for each carrier and end-use item, booked and summed."""
    code, size, seed = task
    made = county(code, size, seed=seed)
    shares = [(CARRIERS.index(code), 1.0) for code in CARRIERS] + [(0, share) for share in ITEMS.values()]
    columns = np.array([ACCOUNTS.index(account) for account in ORDER], np.intp)

    def points(values: FloatArray, *, scaled: bool = True) -> FloatArray:
        """(2 x n x accounts, 12): each institution has two buildings with half of everything."""
        half = np.stack([values[:, place] * (share / 2 if scaled else 1.0) for place, share in shares], axis=1)
        return np.repeat(half, 2, axis=0).reshape(-1, values.shape[2])

    owner = np.repeat(np.arange(size), 2 * len(shares))
    empty = AccountTable.empty([f"{code}-{number:04d}" for number in range(size)], ACCOUNTS)
    coverage = points(made.coverage, scaled=False)
    months = (points(made.amount), points(made.estimated), coverage, np.ones_like(coverage))
    table = add_up(empty, owner, np.tile(columns, 2 * size), months)
    return WorkedCounty(made, table, gather([table], [code], [[0] * size]), len(owner))


def joined(counties: Sequence[WorkedCounty]) -> AccountTable:
    """The institutions of all counties below each other."""
    tables = [one.institutions for one in counties]
    return AccountTable(
        tuple(owner for table in tables for owner in table.owners),
        ACCOUNTS,
        *(np.concatenate([getattr(table, name) for table in tables]) for name in _COLUMNS),
    )


_COLUMNS = ("amount", "estimated", "coverage", "expected")


def regions(counties: Sequence[WorkedCounty]) -> tuple[AccountTable, AccountTable]:
    """Cities and the province, each the sum of what lies below it."""
    codes = sorted({one.made.code[:4] for one in counties})
    cities = gather([one.county for one in counties], codes, [[codes.index(one.made.code[:4])] for one in counties])
    return cities, gather([cities], ["37"], [[0] * len(codes)])


def stated_of_all(counties: Sequence[WorkedCounty]) -> Stated:
    """Attributes of all institutions."""
    people, area, heated = (
        np.concatenate([getattr(one.made, name) for one in counties])
        for name in ("people", "area_m2", "heated_area_m2")
    )
    is_stated = np.concatenate([one.made.is_stated for one in counties])
    return Stated(people, people, area, np.zeros(len(area)), heated, is_stated)


def digest(arrays: Sequence[np.ndarray]) -> str:
    """What tells two runs apart that differ in a single bit."""
    found = hashlib.blake2b(digest_size=12)
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
