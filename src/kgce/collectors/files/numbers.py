"""Numbers: the text of a cell into a finite float; feeds every file reader."""

import math


def number(text: str) -> float | str:
    """The number, or why the text is none."""
    if not text:
        return "no value"
    try:
        value = float(text)
    except ValueError:
        return f"value {text!r} is not a number"
    if "_" in text:  # Python's digit grouping, nobody else's
        return f"value {text!r} is not a number"
    return value if math.isfinite(value) else f"value {text!r} is not finite"
