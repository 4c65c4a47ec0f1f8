"""Tells whoever runs a gateway what its profiles leave unsure, once each."""

import logging
from collections.abc import Iterable

from kgce.collectors.profile import Profile

LOG = logging.getLogger(__name__)


def tell_what_is_unsure(profiles: Iterable[tuple[str, Profile]]) -> None:
    """Log each remark of each (name, profile) once, however many devices share it."""
    said = dict.fromkeys((name, remark) for name, profile in profiles for remark in profile.remarks())
    for name, remark in said:
        LOG.warning("profile %s: %s", name, remark)
