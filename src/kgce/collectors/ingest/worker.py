"""Worker: takes what gateways send into the store, in groups, and gives them their receipts.

    broker --many messages--> decode --> waiting --one append--> store
      ^----- receipts, numbers taken, acknowledgements, in this order -----'

Nothing is acknowledged before the store has it: whatever dies on the way, somebody sends it again, and the store knows
what it already has. While a group is written the next one is read, but never more than `most_rows`.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import orjson

from kgce.collectors.ingest import group, packets
from kgce.collectors.ingest.answers import TAKEN_TOPIC, receipt_packet, taken_numbers, taken_text
from kgce.collectors.ingest.decoder import BatchDecoder
from kgce.collectors.ingest.group import Job, Keeper
from kgce.collectors.ingest.heard import Heard
from kgce.collectors.ingest.letters import DeadLetters
from kgce.collectors.ingest.newest import TOPIC as LIVE_TOPIC
from kgce.collectors.ingest.newest import Newest
from kgce.collectors.ingest.packets import Arrived
from kgce.collectors.ingest.subscriber import Subscriber
from kgce.collectors.ingest.watch import GapWatch
from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.uplink import event_message, topics
from kgce.domain.batch import Batch
from kgce.domain.errors import InputError, NeverWorks, StoreUnavailable

log: Final = logging.getLogger(__name__)

_RETRY_FIRST_S: Final = 0.5
_RETRY_LIMIT_S: Final = 30.0
_LOOK_S: Final = 0.2  # how soon a stop is noticed
_LIVE_S: Final = 0.5
_SHORT_S: Final = 10.0  # a connection that ends sooner, twice running, was probably taken over
_SESSION_S: Final = 7 * 86_400
_MOST_BYTES: Final = 64_000_000  # of payloads that wait
_FILTERS: Final = (
    topics.everybodys(topics.BATCH, shared_by=topics.SHARED_BY),
    topics.everybodys(topics.EVENT, shared_by=topics.SHARED_BY),
    topics.everybodys(topics.STATUS),
    TAKEN_TOPIC,
)


class Worker:
    """One worker of the centre; several on one broker share the messages."""

    def __init__(
        self,
        config: BrokerConfig,
        store: Keeper,
        *,
        worker: str = "1",
        letters: DeadLetters | None = None,
        on_kept: Callable[[Batch], object] | None = None,
        clock: Callable[[], float] = time.time,
        receive_maximum: int = 1000,
        most_rows: int = 200_000,
    ) -> None:
        """`on_kept` sees every batch once it is stored; more than `most_rows` never wait here beside one message."""
        self._config = config
        self._store = store
        self._name = worker
        self._letters = letters
        self._on_kept = on_kept
        self._clock = clock
        self._most_rows = most_rows
        self._subscriber = Subscriber(
            config, f"kgce-ingest-{worker}", session_expiry_s=_SESSION_S, receive_maximum=receive_maximum
        )
        self._connections = 0
        self._decoder = BatchDecoder()
        self._newest = Newest(worker)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="keeper")
        self._waiting: list[Job] = []
        self._kept: Future[bool] | None = None
        self._under_way: list[Job] = []
        self._bytes = 0
        self._told_live_s = 0.0
        self._is_listening = self._is_down = self._store_is_down = False
        self.heard = Heard()
        self._watch = GapWatch(self.heard, store, clock)

    @property
    def is_listening(self) -> bool:
        """Whether the broker has accepted our subscriptions."""
        return self._is_listening and self._subscriber.is_open

    def run(self, stopping: threading.Event) -> None:
        """Take messages until told to stop; what is not acknowledged by then comes again after the next start.

        Raises:
            ConfigError: the broker refuses who we are, or what we want to hear.
        """
        wait_s, short_lives, opened_s = _RETRY_FIRST_S, 0, 0.0
        try:
            while not stopping.is_set():
                try:
                    self._subscriber.open(_FILTERS)
                    opened_s = time.monotonic()
                    self._connections += 1
                    self._is_listening = True
                    self._tell_broker("")
                    wait_s = _RETRY_FIRST_S
                    self._work(stopping)
                except StoreUnavailable as error:
                    is_short = self._is_listening and time.monotonic() - opened_s < _SHORT_S
                    short_lives = short_lives + 1 if is_short else 0
                    self._is_listening = False
                    is_flapping = short_lives > 1
                    hint = f"; does another worker use the name {self._name!r} too?" if is_flapping else ""
                    self._tell_broker(f"{error}{hint}")
                    stopping.wait(wait_s)
                    wait_s = min(2 * wait_s, _RETRY_LIMIT_S)
            self._finish_what_is_under_way()
        finally:
            self._pool.shutdown(wait=True)
            self._subscriber.end()

    def _work(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._look_at_store(stopping)
            if self._is_full():
                self._subscriber.keep_alive()
                assert self._kept is not None
                _wait_for(self._kept, _LOOK_S)
                continue
            for arrived in self._subscriber.receive(_LOOK_S):
                self._take(arrived)
            self._tell_live()
            self._watch.look()

    def _is_full(self) -> bool:
        is_much = self.heard.waiting_rows >= self._most_rows or self._bytes >= _MOST_BYTES
        return is_much and self._kept is not None and bool(self._waiting)

    def _look_at_store(self, stopping: threading.Event) -> None:
        """Answer what is stored, and hand over what waits."""
        if self._kept is not None and self._kept.done():
            is_kept, jobs = self._kept.result(), self._under_way
            self._kept, self._under_way = None, []
            if is_kept:
                self._answer(jobs)
        if self._kept is None and self._waiting:
            self._under_way, self._waiting = self._waiting, []
            self._kept = self._pool.submit(
                group.keep, self._under_way, self._store, stopping=stopping, failed=self._tell_store
            )
            self._kept.add_done_callback(lambda _: self._subscriber.wake())

    def _finish_what_is_under_way(self) -> None:
        if self._kept is None or not self._kept.result():
            return
        try:
            self._answer(self._under_way)
        except StoreUnavailable:
            log.info("the broker went away before the last receipts; it will deliver those messages again")

    def _take(self, arrived: Arrived) -> None:
        if arrived.topic == TAKEN_TOPIC:
            self._take_numbers(arrived)
            return
        gateway, what = topics.gateway_of(arrived.topic), arrived.topic.rsplit("/", 1)[-1]
        job = Job(arrived, self._connections, gateway)
        if what == topics.STATUS:
            self._take_status(job)
            return
        try:
            self._read(job, what)
        except NeverWorks as error:
            job.message, job.reason = None, str(error) or repr(error)
        except Exception as error:
            log.exception("a message of gateway %s breaks the decoder; it becomes a dead letter", gateway)
            job.message, job.reason = None, f"it cannot be read: {error!r}"
        self._waiting.append(job)
        self._bytes += len(arrived.payload)
        self.heard.waiting_messages += 1
        self.heard.waiting_rows += job.rows

    def _read(self, job: Job, what: str) -> None:
        if what == topics.EVENT:
            job.events = event_message.decode(job.arrived.payload)
            return
        job.message = self._decoder.decode(job.arrived.payload, job.gateway)
        if job.message.number.gateway != job.gateway:
            raise InputError(f"the topic says {job.gateway!r}, the message {job.message.number.gateway!r}")

    def _answer(self, jobs: list[Job]) -> None:
        """Tell gateways, workers and the broker, in one go."""
        heard, said, numbers, ids = self.heard, [], [], []
        at_ms = int(self._clock() * 1000)
        for job in jobs:
            heard.messages += 1
            heard.waiting_messages -= 1
            heard.waiting_rows -= job.rows
            self._bytes -= len(job.arrived.payload)
            if job.reason:
                self._bury(job)
            elif job.message is not None:
                heard.add(job.result)
                heard.repeated += self._watch.take(job.message.number, job.message.sent_ms)
                numbers.append((job.message.number, job.message.sent_ms))
                self._show(job.message.batch)
            heard.events += len(job.events)
            said.append(receipt_packet(job, at_ms))
            if job.connection == self._connections:
                ids.append(job.arrived.packet_id)
        heard.groups += 1
        if numbers:
            self._subscriber.publish_surely(TAKEN_TOPIC, taken_text(self._name, numbers))
        self._subscriber.send([*filter(None, said), packets.acknowledgements([one for one in ids if one])])

    def _show(self, batch: Batch) -> None:
        """To onlookers, who cannot hold up what is stored."""
        try:
            self._newest.add(batch)
            if self._on_kept is not None:
                self._on_kept(batch)
        except Exception:
            log.exception("live values cannot be shown; the readings are stored all the same")

    def _bury(self, job: Job) -> None:
        self.heard.malformed += 1
        self.heard.reasons[job.reason] += 1
        if self.heard.reasons[job.reason] == 1:
            log.warning("gateway %s sent what cannot be taken: %s", job.gateway, job.reason)
        if self._letters is not None:
            try:
                self._letters.put(job.arrived.topic, job.gateway, job.arrived.payload, job.reason)
            except StoreUnavailable as error:
                self.heard.letters_lost += 1
                log.warning("%s", error)

    def _take_numbers(self, arrived: Arrived) -> None:
        """What another worker took."""
        for number, sent_ms in taken_numbers(arrived.payload):
            self._watch.take(number, sent_ms)
        self._subscriber.acknowledge([arrived.packet_id])

    def _take_status(self, job: Job) -> None:
        self._subscriber.acknowledge([job.arrived.packet_id])
        try:
            state: Any = orjson.loads(job.arrived.payload)["state"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        if job.gateway and isinstance(state, str) and self.heard.gateways.get(job.gateway) != state:
            self.heard.gateways[job.gateway] = state
            log.info("gateway %s is %s", job.gateway, state)

    def _tell_live(self) -> None:
        if time.monotonic() - self._told_live_s < _LIVE_S:
            return
        self._told_live_s = time.monotonic()
        for found in self._newest.messages(int(self._clock() * 1000)):
            self._subscriber.publish(LIVE_TOPIC, found)

    def _tell_broker(self, problem: str) -> None:
        if problem and not self._is_down:
            log.warning("%s; trying again until it is there", problem)
        elif not problem:
            (log.warning if self._is_down else log.info)("listening at %s", self._subscriber.address)
        self._is_down = bool(problem)

    def _tell_store(self, problem: str) -> None:
        if problem:
            self.heard.store_failures += 1
        if problem and not self._store_is_down:
            log.warning("%s; what comes waits at the broker", problem)
        elif not problem and self._store_is_down:
            log.warning("the store takes readings again")
        self._store_is_down = bool(problem)


def _wait_for(kept: Future[bool], timeout_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        kept.result(timeout_s)
