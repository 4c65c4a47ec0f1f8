"""What others make of the same week: InfluxDB's continuous query, and numpy's diff without rules."""

import uuid

import httpx
import numpy as np

from tests.week_of_faults.week import DAY, HOUR, START, TIMES, Meter

END = START + 7 * DAY
QUERY = (
    'SELECT non_negative_difference(last("value")) AS "used" INTO "{database}"."autogen"."hourly" FROM "meter" '
    "WHERE time >= {start}ms AND time <= {end}ms GROUP BY time(1h), * fill(none)"
)


def diff_clip(meter: Meter) -> np.ndarray:
    """(168,) kWh of each hour by `np.diff(x).clip(0)`, booked where the later reading lies."""
    times, shown = TIMES[meter.kept], meter.shown[meter.kept]
    hour = (times[1:] - 1 - START) // HOUR
    return np.bincount(hour, np.diff(shown).clip(0), 168)


class ContinuousQuery:
    """The query that a continuous query runs, over the whole week at once, in a real InfluxDB."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        self._database = f"week_{uuid.uuid4().hex}"
        self._ask(f'CREATE DATABASE "{self._database}"', method="POST")

    def hours(self, meter: Meter) -> np.ndarray:
        """(168,) kWh of each hour; an hour the query gives nothing for is 0, as a dashboard shows it."""
        name = meter.name.replace(" ", "_")
        pairs = zip(TIMES[meter.kept].tolist(), meter.shown[meter.kept].tolist(), strict=True)
        lines = "\n".join(f"meter,name={name} value={value!r} {time_ms - 1}" for time_ms, value in pairs)
        self._client.post("/write", params={"db": self._database, "precision": "ms"}, content=lines).raise_for_status()
        self._ask(QUERY.format(database=self._database, start=START - HOUR, end=END), method="POST")
        rows = self._ask(f"SELECT used FROM hourly WHERE \"name\" = '{name}'").get("series", [{"values": []}])[0][
            "values"
        ]
        found = np.zeros(168)
        for time_ms, used in rows:
            place = (time_ms - START) // HOUR
            if 0 <= place < 168:
                found[place] = used
        return found

    def _ask(self, query: str, method: str = "GET") -> dict:
        answer = self._client.request(method, "/query", params={"db": self._database, "q": query, "epoch": "ms"})
        answer.raise_for_status()
        result = answer.json()["results"][0]
        assert "error" not in result, result
        return result

    def close(self) -> None:
        self._client.close()
