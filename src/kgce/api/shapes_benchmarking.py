"""What goes out about peers: leaderboards, explanations, totals, quotas, published lists."""

from typing import Any

from pydantic import Field

from kgce.api.shapes import Number, Out


class Leader(Out):
    """An institution among its peers; rank null where it is not in the line; reasons say why it is in or out."""

    institution: str
    name: str
    peer_class: str = Field(alias="class")
    group: str
    is_leader_possible: bool
    rank: int | None
    value: Number
    ratio_to_mean: Number
    points: Number
    percentile: Number
    coverage_ratio: Number
    estimated_ratio: Number
    numerator: Number
    divisor: Number
    months: int
    leads_share: Number
    score: Number
    score_low: Number
    score_high: Number
    grade: str
    quota: str | None
    why_no_quota: str | None
    reasons_en: list[str]
    reasons_zh: list[str]


class Leaderboard(Out):
    """One page of a list of leaders; `next` is the cursor of the page behind it, null on the last one."""

    year: int
    indicator: str
    unit: str
    definition: dict[str, str]
    factor_set: str
    notes: list[str]
    items: list[Leader]
    total: int
    next: str | None


class PeerGroup(Out):
    """An institution beside those it is compared with; mean: of those in the line."""

    institution: str
    group: str
    unit: str
    factor_set: str
    size: int
    in_line: int
    mean: Number
    own: Leader
    items: list[Leader]


class MeterShare(Out):
    """What one meter gave to a term, by month; net of what hangs behind it and is not the unit's own."""

    point: str
    amount: Number
    months: list[Number]
    coverage_ratio: Number
    taken_out: list[str]


class Term(Out):
    """One account in the numerator: amount x factor = weighed."""

    account: str
    amount: Number
    unit: str
    factor: Number
    factor_source: str
    weighed: Number
    coverage_ratio: Number
    estimated_ratio: Number
    meters: list[MeterShare]


class Explanation(Out):
    """A figure and what it was made from: value = sum of the terms' weighed / divisor."""

    institution: str
    name: str
    year: int
    indicator: str
    value: Number
    unit: str
    reason: str | None
    clause: str
    version: str
    factor_set: str | None
    factor_set_source: str | None
    retrospective: bool
    numerator: Number
    divisor: Number
    divisor_is: str
    coverage_ratio: Number
    estimated_ratio: Number
    months: int
    terms: list[Term]


class AccountTotal(Out):
    """One account of a region, an institution or a building in a year; points: meters behind it, in parts."""

    account: str
    amount: Number
    unit: str
    kgce: Number
    coverage_ratio: Number
    estimated_ratio: Number
    months: list[Number]
    points: Number


class Quota(Out):
    """Limits of one indicator for one kind of institution; a name left empty means any."""

    standard: str
    indicator: str
    peer_class: str = Field(alias="class")
    level: str
    climate_zone: str
    heating: str
    constraint: Number
    reference: Number
    guide: Number
    unit: str
    clause: str
    confidence: str
    in_force: str


class Publication(Out):
    """A list as it was frozen; its rows are those of a leaderboard of that day."""

    name: str
    published: str
    document: dict[str, Any]
