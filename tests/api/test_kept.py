"""Answers that are made once and given again for a while."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request

from kgce.api.kept import KeptAnswers, KeptRoute
from kgce.api.shaping import SHAPED


class Counting:
    """An app with one kept route that says how often it was made."""

    def __init__(self, *, size: int = 1) -> None:
        self.made = 0
        router = APIRouter(route_class=KeptRoute, dependencies=[SHAPED])

        @router.get("/number")
        async def number(name: str = "") -> dict[str, object]:
            self.made += 1
            await asyncio.sleep(0.01)
            return {"made": self.made, "name": name, "filling": "x" * size}

        @router.get("/broken")
        async def broken() -> dict[str, object]:
            self.made += 1
            raise httpx.HTTPError("broken")

        self.app = FastAPI()
        self.app.state.kept = KeptAnswers()
        self.app.include_router(router)

        @self.app.middleware("http")
        async def who(request: Request, go_on):
            request.state.principal = request.headers.get("who")
            return await go_on(request)

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_many_who_ask_at_once_get_one_answer() -> None:
    counting = Counting()
    async with counting.client() as client:
        answers = await asyncio.gather(*(client.get("/number") for _ in range(20)))
    assert {answer.json()["made"] for answer in answers} == {1}
    assert {answer.headers["age"] for answer in answers} == {"0"}


@pytest.mark.parametrize(
    ("second", "headers"),
    [
        ("/number?name=b", {}),
        ("/number", {"who": "another"}),
        ("/number", {"Cache-Control": "no-cache"}),
    ],
)
async def test_another_question_another_person_or_an_explicit_wish_make_it_anew(second, headers) -> None:
    counting = Counting()
    async with counting.client() as client:
        assert (await client.get("/number")).json()["made"] == 1
        assert (await client.get(second, headers=headers)).json()["made"] == 2
        assert (await client.get("/number")).json()["made"] in {1, 2}


async def test_a_kept_answer_is_not_sent_to_who_has_it() -> None:
    counting = Counting()
    async with counting.client() as client:
        tag = (await client.get("/number")).headers["etag"]
        again = await client.get("/number", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, counting.made) == (304, b"", 1)


async def test_errors_and_large_answers_are_made_each_time() -> None:
    counting = Counting(size=4_100_000)
    async with counting.client() as client:
        for path in ("/broken", "/number"):
            before = counting.made
            for _ in range(2):
                await client.get(path)
            assert counting.made == before + 2


async def test_what_is_forgotten_is_made_anew() -> None:
    counting = Counting()
    async with counting.client() as client:
        await client.get("/number")
        counting.app.state.kept.forget()
        assert (await client.get("/number")).json()["made"] == 2
