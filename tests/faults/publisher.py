"""A device that publishes readings with their own times, and lists those the broker has acknowledged (QoS 1)."""

import threading
import time

import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

TOPIC = "site/water"


def commission(port: int, client_id: str) -> None:
    """Let the broker keep readings for this gateway from now on, as it does once a gateway has been there."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(TOPIC, qos=1)
    assert subscribed.wait(20)
    client.disconnect()
    client.loop_stop()
    client._reset_sockets()


class Publisher:
    def __init__(self, port: int) -> None:
        self.acknowledged: dict[int, float] = {}  # ms -> m3
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="water-meter")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._value = 0.0
        self._last_ms = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def publish(self, time_ms: int | None = None) -> tuple[int, float]:
        """One reading; it is in the list once the broker has it."""
        at_ms = int(time.time() * 1000) if time_ms is None else time_ms
        if time_ms is None:
            at_ms = self._last_ms = max(at_ms, self._last_ms + 1)
        self._value = round(self._value + 0.001, 3)
        value = self._value
        message = self._client.publish(TOPIC, orjson.dumps({"t": at_ms, "v": value}), qos=1)
        message.wait_for_publish(20)
        assert message.is_published()
        self.acknowledged[at_ms] = value
        return at_ms, value

    def start(self, interval_s: float = 0.2) -> None:
        """Publish until `stop`."""
        self._stopping.clear()

        def work() -> None:
            while not self._stopping.wait(interval_s):
                self.publish()

        self._thread = threading.Thread(target=work, name="publisher")
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None

    def close(self) -> None:
        self.stop()
        self._client.disconnect()
        self._client.loop_stop()
        self._client._reset_sockets()
