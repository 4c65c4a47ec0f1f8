"""Finding out who is on a line."""

from kgce.collectors.dlt645.identifiers import Edition
from kgce.collectors.dlt645.probe import read_address, search
from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.line import Line
from kgce.simulators.dlt645 import codec
from kgce.simulators.dlt645.meter import Dlt645Meter
from kgce.simulators.dlt645.server import Dlt645Bus, Dlt645Server
from kgce.simulators.line.server import TcpLine
from tests.collectors.dlt645.meters import TRUTH, Planted, clock

FOR_S = 0.02


class Shouting(Dlt645Bus):
    """Meters that answer at once destroy each other's frames, as on two wires."""

    async def answers(self, request: bytes) -> list[bytes]:
        found = await super().answers(request)
        if len(found) < 2:
            return found
        return [bytes(a ^ b for a, b in zip(*found[:2], strict=True))]


async def test_a_meter_alone_says_its_address() -> None:
    async with Dlt645Server({"181226034194": Planted(TRUTH)}, clock) as server:
        line = Line(LineConfig(host="127.0.0.1", port=server.port), timeout_s=5.0)
        assert await read_address(line, for_s=0.1) == ["181226034194"]
        line.close()


async def test_an_empty_line_has_no_address() -> None:
    async with Dlt645Server({}, clock) as server:
        line = Line(LineConfig(host="127.0.0.1", port=server.port), timeout_s=5.0)
        assert await read_address(line, for_s=FOR_S) == []
        assert [step.found async for step in search(line, Edition.Y2007, for_s=FOR_S)] == [()]
        line.close()


async def test_meters_that_answer_at_once_are_found_one_by_one() -> None:
    edition = Edition.Y1997
    addresses = {"000000000142", "000000000242", "000000000007"}
    meters = {one: Dlt645Meter(one, Planted(TRUTH), edition=edition.value) for one in addresses}
    async with TcpLine(Shouting(meters, clock)) as server:
        line = Line(LineConfig(host="127.0.0.1", port=server.port), timeout_s=5.0)
        steps = [step async for step in search(line, edition, for_s=FOR_S)]
        line.close()
    assert {found for step in steps if not step.is_crowd for found in step.found} == addresses
    assert steps[0].pattern == "a" * 12
    assert steps[0].is_crowd
    assert len(steps) == 1 + 100 + 100  # all, by the last two digits, and those that end in 42 by the two before


def test_the_frames_of_meters_that_answer_at_once_are_none() -> None:
    one, other = (codec.frame(address, 0x91, bytes(8)) for address in ("000000000142", "000000000242"))
    from kgce.collectors.dlt645.frame import parse

    assert parse(bytes(a ^ b for a, b in zip(one, other, strict=True))) == []
