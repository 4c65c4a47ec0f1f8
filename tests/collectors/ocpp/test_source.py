"""A central system and the ocpp library's own charge points over real WebSockets."""

import asyncio
import ssl

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from kgce.collectors.ocpp.charger import STATES
from kgce.domain.batch import Quality
from kgce.domain.errors import DeviceUnreachable, StoreUnavailable
from kgce.simulators.ocpp.charge_point import Habits
from tests.collectors.ocpp.central import NOW_S, VERSIONS, Car, central, running, until
from tests.collectors.ocpp.certificates import certificate

both = pytest.mark.parametrize("version", VERSIONS)
NOW_MS = round(NOW_S * 1000)


@both
async def test_a_charger_boots_says_its_state_and_its_meter_and_is_online(version: str) -> None:
    async with central() as system:
        charger = system.charger(version=version)
        charger.report()
        async with running(charger):
            await until(lambda: system.of("active_energy_import"))
            assert ("charger-1", "active_energy_import", NOW_MS, pytest.approx(1234.567), Quality.GOOD) in system.rows
            assert system.of("active_power") == [pytest.approx(7.4)]
            assert system.of("voltage") == [231.0]
            assert system.of("charging_state") == [STATES["Available"]]
            (status,) = system.source.status()
            assert (status.device, status.online, status.failures) == ("charger-1", True, 0)
        await until(lambda: not system.source.status()[0].online)


@both
async def test_a_transaction_becomes_a_session_with_its_energy(version: str) -> None:
    async with central() as system:
        car = Car()
        charger = system.charger(version=version, device=car)
        async with running(charger):
            charger.start("tag-7")
            await until(lambda: not charger.queue)
            system.clock.now += 1800
            car.known["active_energy_import"] += 3.7
            charger.report()
            await until(lambda: not charger.queue)
            system.clock.now += 1800
            car.known["active_energy_import"] += 3.3
            charger.stop()
            await until(lambda: not charger.queue and system.of("session_energy"))
        (session,) = system.source.sessions("CP1")
        assert session.is_complete
        assert (session.id_tag, session.connector) == ("tag-7", 1)
        assert session.stop_ms - session.start_ms == 3_600_000
        assert session.energy_kwh == pytest.approx(7.0, abs=0.002)  # 1.6 counts whole Wh
        assert system.of("session_energy") == [pytest.approx(7.0, abs=0.002)]


@both
async def test_begin_and_end_of_a_transaction_are_not_the_live_register(version: str) -> None:
    """lbbrhzn/ocpp#1838: the value of Transaction.Begin overwrote the meter's."""
    async with central() as system:
        charger = system.charger(version=version)
        async with running(charger):
            charger.start()
            charger.stop()
            await until(lambda: not charger.queue and system.source.sessions())
        assert system.of("active_energy_import") == []


@both
async def test_what_was_said_during_an_outage_arrives_later_with_its_own_time(version: str) -> None:
    async with central() as system:
        car = Car()
        charger = system.charger(version=version, device=car)
        charger.start()  # no line yet: all of this waits in its queue
        system.clock.now += 600
        car.known["active_energy_import"] += 1.0
        charger.report()
        system.clock.now += 600
        charger.stop()
        system.clock.now += 86_400
        async with running(charger):
            await until(lambda: not charger.queue and system.of("session_energy"))
        times = [time_ms for _, name, time_ms, _, _ in system.rows if name == "active_energy_import"]
        assert times == [NOW_MS + 600_000]
        (session,) = system.source.sessions()
        assert (session.start_ms, session.stop_ms) == (NOW_MS, NOW_MS + 1_200_000)


@both
async def test_everything_said_twice_changes_nothing(version: str) -> None:
    async with central() as system:
        charger = system.charger(version=version, habits=Habits(repeats=True))
        async with running(charger):
            charger.start()
            charger.stop()
            await until(lambda: not charger.queue and system.source.sessions())
        assert len(system.source.sessions()) == 1


@pytest.mark.hazard(41)
@both
async def test_what_could_not_be_kept_is_not_acknowledged_and_comes_again(version: str) -> None:
    async with central() as system:
        charger = system.charger(version=version)
        system.refusing = StoreUnavailable("the disk is full")
        charger.report()
        async with running(charger):
            await until(lambda: charger.refusals >= 2)
            assert len(charger.queue) == 1
            system.refusing = None
            await until(lambda: not charger.queue)
        assert len(system.of("active_energy_import")) >= 1


@both
async def test_a_restart_in_the_middle_of_a_transaction_loses_nothing(version: str, tmp_path) -> None:
    car = Car()
    async with central(folder=str(tmp_path)) as system:
        charger = system.charger(version=version, device=car)
        port = system.source.port
        async with running(charger):
            charger.start("tag-9")
            await until(lambda: not charger.queue)
    async with central(folder=str(tmp_path), port=port) as again:
        car.known["active_energy_import"] += 2.0
        charger.stop()
        async with running(charger):
            await until(lambda: not charger.queue and again.of("session_energy"))
        (session,) = again.source.sessions()
        assert session.energy_kwh == pytest.approx(2.0, abs=0.002)


@both
async def test_its_interval_and_measurands_are_set_after_boot(version: str) -> None:
    async with central(device={"interval_s": 30}) as system:
        charger = system.charger(version=version)
        async with running(charger):
            await until(lambda: any("Energy" in value for value in charger.settings.values()))
            await until(lambda: len(charger.settings) == (4 if version == "1.6" else 6))
        assert "30" in charger.settings.values()


@both
async def test_a_charger_that_rejects_a_list_gets_what_it_knows_one_by_one(version: str) -> None:
    """devices.md 1.5, TeltoCharge: the whole list is refused if one entry is not supported."""
    key = "MeterValuesSampledData" if version == "1.6" else "SampledDataCtrlr.TxUpdatedMeasurands"
    async with central() as system:
        charger = system.charger(version=version, habits=Habits(rejects_lists=True))
        async with running(charger):
            await until(lambda: charger.settings.get(key, "").count(",") == 3)
        assert charger.settings[key] == "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"


@both
async def test_a_clock_ahead_of_ours_gives_the_time_of_arrival_and_says_so(version: str) -> None:
    async with central() as system:
        charger = system.charger(version=version, habits=Habits(clock_off_s=86_400))
        charger.report()
        async with running(charger):
            await until(lambda: system.of("active_energy_import"))
        rows = [row for row in system.rows if row[1] == "active_energy_import"]
        assert rows[0][2] == NOW_MS
        assert rows[0][4] == Quality.TIME_UNSURE


async def test_a_register_of_kwh_called_wh_is_told_and_not_changed() -> None:
    """OpenEVSE#703. 7.4 kW for an hour are 7.4 kWh; the register grew by 0.0074."""
    async with central(silent_after_s=86_400) as system:
        car = Car()
        charger = system.charger(device=car, habits=Habits(kwh_called_wh=True))
        async with running(charger):
            for _ in range(2):
                charger.report()
                await until(lambda: not charger.queue)
                system.clock.now += 3600
                car.known["active_energy_import"] += 7.4
            assert system.of("active_energy_import")[0] == pytest.approx(1.234567, abs=1e-6)
            assert "a thousand times too little" in system.source.status()[0].last_error


@pytest.mark.hazard(43)
@both
async def test_a_second_connection_of_a_charger_takes_the_place_of_the_first(version: str) -> None:
    async with central() as system:
        first, second = system.charger(version=version), system.charger(version=version)
        async with running(first):
            await until(lambda: system.of("charging_state"))
            async with running(second):
                await until(lambda: second.connections and len(system.of("charging_state")) >= 2)
                assert system.source.status()[0].online


@both
async def test_a_storm_of_reconnects_ends_as_one_online_charger(version: str) -> None:
    async with central() as system:
        charger = system.charger(version=version, habits=Habits(drops_line_every_s=0.05))
        charger.report()
        async with running(charger):
            await until(lambda: charger.connections >= 4 and not charger.queue)
        assert len(system.of("active_energy_import")) >= 1


async def test_strangers_are_refused_before_the_handshake() -> None:
    async with central() as system:
        for path, code in (("/ocpp/nobody", 404), ("/elsewhere/CP1", 404), ("/", 404)):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://127.0.0.1:{system.source.port}{path}", subprotocols=["ocpp1.6"])
            assert refused.value.response.status_code == code


@both
async def test_a_password_is_asked_for_over_tls(version: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CP1_PASSWORD", "correct horse")
    files = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=files["cert_file"])
    async with central(**files, device={"password_env": "CP1_PASSWORD"}) as system:
        url = f"wss://localhost:{system.source.port}/ocpp"
        good = system.charger(version=version, url=url, password="correct horse", tls=trusting)
        wrong = system.charger(version=version, url=url, password="battery", tls=trusting)
        wrong.report()
        async with running(wrong):
            await until(lambda: system.source.status()[0].failures >= 1)
        assert wrong.connections == 0
        good.report()
        async with running(good):
            await until(lambda: system.of("active_energy_import"))


@pytest.mark.parametrize(
    "frame",
    [
        "", "null", "[]", "[2]", '[2, "torn', "[9,1,2,3]", '[2,"1","NoSuchThing",{}]', '[2,"1","Heartbeat",[]]',
        '[2,"1","MeterValues",{"connectorId":"x"}]', '[2,"1","MeterValues",{}]', '[3,"nobody asked",{}]',
        '[4,"x","InternalError","",{}]', "[" * 5000,
        '[2,"1","StartTransaction",{"connectorId":1,"idTag":"a","meterStart":1,"timestamp":"yesterday"}]',
    ],
)  # fmt: skip
async def test_hostile_frames_leave_the_charger_connected_and_the_others_too(frame: str) -> None:
    async with central() as system:
        line = await connect(f"ws://127.0.0.1:{system.source.port}/ocpp/CP1", subprotocols=["ocpp1.6"])
        await line.send(frame)
        await line.send('[2,"42","Heartbeat",{}]')
        async with asyncio.timeout(10):
            while True:
                answer = await line.recv()
                if '"42"' in answer:
                    break
        assert answer.startswith("[3,")
        assert system.rows == []
        await line.close()


async def test_a_frame_larger_than_allowed_ends_the_connection_and_not_the_system() -> None:
    async with central(max_message_bytes=2048) as system:
        line = await connect(f"ws://127.0.0.1:{system.source.port}/ocpp/CP1", subprotocols=["ocpp1.6"])
        await line.send('[2,"1","DataTransfer",{"vendorId":"' + "x" * 5000 + '"}]')
        await line.wait_closed()
        charger = system.charger()
        async with running(charger):
            await until(lambda: system.of("charging_state"))


async def test_a_port_that_is_taken_is_told_in_words() -> None:
    async with central() as system:
        with pytest.raises(DeviceUnreachable, match="cannot listen on"):
            async with central(port=system.source.port) as other:
                await other.source.run(other.emit)
