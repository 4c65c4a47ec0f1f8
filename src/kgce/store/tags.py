"""Tags: choosing series by what they carry beside their key."""

from collections.abc import Mapping
from typing import Final

from kgce.domain.errors import InputError
from kgce.domain.tree import Series

TAGS: Final = frozenset({"region", "institution", "building", "device", "quantity", "measurement"})


def has_tags(series: Series, tags: Mapping[str, str | None]) -> bool:
    """Whether each stated tag (None = not stated) is what the series carries.

    Raises:
        InputError: there is no such tag.
    """
    unknown = tags.keys() - TAGS
    if unknown:
        raise InputError(f"a series has no tag {min(unknown)!r}: choose of {', '.join(sorted(TAGS))}")
    return all(wanted is None or getattr(series, tag) == wanted for tag, wanted in tags.items())
