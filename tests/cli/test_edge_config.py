"""`kgce edge config`: from a key pair to a gateway that runs what was signed, and back."""

import asyncio
import json
import stat
import time
import tomllib
from pathlib import Path

import pytest

from kgce.edge.remote.envelope import addressee, unseal
from kgce.edge.remote.record import Record, Refused
from kgce.edge.remote.versions import Versions
from tests.cli.kgce_command import kgce
from tests.edge.fakes import until
from tests.edge.remote.station import Station, toml
from tests.servers import free_port


@pytest.fixture
def folder(tmp_path) -> Path:
    """With a key pair and a gateway file to sign."""
    assert kgce("edge", "config", "keygen", "ops.key", cwd=tmp_path).code == 0
    (tmp_path / "new.toml").write_text(toml(7))
    return tmp_path


def sign(folder: Path, version: int, *more: object, file: str = "new.toml"):
    return kgce("edge", "config", "sign", file, "--key", "ops.key", "--version", version, *more, cwd=folder)


def public_keys(folder: Path) -> dict[str, str]:
    """A second key file, because a key is printed once."""
    (folder / "ops.key").unlink()
    return tomllib.loads(kgce("edge", "config", "keygen", "ops.key", cwd=folder).out)["keys"]


def test_keygen_writes_a_private_file_once_and_prints_the_line_for_the_gateways(tmp_path) -> None:
    answer = kgce("edge", "config", "keygen", "ops-2026.key", cwd=tmp_path)
    assert answer.code == 0
    assert list(tomllib.loads(answer.out)["keys"]) == ["ops-2026"]
    assert stat.S_IMODE((tmp_path / "ops-2026.key").stat().st_mode) == 0o600
    again = kgce("edge", "config", "keygen", "ops-2026.key", cwd=tmp_path)
    assert again.code == 2
    assert "exists" in again.err


def test_sign_makes_an_envelope_the_gateways_key_opens(tmp_path) -> None:
    keys = tomllib.loads(kgce("edge", "config", "keygen", "ops.key", cwd=tmp_path).out)["keys"]
    (tmp_path / "new.toml").write_text(toml(7))
    answer = sign(tmp_path, 7, "--days", 2)
    assert (answer.code, answer.out) == (0, "")
    assert "version 7 for gateway hall-1" in answer.err
    from kgce.edge.remote.config import RemoteTable

    table = RemoteTable(host="127.0.0.1", keys=keys)
    signed = unseal((tmp_path / "new.v7.json").read_bytes(), table.public_keys, max_bytes=100_000)
    payload = signed.payload
    assert (payload.gateway, payload.version, payload.toml, signed.key) == ("hall-1", 7, toml(7), "ops")
    assert payload.valid_from_ms == 0, "at once, whatever the gateway's clock says"
    assert abs(payload.not_after_ms / 1000 - 2 * 86_400 - time.time()) < 100


def test_sign_takes_a_time_to_begin_at(folder) -> None:
    assert sign(folder, 7, "--from", "2026-05-01T03:00+08:00", "--out", "later.json").code == 0
    payload = addressee((folder / "later.json").read_bytes())
    assert payload.valid_from_ms == 1_777_575_600_000  # 2026-04-30T19:00Z
    assert payload.not_after_ms >= payload.valid_from_ms + 7 * 86_400_000


@pytest.mark.parametrize(
    ("options", "text", "complaint"),
    [
        (("--from", "2026-05-01T03:00"), toml(7), "has no offset"),
        (("--from", "soon"), toml(7), "is no ISO time"),
        ((), "nonsense [", "not TOML"),
        ((), "[gateway]\nfolder = 'b'\n", "gateway.id: missing"),
        (("--key", "absent.key"), toml(7), "absent.key: cannot be read"),
    ],
)
def test_sign_says_in_one_line_what_is_wrong(folder, options, text, complaint) -> None:
    (folder / "new.toml").write_text(text)
    answer = sign(folder, 7, *options)
    assert answer.code == 2
    assert complaint in answer.err
    assert answer.err.count("\n") == 1


async def test_send_tells_what_the_gateway_makes_of_it(folder, mosquitto_port) -> None:
    station = Station(folder, mosquitto_port, keys=public_keys(folder), probation_s=600)
    station.now_s = time.time()

    async def send(version: int, text: str):
        (folder / "new.toml").write_text(text)
        assert sign(folder, version).code == 0
        command = ("edge", "config", "send", f"new.v{version}.json", "--broker", f"127.0.0.1:{mosquitto_port}")
        return await asyncio.to_thread(kgce, *command, cwd=folder)

    async with station.running_remote():
        good = await send(7, toml(7))
        assert (good.code, good.err.strip()) == (0, "hall-1 runs version 7, on trial")
        bad = await send(8, toml(8).replace('"buffer"', '"elsewhere"'))
        assert bad.code == 2
        assert "hall-1 refuses version 8: version 8 changes what only the local file may: gateway.folder" in bad.err
        old = await send(6, toml(6))
        assert old.code == 2
        assert "hall-1 has accepted version 7 already; sign it as 8" in old.err
    assert station.applied == [7.0]


def test_send_to_a_gateway_that_is_away_leaves_it_at_the_broker(folder, mosquitto_port) -> None:
    assert sign(folder, 7).code == 0
    command = ("edge", "config", "send", "new.v7.json", "--broker", f"127.0.0.1:{mosquitto_port}", "--wait")
    left = kgce(*command, 0, cwd=folder)
    assert (left.code, left.err.strip()) == (0, "version 7 is at the broker for hall-1")
    silent = kgce(*command, 0.2, cwd=folder)
    assert silent.code == 1
    assert "hall-1 has not answered in 0.2 s; the broker keeps version 7 for it" in silent.err


def test_send_without_a_broker_says_so(folder) -> None:
    assert sign(folder, 7).code == 0
    answer = kgce("edge", "config", "send", "new.v7.json", "--broker", f"127.0.0.1:{free_port()}", cwd=folder)
    assert answer.code == 1
    assert "cannot be reached" in answer.err


@pytest.fixture
def kept(tmp_path) -> Versions:
    """A gateway that has taken 6 and 7 and refused 8, and does not run now."""
    file = tmp_path / "gateway.toml"
    file.write_text(toml())
    versions = Versions(tmp_path / "buffer", file)
    for version in (6, 7, 8):
        versions.keep(version, toml(version))
    refused = Refused("main is silent", 1_777_575_600_000, 8)
    digest = versions.local_digest()
    versions.save(Record(running=7, previous=6, highest=8, refused=refused, since_ms=5, local_digest=digest))
    return versions


def test_show_names_what_runs_what_is_kept_and_what_was_refused(kept, tmp_path) -> None:
    answer = kgce("edge", "config", "show", "gateway.toml", "--json", cwd=tmp_path)
    assert answer.code == 0
    document = answer.json
    assert (document["version"], document["previous"], document["kept"]) == (7, 6, [6, 7, 8])
    assert document["refused"] == {"version": 8, "at_ms": 1_777_575_600_000, "reason": "main is silent"}
    table = kgce("edge", "config", "show", "gateway.toml", cwd=tmp_path)
    rows = [line.split()[:2] for line in table.out.splitlines() if line.strip()[:1].isdigit()]
    assert rows == [["0", "gateway.toml"], ["6", "before"], ["7", "runs"], ["8", "refused"]]
    assert "refused: version 8 at 2026-04-30 19:00 UTC: main is silent" in table.err


def test_show_needs_no_secret_of_the_gateway(kept, tmp_path) -> None:
    kept.local_file.write_text(
        toml() + "\n[sink]\nkind = 'mqtt'\nhost = 'b'\nusername = 'u'\npassword_env = 'NO_SUCH'\n"
    )
    assert kgce("edge", "config", "show", "gateway.toml", cwd=tmp_path).code == 0


def test_rollback_is_what_the_gateway_starts_with(kept, tmp_path) -> None:
    answer = kgce("edge", "config", "rollback", "gateway.toml", cwd=tmp_path)
    assert answer.code == 0
    assert "version 6 is wanted instead of version 7" in answer.err
    assert json.loads(kgce("edge", "config", "show", "gateway.toml", "--json", cwd=tmp_path).out)["wanted"] == 6
    assert Station(tmp_path, 1883).started.version == 6
    assert kgce("edge", "config", "rollback", "gateway.toml", "--to", 0, cwd=tmp_path).code == 0
    assert Station(tmp_path, 1883).started.version == 0


def test_rollback_to_what_is_not_kept_names_what_is(kept, tmp_path) -> None:
    answer = kgce("edge", "config", "rollback", "gateway.toml", "--to", 3, cwd=tmp_path)
    assert answer.code == 2
    assert "version 3 is not kept here; there are 0, 6, 7, 8" in answer.err


async def test_a_running_gateway_follows_a_rollback(kept, tmp_path, mosquitto_port) -> None:
    station = Station(tmp_path, mosquitto_port, probation_s=10)
    assert station.started.version == 7
    async with station.running_remote():
        command = ("edge", "config", "rollback", "gateway.toml", "--to", 0)
        assert (await asyncio.to_thread(kgce, *command, cwd=tmp_path)).code == 0
        await until(lambda: station.applied == [300.0])
        await until(lambda: station.status["origin"] == "file")
