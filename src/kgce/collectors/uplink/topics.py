"""Topics of the uplink (design section 8): one tree per gateway."""

from typing import Final

ROOT: Final = "kgce/v1"
BATCH: Final = "batch"
EVENT: Final = "event"
STATUS: Final = "status"  # retained: birth, and the last will
RECEIPT: Final = "receipt"  # the centre's answer to one gateway
SHARED_BY: Final = "ingest"  # workers of this group share the batches


def topic(gateway: str, what: str) -> str:
    """`kgce/v1/{gateway}/{what}`."""
    return f"{ROOT}/{gateway}/{what}"


def everybodys(what: str, *, shared_by: str = "") -> str:
    """The filter for this topic of all gateways; `shared_by` names the group of workers that share it."""
    wanted = topic("+", what)
    return f"$share/{shared_by}/{wanted}" if shared_by else wanted


def gateway_of(name: str) -> str:
    """The gateway whose topic this is; empty for any other topic."""
    parts = name.split("/")
    is_ours = len(parts) == 4 and "/".join(parts[:2]) == ROOT  # noqa: PLR2004 - kgce / v1 / gateway / what
    return parts[2] if is_ours else ""
