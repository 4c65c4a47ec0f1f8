"""A row's name taken apart, before anybody knows what it names."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """A row's name taken apart: words without remarks, and the remarks."""

    words: tuple[str, ...]
    remarks: str
    kind: str  # of device
    dimension: str  # of the unit; "" = the source states none
    is_text: bool = False

    def has(self, *words: str) -> bool:
        """Whether one of these is among the words."""
        return any(word in self.words for word in words)


def words_of(name: str) -> tuple[tuple[str, ...], str]:
    """(words, remarks): remarks are what stands in round brackets; a unit in square ones is no word."""
    remarks = " ".join(re.findall(r"\(([^)]*)\)?", name))
    plain = re.sub(r"\([^)]*\)?|\[[^\]]*\]", " ", name)
    plain = re.sub(r"(?<=[a-z][a-z])(?=[A-Z][a-z])", "_", plain).lower()
    return tuple(re.findall(r"[a-z0-9]+", plain)), remarks
