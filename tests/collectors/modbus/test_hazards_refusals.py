"""Field hazards 21 to 23: exceptions are answers; what they cost is what they name, and never becomes a zero.

Numbers and evidence: shared/facts/devices.md, section 4.3. More of them in test_source.py and test_link_faults.py.
"""

import pytest

from kgce.collectors.modbus.conversation import BUSY_RETRIES
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.meter import image, source_for, values
from tests.collectors.modbus.responder import Request, exception_reply, registers_reply, responder

GAP_PROFILE = """
[device]
brand = "Test"
model = "G1"
measurement = "electricity"
protocol = "modbus"
confidence = "high"
source = "this test"
[[point]]
name = "active_power_total"
register = { table = "input", address = 0, type = "float32" }
unit = "W"
kind = "gauge"
confidence = "high"
[[point]]
name = "frequency"
register = { table = "input", address = 8, type = "uint16" }
scale = 0.01
unit = "Hz"
kind = "gauge"
confidence = "high"
"""


@pytest.mark.hazard(21)
@pytest.mark.parametrize("code", [0x05, 0x06])
async def test_a_device_that_stays_busy_gives_no_sample_after_a_bounded_number_of_questions(
    profile: str, code: int
) -> None:
    async def busy(request: Request) -> bytes:
        return exception_reply(request, code)

    async with responder(busy) as at:
        with pytest.raises(DeviceUnreachable, match="exceptions only"):
            await source_for(at.port, profile).poll("m1")
    assert len(at.requests) == 2 * (1 + BUSY_RETRIES), "two blocks"


@pytest.mark.hazard(22)
async def test_a_gateway_without_a_route_is_told_as_a_fault_of_its_set_up(profile: str) -> None:
    async def no_route(request: Request) -> bytes:
        return exception_reply(request, 0x0A)

    async with responder(no_route) as at:
        with pytest.raises(DeviceUnreachable, match="not set up for this unit"):
            await source_for(at.port, profile).poll("m1")


@pytest.mark.hazard(22)
async def test_a_unit_a_gateway_cannot_reach_costs_the_other_units_nothing(profile: str) -> None:
    async def one_silent(request: Request) -> bytes:
        if request.unit == 2:
            return exception_reply(request, 0x0B)
        return registers_reply(request, image(request))

    async with responder(one_silent) as at:
        source = source_for(at.port, profile, units=2)
        with pytest.raises(DeviceUnreachable, match="silent"):
            await source.poll("m2")
        assert len(values(await source.poll("m1"))) == 3
    assert at.connections == 1, "the gateway answered: its connection is good"


@pytest.mark.hazard(23)
async def test_a_hole_between_two_values_is_never_read_across_again(tmp_path) -> None:
    """Registers 2 to 7 are asked for along with their neighbours, and one of them does not exist."""
    path = tmp_path / "g1.toml"
    path.write_text(GAP_PROFILE)

    async def holed(request: Request) -> bytes:
        if request.address <= 5 < request.address + request.count:
            return exception_reply(request, 0x02)
        return registers_reply(request, [0x4348, 0x0000, *[0] * 120][: request.count])

    async with responder(holed) as at:
        source = source_for(at.port, str(path))
        for _ in range(3):
            assert values(await source.poll("m1")).keys() == {"active_power_total", "frequency"}
    assert [(asked.address, asked.count) for asked in at.requests] == [(0, 9), *[(0, 2), (8, 1)] * 3]


@pytest.mark.hazard(14)
async def test_a_device_that_hangs_up_on_a_request_costs_that_poll_and_not_the_next(profile: str) -> None:
    """Not answered is absent: the poll ends without readings, and the connection is a new one afterwards."""
    asked = 0

    async def closing(request: Request) -> bytes | None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ConnectionError
        return registers_reply(request, image(request))

    async with responder(closing) as at:
        source = source_for(at.port, profile, timeout_s=5, interval_s=10)
        with pytest.raises(DeviceUnreachable, match="closed before the answer"):
            await source.poll("m1")
        assert len(values(await source.poll("m1"))) == 3
    assert at.connections == 2
