"""A water or gas meter with a pulse output that reports its count as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import orjson

from kgce.domain.batch import FloatArray
from kgce.simulators.building import at_instant
from kgce.simulators.counter import Counting

_FLOW_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True)
class PulseKind:
    """What is metered, under which names, with how many pulses."""

    measurement: str
    volume: str  # quantity name of the counter
    flow: str
    carrier: str
    pulses_per_m3: int


WATER: Final = PulseKind("water", "water_volume", "water_flow", "water", 1000)
GAS: Final = PulseKind("gas", "gas_volume", "gas_flow", "natural_gas", 100)


def shown_volume_m3(kind: PulseKind, volume_m3: FloatArray) -> FloatArray:
    """The count as whole pulses: what has not filled a pulse is not shown yet."""
    found: FloatArray = np.floor(volume_m3 * kind.pulses_per_m3) / kind.pulses_per_m3
    return found


class PulseMeter:
    """One meter; its message carries time, count and flow."""

    def __init__(self, kind: PulseKind, counting: Counting) -> None:
        self.kind = kind
        self._counting = counting

    def values(self, time_ms: int) -> dict[str, float]:
        """Volume [m3] and flow [m3/h] at one instant."""
        flow, volume = at_instant(self._counting, time_ms)
        return {self.kind.volume: volume, self.kind.flow: flow}

    def message(self, time_ms: int) -> bytes:
        """The JSON message of one instant."""
        return pulse_message(self.kind, self.values(time_ms), time_ms)


def pulse_message(kind: PulseKind, values: Mapping[str, float], time_ms: int) -> bytes:
    """What a meter that counts these values sends when its clock shows this time; null where it measures nothing."""
    volume, flow = values[kind.volume], values[kind.flow]
    shown = float(shown_volume_m3(kind, np.array([volume]))[0])
    time = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return orjson.dumps({"time": time, "volume_m3": shown, "flow_m3_h": round(flow, _FLOW_DECIMALS)})
