"""Signed versions over a real Mosquitto: taken, refused with a reason, tried, kept or undone."""

import asyncio
import os

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kgce.domain.errors import ConfigError
from kgce.edge.remote.health import Health
from tests.edge.fakes import NOW_MS, until
from tests.edge.remote.station import METER, Station, centre_at, envelope, toml
from tests.servers import free_port

SICK = Health({METER: False}, "up")


async def test_a_signed_version_is_applied_tried_kept_and_reported(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port, probation_s=0.3)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            await until(lambda: centre.last().get("version") == 0)
            assert centre.last()["origin"] == "file"
            centre.send(envelope(7))
            await until(lambda: bool(station.told("config.kept")))
            await until(lambda: centre.last().get("on_trial") is False and centre.last()["version"] == 7)
    assert station.applied == [7.0]
    assert [(report["version"], report["on_trial"]) for report in centre.reports][-2:] == [(7, True), (7, False)]
    assert (centre.last()["origin"], centre.last()["refused"], centre.last()["highest"]) == ("remote", None, 7)
    assert station.versions.kept() == [7]
    assert station.versions.path(7).read_text() == toml(7)
    (applied,) = station.told("config.applied")
    assert applied.evidence == {"version": 7, "changed": ["checks.future_limit_s"], "key": "ops"}


def tampered(raw: bytes) -> bytes:
    """One letter of the payload is another one; everything else is as it was signed."""
    document = orjson.loads(raw)
    middle = len(document["payload"]) // 2
    other = "A" if document["payload"][middle] != "A" else "B"
    document["payload"] = document["payload"][:middle] + other + document["payload"][middle + 1 :]
    return orjson.dumps(document)


BAD = [
    pytest.param(tampered(envelope(7)), "the signature is not that of key 'ops'", id="tampered"),
    pytest.param(envelope(7, key=Ed25519PrivateKey.generate()), "the signature is not that of key", id="wrong key"),
    pytest.param(envelope(7, name="stranger"), "key 'stranger', which is not in .remote. keys", id="unknown key"),
    pytest.param(b"{}", "not an envelope", id="no envelope"),
    pytest.param(b"x" * 300_000, "300000 bytes, at most 262144 are taken", id="too large"),
    pytest.param(envelope(7, gateway="hall-2"), "for gateway 'hall-2', this is 'hall-1'", id="another gateway's"),
    pytest.param(envelope(7, not_after_ms=NOW_MS - 5000, valid_from_ms=0), "expired 5 s ago", id="expired"),
    pytest.param(envelope(7, valid_from_ms=NOW_MS + 10, not_after_ms=NOW_MS), "valid at no time", id="never valid"),
    pytest.param(envelope(7, "not [ toml"), "version 7: not TOML", id="not TOML"),
    pytest.param(envelope(7, toml() + "\n[unknown]\nkey = 1\n"), "unknown: unknown key", id="not a configuration"),
    pytest.param(
        envelope(7, "[gateway]\nid = 'hall-1'\n"), "gateway.folder: Field required", id="half a configuration"
    ),
    pytest.param(
        envelope(7, toml().replace('"buffer"', '"elsewhere"')), "only the local file may: gateway.folder", id="folder"
    ),
    pytest.param(
        envelope(7, toml() + "\n[buffer]\ndurability = 'normal'\n"), "needs a restart: buffer.durability", id="restart"
    ),
]


@pytest.mark.parametrize(("raw", "reason"), BAD)
async def test_what_is_not_right_is_refused_whole_with_a_reason(tmp_path, mosquitto_port, raw, reason) -> None:
    station = Station(tmp_path, mosquitto_port)
    before = station.running
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(raw)
            await until(lambda: (centre.last().get("refused") or {}).get("reason", "") != "")
            report = centre.last()
    assert (report["version"], report["highest"]) == (0, 0)
    with pytest.raises(ConfigError, match=reason):
        raise ConfigError(report["refused"]["reason"])
    assert station.applied == []
    assert station.running is before
    assert station.versions.kept() == []
    assert len(station.told("config.refused")) == 1


async def test_an_older_version_is_refused_even_when_its_signature_is_good(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7))
            await until(lambda: station.applied == [7.0])
            centre.send(envelope(6))
            await until(lambda: "version 6 is not above 7" in station.refusal)
            centre.send(envelope(7, toml(99)))
            await until(lambda: "version 7 is not above 7" in station.refusal)
    assert station.applied == [7.0]
    again = Station(tmp_path, mosquitto_port)  # the memory of it outlives the process and the roll-back of its trial
    assert again.status["highest"] == 7


@pytest.mark.hazard(38, 39)
async def test_the_retained_version_seen_again_after_a_reconnect_is_not_applied_again(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7))
            await until(lambda: station.applied == [7.0])
        seen = len(centre.reports)
        station.reconnect()
        async with station.running_remote():
            await until(lambda: len(centre.reports) > seen)
            centre.send(envelope(8, "nonsense ["))
            await until(lambda: bool(station.told("config.refused")))  # so the retained 7 before it has been looked at
    assert station.applied == [7.0]
    assert [event.evidence["version"] for event in station.told("config.refused")] == [8]


async def test_a_version_that_silences_a_device_is_taken_back(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port, probation_s=0.6)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7))
            await until(lambda: station.applied == [7.0])
            station.health = SICK
            await until(lambda: bool(station.told("config.rolled_back")))
            await until(lambda: centre.last()["version"] == 0)
    assert station.applied == [7.0, 300.0]
    assert station.running.checks.future_limit_s == 300.0
    assert centre.last()["refused"]["version"] == 7
    assert centre.last()["refused"]["reason"] == "office-1/main answered before and is silent now"
    assert Station(tmp_path, mosquitto_port).started.version == 0


async def test_a_version_that_came_during_a_trial_falls_back_to_what_was_proven(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port, probation_s=1.0)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7))
            await until(lambda: station.applied == [7.0])
            station.health = SICK  # 7 did it; 8 must not take it for the state it has to match
            centre.send(envelope(8))
            await until(lambda: station.applied == [7.0, 8.0])
            await until(lambda: bool(station.told("config.rolled_back")))
    assert station.applied == [7.0, 8.0, 300.0]
    assert station.status["version"] == 0


@pytest.mark.parametrize("error", [ConfigError("port 1502 is taken"), RuntimeError("a bug")])
async def test_a_version_that_cannot_be_applied_is_refused_and_not_tried_again(tmp_path, mosquitto_port, error) -> None:
    station = Station(tmp_path, mosquitto_port)
    station.apply_error = error
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7))
            await until(lambda: "could not be applied" in station.refusal)
    assert str(error) in station.refusal
    assert (station.status["version"], station.status["highest"]) == (0, 7)
    again = Station(tmp_path, mosquitto_port)
    assert again.started.version == 0
    async with again.running_remote():
        with centre_at(mosquitto_port) as centre:
            centre.send(envelope(8, "nonsense ["))
            await until(lambda: "version 8" in again.refusal)  # so the retained 7 before it has been looked at
    assert again.applied == []


async def test_a_version_for_later_waits_for_its_time(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7, valid_from_ms=NOW_MS + 60_000))
            await until(lambda: centre.last().get("waiting") == {"version": 7, "valid_from_ms": NOW_MS + 60_000})
            assert station.applied == []
            station.now_s += 61
            await until(lambda: station.applied == [7.0])
            await until(lambda: centre.last()["waiting"] is None)


async def test_the_local_operator_wins_and_ends_the_trial(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7))
            await until(lambda: station.applied == [7.0])
            station.file.write_text(toml(60))
            change = await station.remote.reload_local()
            await until(lambda: centre.last()["origin"] == "file")
    assert change.what == ("checks.future_limit_s",)
    assert station.applied == [7.0, 60.0]
    assert not centre.last()["on_trial"]
    assert len(station.told("config.local")) == 1
    assert Station(tmp_path, mosquitto_port).running.checks.future_limit_s == 60.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (toml().replace("hall-1", "hall-9"), "gateway.id: needs a restart of the gateway"),
        ("nonsense [", "not TOML"),
    ],
)
async def test_a_local_file_that_cannot_be_taken_leaves_everything_as_it_was(tmp_path, text, reason) -> None:
    station = Station(tmp_path, free_port())
    station.file.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        await station.remote.reload_local()
    assert station.applied == []
    assert (station.status["version"], station.status["refused"]["version"]) == (0, 0)
    assert len(station.told("config.refused")) == 1


async def test_a_roll_back_by_hand_is_taken_while_running(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port, probation_s=0.2)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            for version in (7, 8):
                centre.send(envelope(version))
                await until(lambda: len(station.told("config.kept")) == version - 6)  # noqa: B023
            station.versions.want(7)
            await until(lambda: station.applied == [7.0, 8.0, 7.0])
            await until(lambda: centre.last()["version"] == 7)
            await until(lambda: station.versions.wanted() is None)
    assert not centre.last()["on_trial"], "the operator stands beside it"
    assert centre.last()["highest"] == 8
    assert Station(tmp_path, mosquitto_port).started.version == 7


async def test_a_roll_back_by_hand_that_cannot_be_done_is_told_once_and_forgotten(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port)
    station.versions.keep(7, toml(7))
    station.apply_error = RuntimeError("a bug")
    station.versions.want(7)
    async with station.running_remote():
        await until(lambda: "v000007.toml could not be applied: a bug" in station.refusal)
        await until(lambda: station.versions.wanted() is None)
    assert len(station.told("config.refused")) == 1
    assert station.status["version"] == 0


async def test_a_roll_back_that_fails_calls_for_a_restart_which_brings_it(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port, probation_s=0.6)
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            centre.send(envelope(7))
            await until(lambda: station.applied == [7.0])
            station.apply_error = RuntimeError("a bug")
            station.health = SICK
            await until(lambda: bool(station.told("config.stuck")))
    assert "restart the gateway" in station.told("config.stuck")[0].message
    assert Station(tmp_path, mosquitto_port).started.version == 0


async def test_a_full_disk_refuses_a_version_before_it_is_applied(tmp_path, mosquitto_port, monkeypatch) -> None:
    station = Station(tmp_path, mosquitto_port)

    def full(_descriptor) -> None:
        raise OSError(28, "No space left on device")

    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            monkeypatch.setattr(os, "fsync", full)
            centre.send(envelope(7))
            await until(lambda: "version 7 cannot be kept on disk" in station.refusal)
            assert station.applied == []
            monkeypatch.undo()
            centre.send(envelope(8))
            await until(lambda: station.applied == [8.0])


async def test_envelopes_of_strangers_cost_no_disk_and_one_event(tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port)
    record = station.versions.load()
    with centre_at(mosquitto_port) as centre:
        async with station.running_remote():
            for number in range(5):
                centre.send(envelope(number + 1, key=Ed25519PrivateKey.generate()))
            centre.send(envelope(9))
            await until(lambda: station.applied == [9.0])
    assert len(station.told("config.refused")) == 1
    assert record.refused is station.versions.load().refused is None


async def test_without_a_broker_it_says_so_and_nothing_else_suffers(tmp_path) -> None:
    station = Station(tmp_path, free_port())
    job = asyncio.create_task(station.remote.run())
    await until(lambda: "cannot be reached" in station.status["last_error"])
    assert not station.status["connected"]
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
