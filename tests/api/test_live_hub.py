"""The hub keeps the newest and never waits for its audience."""

import asyncio
import json
import math
import threading

import pytest

from kgce.api.live import LiveHub
from kgce.api.routes.live import event_stream
from kgce.domain.batch import Batch, Quality
from kgce.domain.tree import Series

METER = Series("school-1", "main", "active_power_total", "electricity", "b1")
OTHER = Series("school-2", "main", "active_power_total", "electricity", "b2")


def batch(*rows: tuple[int, float], place: Series = METER, quality: int = 0) -> Batch:
    return Batch.from_rows((place, time_ms, value, quality) for time_ms, value in rows)


def newest(hub: LiveHub, place: Series = METER) -> tuple[int, float]:
    return hub.latest()[place.key][:2]


def test_an_older_reading_never_replaces_a_newer_one():
    hub = LiveHub()
    hub.publish(batch((2000, 2.0)))
    hub.publish(batch((1000, 1.0)))
    assert newest(hub) == (2000, 2.0)


def test_the_newest_of_a_batch_counts_whatever_its_order():
    hub = LiveHub()
    hub.publish(batch((3000, 3.0), (1000, 1.0), (2000, 2.0)))
    assert newest(hub) == (3000, 3.0)


def test_of_equal_times_the_later_row_stands_as_in_the_store():
    hub = LiveHub()
    hub.publish(batch((1000, 1.0), (1000, 1.5)))
    assert newest(hub) == (1000, 1.5)
    hub.publish(batch((1000, 2.0)))
    assert newest(hub) == (1000, 2.0)


def test_series_of_one_batch_are_kept_apart():
    hub = LiveHub()
    hub.publish(Batch.concat([batch((1000, 1.0)), batch((5000, 5.0), place=OTHER), batch((2000, 2.0))]))
    assert (newest(hub), newest(hub, OTHER)) == ((2000, 2.0), (5000, 5.0))


def test_an_empty_batch_is_no_news():
    hub = LiveHub()
    hub.publish(Batch.empty())
    assert hub.latest() == {}


async def test_only_news_is_told():
    """A repeated batch, also one with NaN, makes no event."""
    hub = LiveHub()
    with hub.subscribe() as heard:
        for again in (batch((1000, 1.0)), batch((2000, math.nan), quality=Quality.BAD)):
            hub.publish(again)
            hub.publish(again)
        hub.publish(batch((500, 0.5)))
        hub.end_subscriptions()
        events = [event async for event in _all(heard)]
    assert [[row.time_ms for row in event.readings] for event in events] == [[1000], [2000]]


async def test_a_slow_client_loses_the_oldest_events_and_can_tell():
    hub = LiveHub()
    with hub.subscribe(capacity=3) as heard:
        for number in range(10):
            hub.publish(batch((number, float(number))))
        hub.end_subscriptions()
        events = [event async for event in _all(heard)]
    assert ([event.number for event in events], heard.lost) == ([8, 9, 10], 7)


async def test_publishing_from_many_threads_loses_nothing():
    hub = LiveHub()
    places = [Series("school-1", f"meter-{number}", "active_power_total") for number in range(4)]
    with hub.subscribe(capacity=1000) as heard:
        threads = [
            threading.Thread(target=lambda one=one: [hub.publish(batch((t, 1.0), place=one)) for t in range(100)])
            for one in places
        ]
        for thread in threads:
            thread.start()
        numbers = [(await asyncio.wait_for(heard.next(), 10)).number for _ in range(400)]
        for thread in threads:
            thread.join()
    assert numbers == list(range(1, 401))
    assert {place.key: 99 for place in places} == {key: row.time_ms for key, row in hub.latest().items()}


async def test_a_stream_speaks_while_nothing_happens_and_ends_with_the_server():
    hub = LiveHub()
    stream = event_stream(hub, heartbeat_s=0.01)
    assert await anext(stream) == b": connected\n\n"
    assert await anext(stream) == b": still here\n\n"
    hub.end_subscriptions()
    assert [chunk async for chunk in stream if not chunk.startswith(b":")] == []
    assert hub.subscriber_count() == 0


async def test_a_stream_of_one_institution_hears_nothing_of_others():
    hub = LiveHub()
    stream = event_stream(hub, institution="school-2")
    await anext(stream)
    hub.publish(batch((1000, 1.0)))
    hub.publish(Batch.concat([batch((2000, 2.0)), batch((2000, math.nan), place=OTHER, quality=Quality.BAD)]))
    chunk = (await asyncio.wait_for(anext(stream), 5)).decode()
    await stream.aclose()
    number, kind, data = chunk.strip().splitlines()
    assert (number, kind) == ("id: 2", "event: readings")
    assert json.loads(data.removeprefix("data: ")) == [
        {
            "institution": "school-2",
            "building": "b2",
            "device": "main",
            "quantity": "active_power_total",
            "time": "1970-01-01T00:00:02Z",
            "value": None,
            "unit": "kW",
            "quality": "bad",
        }
    ]


async def test_a_client_that_leaves_is_forgotten():
    hub = LiveHub()
    stream = event_stream(hub)
    await anext(stream)
    assert hub.subscriber_count() == 1
    await stream.aclose()
    assert hub.subscriber_count() == 0


def test_a_client_whose_loop_has_ended_stops_nobody():
    hub = LiveHub()

    async def subscribe_and_stay() -> None:
        hub.subscribe().__enter__()

    asyncio.run(subscribe_and_stay())
    hub.publish(batch((1000, 1.0)))
    assert newest(hub) == (1000, 1.0)


async def _all(heard):
    while (event := await asyncio.wait_for(heard.next(), 5)) is not None:
        yield event


@pytest.mark.parametrize("bits", [0, int(Quality.BAD), int(Quality.SUSPECT | Quality.MANUAL)])
def test_quality_has_words(bits: int):
    from kgce.api.quality import quality_name

    assert quality_name(bits) == {0: "good", 1: "bad", 18: "suspect|manual"}[bits]
