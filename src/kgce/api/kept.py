"""Kept: answers whose bytes many ask for, made once and given again for a while.

An answer is kept for twenty times what it cost, within the bounds of its route; whoever sends `Cache-Control: no-cache`
has it made anew. What somebody may not see is never given to him: the key holds the rights of who asks.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from fastapi import Request, Response

from kgce.api.held import KEPT_PER_COST, LEAST_S, MOST_S
from kgce.api.shaping import Handler, ShapedRoute, is_document, tagged, unless_known

MOST_ANSWERS: Final = 512
MOST_BYTES: Final = 4_000_000  # a larger answer is made each time: few ask for it


@dataclass(slots=True)
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answer: Response | None = None
    made_at_s: float = 0.0
    until_s: float = 0.0
    age_s: int = 0  # of the figures when the answer was made


class KeptAnswers:
    """Answers of one app, the least recently asked forgotten first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def forget(self) -> None:
        """Make every answer anew: something was written through this server."""
        self._entries.clear()

    def entry(self, key: Hashable) -> _Entry:
        """What is kept under a key, empty at first."""
        found = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        if len(self._entries) > MOST_ANSWERS:
            self._entries.popitem(last=False)
        return found


class KeptRoute(ShapedRoute):
    """A route whose whole answers are kept."""

    least_s: ClassVar[float] = LEAST_S
    most_s: ClassVar[float] = MOST_S

    def get_route_handler(self) -> Handler:
        """The handler behind the memory."""
        inner = self.shaped_handler()

        async def handler(request: Request) -> Response:
            if request.method != "GET":
                return await inner(request)
            entry = request.app.state.kept.entry(_key(request))
            anew = "no-cache" in request.headers.get("cache-control", "")
            if anew or entry.answer is None or time.monotonic() >= entry.until_s:
                made = await self._refresh(entry, inner, request, anew=anew)
                if made is not None:
                    return made
            return _again(request, entry)

        return handler

    async def _refresh(self, entry: _Entry, inner: Handler, request: Request, *, anew: bool) -> Response | None:
        """Make the answer where nobody else just did; what is not kept is given back."""
        async with entry.lock:
            if not anew and entry.answer is not None and time.monotonic() < entry.until_s:
                return None
            began = time.monotonic()
            answer = await inner(request)
            now = time.monotonic()
            if not is_document(request, answer) or len(answer.body) > MOST_BYTES:
                return answer
            entry.answer, entry.made_at_s = tagged(answer), now
            entry.until_s = now + min(self.most_s, max(self.least_s, KEPT_PER_COST * (now - began)))
            entry.age_s = int(answer.headers.get("age", "0"))
            return None


class BrieflyKeptRoute(KeptRoute):
    """A route whose answers are out of date at once."""

    least_s: ClassVar[float] = 0.5
    most_s: ClassVar[float] = 1.0


def _key(request: Request) -> Hashable:
    principal = getattr(request.state, "principal", None)
    return request.url.path, request.scope["query_string"], principal


def _again(request: Request, entry: _Entry) -> Response:
    """The kept answer as a new one, with its age; 304 where the client has it."""
    held = entry.answer
    assert held is not None  # the caller has just looked
    answer = Response(held.body)
    answer.raw_headers = list(held.raw_headers)
    answer.headers["Age"] = str(entry.age_s + int(time.monotonic() - entry.made_at_s))
    return unless_known(request, answer)
