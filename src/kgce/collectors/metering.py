"""The metering point behind a device's main quantity."""

from typing import Final

from kgce.collectors.place import Place
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import ConfigError
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point

CARRIER_OF_QUANTITY: Final = {carrier.quantity: carrier.code for carrier in CARRIERS.values()}


def metering_point(place: Place, quantity: str, measurement: str) -> Point:
    """Point of a counter that measures a carrier.

    Raises:
        ConfigError: the quantity measures no carrier.
    """
    carrier = CARRIER_OF_QUANTITY.get(quantity)
    if carrier is None:
        raise ConfigError(f"{place.device}: {quantity} measures no carrier; known: {', '.join(CARRIER_OF_QUANTITY)}")
    return Point(place.series(quantity, measurement), carrier, Kind.COUNTER, counts=place.counts)
