"""What a simulated device says is what the planted truth was: read by the collector, which shares no code with it."""

from typing import Any

import pytest

from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.listening import Listening
from kgce.simulators.mqtt_devices.energy_managers import EmsBoiler, EvccLoadpoint, OpenWbChargepoint
from kgce.simulators.mqtt_devices.homie import HomieMeter
from kgce.simulators.mqtt_devices.plugs import TasmotaPlug, ZigbeePlug
from kgce.simulators.mqtt_devices.shelly import ShellyGen1, ShellyGen2

AT_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NAMED = {"active_power": {"name": "main/power"}, "active_energy_import": {"name": "main/energy"}}
PLUG = {"active_power": 1.25, "active_energy_import": 514.153, "voltage": 230.5, "current": 5.4, "frequency": 50}
PHASES = {
    f"{name}_l{phase}": value * phase
    for phase in (1, 2, 3)
    for name, value in {"active_power": 0.5, "voltage": 100, "active_energy_import": 7.5, "current": 2}.items()
}
CASES: dict[str, tuple[Any, dict[str, float], dict[str, Any]]] = {
    "tasmota": (TasmotaPlug("plug1"), PLUG, {"convention": "tasmota", "id": "plug1", "tz": "Asia/Shanghai"}),
    "tasmota, 2 channels": (
        TasmotaPlug("plug2", channels=2),
        {"active_power_ch1": 0.052, "active_power_ch2": 0.005, "voltage": 235},
        {"convention": "tasmota", "id": "plug2", "tz": "Asia/Shanghai"},
    ),
    "zigbee2mqtt": (ZigbeePlug("plug3"), PLUG, {"convention": "zigbee2mqtt", "id": "plug3"}),
    "shelly 1": (ShellyGen1("em"), PHASES, {"convention": "shelly_gen1", "id": "em"}),
    "shelly 2": (
        ShellyGen2("em2"),
        {**PHASES, "active_power": 3.0, "active_energy_import": 45.0},
        {"convention": "shelly_gen2", "id": "em2"},
    ),
    "homie 4": (
        HomieMeter("meter", version=4),
        {"active_power": 0.5124, "active_energy_import": 9.5},
        {"convention": "homie4", "id": "meter", "fields": NAMED},
    ),
    "homie 5": (
        HomieMeter("meter"),
        {"active_power": 0.5124, "active_energy_import": 9.5},
        {"convention": "homie5", "id": "meter", "fields": NAMED},
    ),
    "ems-esp": (
        EmsBoiler(),
        {"supply_temperature": 61.5, "return_temperature": 48.2, "flue_temperature": 70.1, "firing_rate": 42},
        {"convention": "ems_esp", "id": "ems-esp"},
    ),
    "evcc": (EvccLoadpoint(2), {"active_power": 11.0, "session_energy": 6.5}, {"convention": "evcc", "id": "2"}),
    "openwb": (
        OpenWbChargepoint(3),
        {
            "active_power": 11.0,
            "active_energy_import": 1.12557,
            "current_l1": 0.79,
            "current_l2": 0.71,
            "current_l3": 0.7,
        },
        {"convention": "openwb", "id": "chargepoint/3"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_planted_truth_is_read_back(case: str) -> None:
    device, truth, config = CASES[case]
    place = {"institution": "office", "device": "it", **config}
    listening = Listening(MqttConfig.model_validate({"host": "127.0.0.1", "client_id": "c", "devices": [place]}))
    found: dict[str, float] = {}
    for topic, payload, _ in device.messages(truth, AT_MS):
        assert listening.knows(topic) or topic.endswith("fault_str")
        results, strangers = listening.read(topic, payload, retained=False, arrived_ms=AT_MS)
        assert strangers == set()
        for _, mapped in results:
            assert mapped.refused == ()
            assert all(time_ms == AT_MS for _, time_ms, _, _ in mapped.rows)
            found |= {series.quantity: value for series, _, value, _ in mapped.rows}
    assert found == pytest.approx(truth, rel=1e-6)


def test_a_quantity_the_truth_lacks_is_left_out() -> None:
    [_, (_, payload, _)] = TasmotaPlug("plug1").messages({"active_power": 1.0}, AT_MS)
    assert payload == b'{"Time":"2026-01-01T08:00:00","ENERGY":{"Power":1000.0}}'
