"""Sender: the centre's side: publishes an envelope, retained, and hears what the gateway makes of it.

envelope --> kgce/v1/{gateway}/config/desired --> gateway --> .../config/reported --> answer
"""

import contextlib
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, Final, Self

import orjson
from paho.mqtt.client import MQTTMessage

from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.uplink import topics
from kgce.collectors.uplink.connection import Connection
from kgce.domain.errors import InputError, StoreUnavailable
from kgce.edge.remote.envelope import addressee
from kgce.edge.remote.line import DESIRED, REPORTED

_STANDING_S: Final = 0.5  # what the broker retains comes with the subscription; there may be nothing
_NOBODY_LISTENS: Final = "No matching subscribers"  # MQTT 5, 0x10: no failure, the broker retains it

Report = dict[str, Any]


def send(config: BrokerConfig, envelope: bytes, *, wait_s: float) -> str:
    """Publish and wait for the answer; what came of it, for a person.

    Raises:
        InputError: not an envelope, a version the gateway will not take, or it refuses; with its reason.
        StoreUnavailable: the broker is not there, or the gateway has not answered in time.
    """
    payload = addressee(envelope)
    with _Post(config, payload.gateway) as post:
        before = post.standing()
        highest = int(before.get("highest", 0))
        if payload.version <= highest:
            raise InputError(f"{payload.gateway} has accepted version {highest} already; sign it as {highest + 1}")
        post.publish(envelope)
        if not wait_s:
            return f"version {payload.version} is at the broker for {payload.gateway}"
        for report in post.reports(wait_s):
            answer = _answer(report, before, payload.gateway, payload.version)
            if answer:
                return answer
    raise StoreUnavailable(
        f"{payload.gateway} has not answered in {wait_s:g} s; the broker keeps version {payload.version} for it"
    )


class _Post:
    """A connection for one errand."""

    def __init__(self, config: BrokerConfig, gateway: str) -> None:
        self._config = config
        self._gateway = gateway
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._taken = threading.Event()
        self._why_not = ""
        self._connection = Connection(
            config,
            f"kgce-config-{uuid.uuid4().hex[:8]}",
            session_expiry_s=0,
            on_message=self._heard,
            on_acknowledged=self._acknowledged,
        )

    def __enter__(self) -> Self:
        self._connection.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def standing(self) -> Report:
        """The report that stands at the broker; empty when the gateway has never made one."""
        self._connection.subscribe(topics.topic(self._gateway, REPORTED))
        with contextlib.suppress(queue.Empty):
            return self._reports.get(timeout=_STANDING_S)
        return {}

    def publish(self, envelope: bytes) -> None:
        """Retained, so that a gateway that is away finds it.

        Raises:
            StoreUnavailable: the broker does not take it.
        """
        self._connection.publish(topics.topic(self._gateway, DESIRED), envelope, retain=True)
        if not self._taken.wait(self._config.timeout_s) or self._why_not:
            why = self._why_not or "no acknowledgement"
            raise StoreUnavailable(f"broker {self._config.host}:{self._config.port} does not take it: {why}")

    def reports(self, wait_s: float) -> Iterator[Report]:
        """Each new report until the time is up."""
        ends_s = time.monotonic() + wait_s
        while (left_s := ends_s - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                yield self._reports.get(timeout=left_s)

    def _heard(self, found: MQTTMessage) -> None:
        with contextlib.suppress(orjson.JSONDecodeError):
            document = orjson.loads(found.payload)
            if isinstance(document, dict):
                self._reports.put(document)

    def _acknowledged(self, _mid: int, why_not: str) -> None:
        self._why_not = "" if why_not == _NOBODY_LISTENS else why_not
        self._taken.set()


def _answer(report: Report, before: Report, gateway: str, version: int) -> str:
    """What the report says about this version; empty when it is about something else."""
    if report.get("version") == version:
        return f"{gateway} runs version {version}" + (", on trial" if report.get("on_trial") else "")
    refused = report.get("refused")
    if refused and refused != before.get("refused") and refused.get("version") in {version, None}:
        raise InputError(f"{gateway} refuses version {version}: {refused.get('reason')}")
    waiting = report.get("waiting")
    return f"{gateway} takes version {version} when its time has come" if _is_for(waiting, version) else ""


def _is_for(waiting: object, version: int) -> bool:
    return isinstance(waiting, dict) and waiting.get("version") == version
