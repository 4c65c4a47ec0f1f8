"""The same week as others reckon it: continuous queries of a real InfluxDB, and np.diff(x).clip(0)."""

import uuid
from collections.abc import Iterable

import httpx
import numpy as np

from tests.week_of_faults.load import DAY, END, HOUR, START, ZONE
from tests.week_of_faults.meter import Delivery, Meter

HOURS = np.arange(START, END + 1, HOUR)
MIDNIGHTS = np.arange(START, END + 1, DAY)


def clipped_differences(meter: Meter) -> np.ndarray:
    """(168,) kWh of each hour: rows sorted by time, falls made zero, each difference at the time it began."""
    rows = meter.deliveries()
    time_ms = np.concatenate([delivery.time_ms for delivery in rows])
    value = np.concatenate([delivery.value_kwh for delivery in rows])
    order = np.argsort(time_ms, kind="stable")
    began, used = time_ms[order][:-1], np.diff(value[order]).clip(0)
    inside = (began >= START) & (began < END)
    return np.bincount((began[inside] - START) // HOUR, used[inside], len(HOURS) - 1)


class ContinuousQueries:
    """A database of its own on a real InfluxDB, and its hourly and daily continuous queries run as they fall due."""

    def __init__(self, client: httpx.Client) -> None:
        """The client's base URL is the server's."""
        self._client, self._name = client, f"week_{uuid.uuid4().hex}"
        self._ask(f"CREATE DATABASE {self._name}")

    def run(self, meters: Iterable[Meter]) -> None:
        """Write all live rows; run each query at the end of its interval, and let late rows come in between."""
        known = list(meters)
        for meter in known:
            self._write(meter, meter.deliveries()[0])
        late = sorted(
            ((delivery, meter) for meter in known for delivery in meter.deliveries()[1:]),
            key=lambda pair: pair[0].came_ms,
        )
        for end_ms in HOURS[1:].tolist():
            while late and late[0][0].came_ms < end_ms:
                delivery, meter = late.pop(0)
                self._write(meter, delivery)
            self._reckon("hourly", "1h", end_ms - HOUR, end_ms)
            if (end_ms - START) % DAY == 0:
                self._reckon("daily", "1d", end_ms - DAY, end_ms)
        for delivery, meter in late:
            self._write(meter, delivery)

    def run_again(self) -> None:
        """The hourly query once more over the whole week, as somebody does by hand who knows that rows came late."""
        self._reckon("again", "1h", START, END)

    def amounts(self, measurement: str, meter: Meter, edges_ms: np.ndarray) -> np.ndarray:
        """(m,) kWh of each interval; NaN where the query left no row."""
        where = f"\"institution\" = '{meter.institution}' AND \"device\" = '{meter.device}'"
        [result] = self._ask(f'SELECT "kwh" FROM "{measurement}" WHERE {where}')
        found = np.full(len(edges_ms) - 1, np.nan)
        for series in result.get("series", []):
            for time_ms, kwh in series["values"]:
                found[int(np.searchsorted(edges_ms, time_ms))] = kwh
        return found

    def _reckon(self, into: str, every: str, start_ms: int, end_ms: int) -> None:
        """What `CREATE CONTINUOUS QUERY` runs: the server itself looks one interval back for the first difference."""
        self._ask(
            f'SELECT non_negative_difference(last("value")) AS "kwh" INTO "{into}" FROM "register" '
            f"WHERE time >= {start_ms}ms AND time < {end_ms}ms GROUP BY time({every}), * fill(none) tz('{ZONE}')"
        )

    def _write(self, meter: Meter, delivery: Delivery) -> None:
        tags = f"register,institution={meter.institution},device={meter.device}"
        lines = (
            f"{tags} value={value} {time_ms}"
            for time_ms, value in zip(delivery.time_ms.tolist(), delivery.value_kwh.tolist(), strict=True)
        )
        answer = self._client.post("/write", params={"db": self._name, "precision": "ms"}, content="\n".join(lines))
        answer.raise_for_status()

    def _ask(self, query: str) -> list[dict]:
        answer = self._client.post("/query", params={"db": self._name, "epoch": "ms"}, data={"q": query})
        answer.raise_for_status()
        results = answer.json()["results"]
        assert not any("error" in result for result in results), results
        return results
