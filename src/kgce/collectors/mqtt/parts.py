"""Parts of a document: each message of some families holds many devices, components or times; pure.

read_message.py --document, way--> Part --values, words, time--> read_message.py
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kgce.collectors.mqtt.json_number import Refused, find
from kgce.collectors.mqtt.json_path import Absent, Step, follow
from kgce.collectors.mqtt.topic_pattern import TopicPattern


@dataclass(frozen=True, slots=True)
class Part:
    """One part with what encloses it, innermost first, and the words found on the way."""

    scopes: tuple[Any, ...]
    words: dict[str, str] = field(default_factory=dict)

    def nearest(self, steps: tuple[Step, ...]) -> Any:
        """What lies at the path, here or in the nearest enclosing document.

        Raises:
            Refused: nowhere, or null.
        """
        for scope in self.scopes:
            try:
                follow(scope, steps)
            except Absent:
                continue
            return find(scope, steps)
        raise Refused("absent")


def parts(document: Any, way: tuple[str, ...]) -> Iterator[Part]:
    """Every part at the end of the way."""
    found = [Part((document,))]
    for step in way:
        found = [inner for part in found for inner in _inner(part, step)]
    return iter(found)


def _inner(part: Part, step: str) -> Iterator[Part]:
    here = part.scopes[0]
    if step.startswith("["):
        if isinstance(here, list):
            variable = step[1:-1]
            for position, item in enumerate(here):
                yield Part((item, *part.scopes), part.words | ({variable: str(position)} if variable else {}))
    elif isinstance(here, dict):
        for key, item in here.items():
            words = _words(step, key)
            if words is not None:
                yield Part((item, *part.scopes), part.words | words)


def _words(step: str, key: str) -> dict[str, str] | None:
    """A key that is one variable may hold any character; else it is read like a level of a topic."""
    if step == key:
        return {}
    variables = TopicPattern(step).variables
    if len(variables) == 1 and step == "{" + variables[0] + "}":
        return {variables[0]: key}
    return TopicPattern(step).match(key) if variables else None
