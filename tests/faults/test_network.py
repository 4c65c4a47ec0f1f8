"""The way to the centre is cut, or its certificate has run out."""

import contextlib
import datetime as dt
import ipaddress
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import servers
from tests.faults.processes import eventually, kgce
from tests.faults.world import Broker, Gateway, Meter, World

pytestmark = pytest.mark.timeout(240)

ADDRESS = ipaddress.ip_address("127.0.0.1")


class Authority:
    """Vouches for the broker, for as long as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        now = dt.datetime.now(dt.UTC)
        certificate = self._signed(self.name, self.key, now - dt.timedelta(days=900), days=1800, is_authority=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def certify(self, *, expired: bool) -> None:
        """A certificate for 127.0.0.1 in broker.pem, its key in broker.key."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=400)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        certificate = self._signed(name, key, begin, days=399 if expired else 800)
        (self.folder / "broker.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (self.folder / "broker.key").write_bytes(key.private_bytes(*pem))

    def _signed(self, name, key, begin, *, days: int, is_authority: bool = False) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ADDRESS)]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())


def test_a_certificate_that_ran_out_is_refused_and_told_and_data_waits_for_a_new_one(tmp_path) -> None:
    with World(tmp_path) as world:
        world.ingest.stop()
        world.broker.stop()
        authority = Authority(tmp_path / "pki")
        authority.certify(expired=True)
        pki, secure = authority.folder, servers.free_port()
        config = Path(world.broker.command[-1])
        tls = f"listener {secure} 127.0.0.1\ncertfile {pki}/broker.pem\nkeyfile {pki}/broker.key\n"
        config.write_text(f"per_listener_settings false\n{tls}{config.read_text()}")
        world.broker.start()
        world.ingest.start()
        sink = (
            f'kind = "mqtt"\nhost = "127.0.0.1"\nport = {secure}\ntls = true\nca_file = "{authority.file}"\n'
            "receipt_timeout_s = 3"
        )
        world.gateway.file.write_text(world.toml("gw-1", world.meter, sink=sink))
        world.gateway.start()
        eventually(lambda: "certificate" in str(world.gateway.status().get("uplink", {}).get("last_error")), "told")
        world.run_a_while()
        told = [one for one in world.gateway.status()["problems"] if one["subject"] == "uplink"]
        assert "certificate" in told[0]["todo"]
        assert not world.influx.count(), "nothing went over a line nobody vouches for"
        authority.certify(expired=False)
        world.broker.signal(signal.SIGHUP)  # mosquitto reads its certificates again
        world.run_a_while(5, publish=False)
        world.assert_whole()


@contextlib.contextmanager
def network_of_its_own(name: str) -> Iterator[tuple[str, str]]:
    """(address of this side, name of the namespace); the cable between them can be pulled."""
    here, there = f"{name}a", f"{name}b"
    commands = [
        f"ip netns add {name}",
        f"ip link add {here} type veth peer name {there}",
        f"ip link set {there} netns {name}",
        f"ip addr add 10.231.77.1/30 dev {here}",
        f"ip link set {here} up",
        f"ip -n {name} addr add 10.231.77.2/30 dev {there}",
        f"ip -n {name} link set {there} up",
        f"ip -n {name} link set lo up",
    ]
    try:
        for command in commands:
            done = subprocess.run(command.split(), capture_output=True, check=False)
            if done.returncode != 0:
                servers.lacking(f"no network of its own: {command}: {done.stderr.decode().strip()}")
        yield "10.231.77.1", name
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", here], capture_output=True, check=False)


def waiting_inside(netns: str, file: Path) -> int | None:
    """What `kgce edge status` says beside the gateway: its page is on that side's loopback."""
    command = ["ip", "netns", "exec", netns, *kgce("edge", "status", str(file), "--json")]
    status = orjson.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    return status["counters"]["waiting"] if status["running"] else None


def test_a_cable_that_is_pulled_for_a_while_costs_nothing(tmp_path) -> None:
    """Packets vanish without a word: no connection is refused, none is closed; the other side forgets it meanwhile."""
    if os.geteuid() != 0:
        servers.lacking("a network of its own needs root")
    with network_of_its_own(f"kgce{os.getpid() % 100_000}") as (address, netns), World(tmp_path) as world:
        world.ingest.stop()
        world.broker.stop()
        world.broker = Broker(tmp_path / "reachable", host=address)
        world.broker.start()
        world.ingest.command[world.ingest.command.index("--broker") + 1] = f"{address}:{world.broker.port}"
        world.ingest.start([*world.ingest.command, "--no-tls"])
        inside = Meter(tmp_path / "inside")
        inside.list.parent.mkdir()
        inside.command = ["ip", "netns", "exec", netns, *inside.command]
        sink = f'kind = "mqtt"\nhost = "{address}"\nport = {world.broker.port}\ntls = false\nreceipt_timeout_s = 3\ntimeout_s = 2'
        toml = world.toml("gw-1", inside, sink=sink)
        world.gateway = Gateway(tmp_path / "one", toml[: toml.index("[[mqtt]]")])
        world.gateway.command = ["ip", "netns", "exec", netns, *world.gateway.command]
        inside.start()
        try:
            world.gateway.start()
            eventually(lambda: len(world.in_store("main-meter")) > 5, "readings arrive")
            subprocess.run(["ip", "link", "set", f"{netns}a", "down"], check=True)
            before = len(inside.served())
            eventually(lambda: len(inside.served()) > before + 20, "the meter is read on")
            world.broker.kill()
            world.broker.start()
            eventually(lambda: len(inside.served()) > before + 40, "the meter is read on")
            subprocess.run(["ip", "link", "set", f"{netns}a", "up"], check=True)
            eventually(lambda: len(world.in_store("main-meter")) >= before + 40, "what waited arrives")
            inside.kill()
            eventually(lambda: len(world.in_store("main-meter")) >= len(inside.served()) - 1, "all of it")
            eventually(lambda: waiting_inside(netns, world.gateway.file) == 0, "the receipts arrive as well")
            last = world.gateway.final()
            assert last["equation_holds"]
            stored = [value for _, value in world.in_store("main-meter")]
            assert len(stored) == len(set(stored)) >= len(inside.served()) - 1
        finally:
            inside.end()
            world.gateway.end()
