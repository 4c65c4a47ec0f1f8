"""Topic templates: shellies/{id}/emeter/{n}/{key} finds its parts in a topic, and becomes a filter to subscribe to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

_VARIABLE: Final = re.compile(r"\{(\w+)(\*?)\}")  # {name} is within one level, {name*} may span several


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """A template; a variable is one level of a topic or a piece of one."""

    text: str

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the open parts."""
        return tuple(name for name, _ in _VARIABLE.findall(self.text))

    def match(self, topic: str) -> dict[str, str] | None:
        """What the open parts are in this topic; None when it is another one."""
        found = _regex(self.text).fullmatch(topic)
        return found.groupdict() if found else None

    def bound(self, values: Mapping[str, str]) -> "TopicPattern":
        """With some variables filled in; an empty prefix takes its slash along."""
        text = _VARIABLE.sub(lambda at: values.get(at[1], at[0]), self.text)
        return TopicPattern(text.removeprefix("/") if values.get("prefix") == "" else text)

    @property
    def filter(self) -> str:
        """The subscription that covers it: a level with an open part is a wildcard."""
        return "/".join("+" if _VARIABLE.search(level) else level for level in self.text.split("/"))


@cache
def _regex(text: str) -> re.Pattern[str]:
    pieces, at, seen = [], 0, set[str]()
    for variable in _VARIABLE.finditer(text):
        name = variable[1]
        pieces.append(re.escape(text[at : variable.start()]))
        if name in seen:
            pieces.append(f"(?P={name})")
        else:
            pieces.append(f"(?P<{name}>{'.+' if variable[2] else '[^/:]+'})")
        seen.add(name)
        at = variable.end()
    return re.compile("".join(pieces) + re.escape(text[at:]), re.DOTALL)
