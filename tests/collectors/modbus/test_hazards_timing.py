"""Field hazards 10 and 16 to 19: silence, back-off, quarantine and time-outs, on an injected clock.

Numbers and evidence: shared/facts/devices.md, section 4.2.
"""

import pytest

from kgce.collectors.modbus import link as links
from kgce.collectors.modbus.link import ModbusLink
from kgce.collectors.modbus.plan import Read
from kgce.collectors.modbus.round_trips import RoundTrips
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.meter import LINKS, image, line, source_for, values
from tests.collectors.modbus.responder import Request, registers_reply, responder
from tests.collectors.modbus.wire import Asked, Pieces, answer, tcp_peer
from tests.servers import free_port

ONE = Read("input", 0, 1, ())


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def link_at(port: int, clock: Clock, **options) -> ModbusLink:
    LINKS.append(ModbusLink(line(port, **options), clock, clock.sleep))
    return LINKS[-1]


async def good(request: Request) -> bytes:
    return registers_reply(request, image(request))


def right(asked: Asked) -> Pieces:
    return [answer("tcp", asked, [1] * asked.count)]


@pytest.mark.hazard(10)
async def test_silence_is_kept_from_the_end_of_an_answer_on() -> None:
    clock = Clock()
    async with tcp_peer("tcp", right) as peer:
        link = link_at(peer.port, clock, pause_ms=250)
        await link.read(1, ONE)
        clock.now += 0.1  # part of the silence has passed already
        await link.read(1, ONE)
        clock.now += 5
        await link.read(1, ONE)
        await link.read(1, ONE, pause_s=3.0)
    assert clock.slept == [0.25, 0.15, 3.0], "once after connecting; a device's own wish counts where it is longer"


@pytest.mark.hazard(10)
async def test_a_new_connection_and_another_unit_get_their_extra_pause() -> None:
    clock = Clock()
    async with tcp_peer("tcp", right) as peer:
        link = link_at(peer.port, clock, pause_ms=20, unit_pause_ms=100, connect_pause_ms=700)
        for unit in (1, 1, 2, 2):
            await link.read(unit, ONE)
        link.close()
        await link.read(2, ONE)
    assert clock.slept[0] >= 0.7
    assert clock.slept[1:] == [0.02, 0.1, 0.02, 0.7 + 0.02]


@pytest.mark.hazard(16)
async def test_back_off_grows_to_half_a_minute_with_jitter_and_starts_again_after_a_good_answer() -> None:
    clock, port = Clock(), free_port()
    link = link_at(port, clock)
    waits = []
    for _ in range(12):
        with pytest.raises(LineDown, match="nobody answers"):
            await link.read(1, ONE)
        began = clock.now
        with pytest.raises(LineDown, match="next attempt soon"):
            await link.read(1, ONE)
        clock.now = link._closed_until
        waits.append(clock.now - began)
    limits = [min(links.FIRST_PAUSE_S * 2**at, links.LONGEST_PAUSE_S) for at in range(12)]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(waits, limits, strict=True)), waits
    assert link._pause_s == links.LONGEST_PAUSE_S

    async def say(request: Request) -> bytes:
        return registers_reply(request, [1])

    async with responder(say, port=port):
        assert list(await link.read(1, ONE)) == [1]
    assert link._pause_s == links.FIRST_PAUSE_S


@pytest.mark.hazard(17)
async def test_a_unit_in_quarantine_is_asked_one_small_thing_before_everything_else(profile: str) -> None:
    answering = False

    async def say(request: Request) -> bytes | None:
        return await good(request) if answering else None

    async with responder(say) as at:
        source = source_for(at.port, profile, timeout_s=0.05)
        device = source._devices[0]
        for _ in range(3):
            with pytest.raises(DeviceUnreachable):
                await source.poll("m1")
            device.silent("", 0, line_is_up=True)
        assert device.is_probed
        at.requests.clear()
        with pytest.raises(DeviceUnreachable):
            await source.poll("m1")
        assert [(asked.address, asked.count) for asked in at.requests] == [(40, 1)]
        answering = True
        at.requests.clear()
        assert len(await source.poll("m1")) == 3
        assert [(asked.address, asked.count) for asked in at.requests] == [(40, 1), (0, 4), (40, 1)]


@pytest.mark.hazard(18)
async def test_a_time_out_near_the_usual_answer_says_what_to_raise() -> None:
    """The gateway waits for its slave almost as long as we wait for the gateway."""
    clock, slow = Clock(), True

    def say(asked: Asked) -> Pieces:
        clock.now += 0.06
        return right(asked) if slow else []

    async with tcp_peer("tcp", say) as peer:
        link = link_at(peer.port, clock, timeout_s=0.1)
        await link.read(1, ONE)
        slow = False
        with pytest.raises(DeviceUnreachable, match=r"no answer in time: .* up to 0\.06 s; raise timeout_s to 0\.24"):
            await link.read(1, ONE)
        with pytest.raises(DeviceUnreachable, match=r"no answer in time$"):
            await link.read(2, ONE)


@pytest.mark.hazard(18)
def test_one_slow_answer_is_forgotten_among_quick_ones() -> None:
    trips = RoundTrips()
    trips.note(1, 0.9)
    assert "raise timeout_s to 3.6" in trips.hint(1, 1.0)
    for _ in range(100):
        trips.note(1, 0.01)
    assert trips.hint(1, 1.0) == ""


@pytest.mark.hazard(18)
def test_a_serial_line_waits_as_much_longer_as_the_bytes_take() -> None:
    """255 bytes of 11 bits at 1200 baud take 2.34 s, more than any sensible time-out for an answer to begin."""
    slow = line(0, serial="/dev/ttyUSB0", baudrate=1200, parity="E")
    assert slow.wire_s(255) == pytest.approx(255 * 11 / 1200)
    assert line(502).wire_s(255) == 0


@pytest.mark.hazard(19)
async def test_a_device_whose_first_request_only_wakes_it_is_asked_twice(profile: str) -> None:
    awake = False

    async def say(request: Request) -> bytes | None:
        nonlocal awake
        if awake:
            return await good(request)
        awake = True
        return None

    async with responder(say) as at:
        source = source_for(at.port, profile, wake_up_read=True)
        for _ in range(2):
            awake = False
            assert len(values(await source.poll("m1"))) == 3
