"""Units convert exactly; mistakes are named."""

import pytest

from kgce.domain.errors import UnknownUnit
from kgce.domain.units import CANONICAL, UNITS, convert


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        pytest.param(1500, "Wh", "kWh", 1.5, id="Wh to kWh"),
        pytest.param(3.6, "MJ", "kWh", 1.0, id="3.6 MJ is 1 kWh by definition (SI Brochure, table 8 note)"),
        pytest.param(1.0, "kWh", "MJ", 3.6, id="and back"),
        pytest.param(1, "GJ", "kWh", 1000 / 3.6, id="GJ to kWh"),
        pytest.param(2500, "W", "kW", 2.5, id="W to kW"),
        pytest.param(1, "L/s", "m3/h", 3.6, id="litres a second"),
        pytest.param(2, "t", "kg", 2000, id="tonnes"),
        pytest.param(1.5, "bar", "kPa", 150, id="bar"),
        pytest.param(212, "degF", "degC", 100, id="water boils at 212 F"),
        pytest.param(-40, "degF", "degC", -40, id="the two scales meet at -40"),
        pytest.param(273.15, "K", "degC", 0, id="water freezes at 273.15 K"),
        pytest.param(100, "degC", "degF", 212, id="affine units convert both ways"),
        pytest.param(3000, "m3", "m³", 3000, id="both spellings of cubic metre"),
    ],
)
def test_values_convert_to_the_unit_asked_for(value: float, source: str, target: str, expected: float) -> None:
    """Factors are exact by definition."""
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-14, abs=1e-12)


def test_power_is_never_energy() -> None:
    """kW and kWh measure different things; the message says which."""
    with pytest.raises(UnknownUnit, match="'kW' measures power, 'kWh' measures energy"):
        convert(1, "kW", "kWh")


def test_an_unknown_unit_names_the_known_ones() -> None:
    with pytest.raises(UnknownUnit, match=r"unknown unit 'kw/h'; known: .*kWh"):
        convert(1, "kw/h", "kWh")


@pytest.mark.parametrize("symbol", sorted(UNITS))
def test_every_unit_reaches_the_canonical_one_and_returns(symbol: str) -> None:
    canonical = CANONICAL[UNITS[symbol].dimension]
    assert convert(convert(7.25, symbol, canonical), canonical, symbol) == pytest.approx(7.25, rel=1e-13)
