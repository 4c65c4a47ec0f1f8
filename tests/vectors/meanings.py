"""What a vector's words for the right action mean, as the decisions our decoders can take."""

from typing import Final

# (words that all occur, decision); the first row that fits counts.
_ROWS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("drop values", "rebirth"), "no reading, ask for rebirth"),
    (("reorder window", "then request rebirth"), "wait, then ask for rebirth"),
    (("request rebirth",), "wait, then ask for rebirth"),
    (("drop the duplicate",), "drop duplicate"),
    (("not a rebirth",), "no rebirth"),
    (("ignore", "false"), "no rebirth"),
    (("discard",), "discard"),
    (("emit no sample",), "no sample"),
    (("never 0",), "no sample"),
    (("accept",), "accept"),
)


def decision(action: str) -> str:
    """The decision an expected action asks for; the text itself where none of ours fits."""
    text = action.casefold()
    return next((meaning for words, meaning in _ROWS if all(word in text for word in words)), action)
