"""Whatever comes under whatever topic: nothing is raised, and no reading is made of what is none."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.convention import convention_names, load_convention
from kgce.collectors.mqtt.listening import Listening
from kgce.collectors.mqtt.read_message import read_message
from tests.collectors.mqtt.live import PLUG, SHELLY, tasmota

NAMES = st.sampled_from(convention_names())
KEYS = st.sampled_from(
    [
        "ENERGY",
        "Power",
        "Total",
        "Time",
        "params",
        "ts",
        "em:0",
        "a_act_power",
        "values",
        "errors",
        "node",
        "timestamp",
        "meterValue",
        "sampledValue",
        "value",
        "unit",
        "measurand",
        "emeters",
        "power",
        "nodes",
        "main",
        "properties",
        "id",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
LISTENING = Listening(MqttConfig.model_validate({"host": "127.0.0.1", "client_id": "c", "devices": [PLUG, SHELLY]}))


def topics(name: str) -> list[str]:
    rules = load_convention(name)
    filled = [
        pattern.bound({"id": "x", "n": "0", "component": "em", "key": "power", "node": "a", "property": "b"}).text
        for kind in rules.message
        for pattern in kind.patterns(rules.prefix)
    ]
    return [text.replace("{id*}", "x") for text in filled]


@given(NAMES, st.data(), st.binary(max_size=120) | JSON.map(lambda document: json.dumps(document).encode()))
def test_no_payload_raises_or_gives_a_number_that_is_none(name: str, data: st.DataObject, payload: bytes) -> None:
    topic = data.draw(st.sampled_from(topics(name)) | st.text(max_size=20))
    found = read_message(load_convention(name), topic, payload, tz="Europe/Berlin")
    for said in found.said:
        assert math.isfinite(said.value) or said.bad or said.problem
        assert said.time_ms is None or 315_532_800_000 <= said.time_ms < 4_102_444_800_000


@given(st.sampled_from(["tele/plug1/SENSOR", "shellies/em/emeter/0/power"]), st.binary(max_size=60))
def test_no_bytes_become_a_row_that_is_not_finite(topic: str, payload: bytes) -> None:
    results, _ = LISTENING.read(topic, payload, retained=False, arrived_ms=1_700_000_000_000)
    assert all(math.isfinite(value) for _, mapped in results for _, _, value, _ in mapped.rows)


@given(st.integers(0, len(tasmota(56.25)) - 1))
def test_a_message_cut_anywhere_gives_no_reading(length: int) -> None:
    """JSON ends with its last bracket: what is cut is no JSON."""
    results, _ = LISTENING.read("tele/plug1/SENSOR", tasmota(56.25)[:length].encode(), retained=False, arrived_ms=0)
    assert [mapped.rows for _, mapped in results] == [()]


def test_a_message_beyond_all_reason_is_not_parsed() -> None:
    payload = b"[" + b"1," * 600_000 + b"1]"
    assert read_message(load_convention("tasmota"), "tele/x/SENSOR", payload).refused == ("payload too large",)
