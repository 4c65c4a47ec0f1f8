"""A field's name decides its unit and kind."""

import pytest

from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of


@pytest.mark.parametrize(
    ("field", "unit", "kind"),
    [
        ("voltage_l1_n", "V", Kind.GAUGE),
        ("active_power_total", "kW", Kind.GAUGE),
        ("active_energy_import", "kWh", Kind.COUNTER),
        ("active_energy_import_l2", "kWh", Kind.COUNTER),
        ("active_energy_import_interval", "kWh", Kind.INTERVAL),
        ("actual_temperature", "degC", Kind.GAUGE),
        ("flue_gas_o2", "%", Kind.GAUGE),
        ("water_volume", "m3", Kind.COUNTER),
        ("error_code", "", Kind.STATE),
        ("thd_voltage_l3", "%", Kind.GAUGE),
    ],
)
def test_the_longest_known_beginning_of_the_name_decides(field: str, unit: str, kind: Kind) -> None:
    quantity = quantity_of(field)
    assert (quantity.unit, quantity.kind) == (unit, kind)


def test_an_unknown_quantity_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="unknown quantity 'juice_level'"):
        quantity_of("juice_level")
