"""Numbers as people read them: enough digits to compare, none that mean nothing."""

MISSING = "–"


def number(value: float | None) -> str:
    """About four significant digits with thousands separators; a dash where nothing is known."""
    if value is None:
        return MISSING
    size = abs(value)
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3  # noqa: PLR2004 - powers of ten
    return f"{value:,.{digits}f}"


def share(ratio: float | None) -> str:
    """`97.3 %`; never rounded up to a whole that is not there."""
    if ratio is None:
        return MISSING
    shown = f"{ratio:.1%}" if ratio < 1 else "100%"
    return "99.9%" if ratio < 1 and shown == "100.0%" else shown
