"""Quality bits as words: `good`, or the names of the set bits joined by `|`."""

from functools import cache

from kgce.domain.batch import Quality


@cache
def quality_name(bits: int) -> str:
    """`good`, `bad`, `suspect|manual`; cached, for a store holds few combinations."""
    return "|".join(str(one.name).lower() for one in Quality(bits)) or "good"
