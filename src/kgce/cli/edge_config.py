"""`kgce edge config`: sign a gateway's configuration, send it, see which versions it has, go back to one."""

import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from kgce.cli.terminal import print_json, print_table, say

app = typer.Typer(
    help="Remote configuration: signed versions, tried by the gateway before it keeps them.", no_args_is_help=True
)

GatewayFile = Annotated[Path, typer.Argument(help="Gateway file (TOML).", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]

_DAY_MS: Final = 86_400_000


@app.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; only its owner may read it.")],
) -> None:
    """Make a key pair; the line for [remote] keys of the gateways goes to standard output.

    Example: kgce edge config keygen ops-2026.key
    """
    from kgce.edge.remote.key_pair import new_private_key, public_text

    private = new_private_key(file)
    typer.echo(f'keys = {{ "{file.stem}" = "{public_text(private)}" }}')
    say(f"{file}: the private key; keep it off the gateways, and a copy of it safe")


@app.command()
def sign(
    file: GatewayFile,
    key_file: Annotated[Path, typer.Option("--key", help="Private key file of keygen.")],
    version: Annotated[int, typer.Option("--version", min=1, help="Above every version the gateway has accepted.")],
    key_id: Annotated[
        str | None, typer.Option("--id", help="Its name in [remote] keys.", show_default="name of the key file")
    ] = None,
    starts: Annotated[
        str | None, typer.Option("--from", help="ISO time with offset from which it runs.", show_default="at once")
    ] = None,
    days: Annotated[float, typer.Option("--days", min=0.01, max=3650, help="How long it may be taken.")] = 7.0,
    out: Annotated[Path | None, typer.Option("--out", help="Envelope.", show_default="FILE.vN.json")] = None,
) -> None:
    """Sign a gateway file into an envelope for the gateway it names.

    Example: kgce edge config sign hall-1.toml --key ops-2026.key --version 7
    """
    from kgce.domain.errors import InputError
    from kgce.edge.remote.envelope import HIGHEST_VERSION, Payload, seal
    from kgce.edge.remote.key_pair import read_private_key

    if version > HIGHEST_VERSION:
        raise InputError(f"version {version} is above {HIGHEST_VERSION}")
    text, gateway = _read(file)
    from_ms = 0 if starts is None else _instant_ms(starts)  # at once, even where the gateway's clock is behind
    now_ms = int(time.time() * 1000)
    payload = Payload(
        gateway=gateway,
        version=version,
        valid_from_ms=from_ms,
        not_after_ms=max(from_ms, now_ms) + int(days * _DAY_MS),
        toml=text,
    )
    envelope = seal(payload, read_private_key(key_file), key_id or key_file.stem)
    target = out or file.with_name(f"{file.stem}.v{version}.json")
    target.write_bytes(envelope)
    say(f"{target}: version {version} for gateway {gateway}, {len(envelope):,} bytes, valid for {days:g} days")


@app.command()
def send(
    envelope: Annotated[Path, typer.Argument(help="What sign has written.", show_default=False)],
    broker: Annotated[str, typer.Option("--broker", help="HOST:PORT of the gateways' broker.")] = "127.0.0.1:1883",
    username: Annotated[
        str | None, typer.Option("--username", help="At the broker; the password is in KGCE_BROKER_PASSWORD.")
    ] = None,
    tls: Annotated[
        bool | None, typer.Option("--tls/--no-tls", help="Encrypted.", show_default="yes, but on this machine")
    ] = None,
    ca_file: Annotated[Path | None, typer.Option("--ca-file", help="Who vouches for the broker.")] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, max=3600, help="Seconds to wait for the gateway's answer; 0 does not.")
    ] = 30.0,
) -> None:
    """Publish an envelope for its gateway and wait for what it says.

    Exit code 0: it runs, on trial; 1: no answer yet, the broker keeps it for the gateway; 2: refused.

    Example: kgce edge config send hall-1.v7.json --broker 127.0.0.1:1883
    """
    from kgce.domain.errors import InputError
    from kgce.edge.remote import sender

    try:
        content = envelope.read_bytes()
    except OSError as error:
        raise InputError(f"{envelope}: cannot be read: {error.strerror}") from error
    config = _broker(broker, username=username, tls=tls, ca_file=ca_file)
    say(sender.send(config, content, wait_s=wait_s))


@app.command()
def show(file: GatewayFile, json: JsonOption = False) -> None:
    """Which versions this gateway has: running, on trial, kept, refused. For the machine the gateway is on.

    Example: kgce edge config show gateway.toml
    """
    from kgce.edge.remote.news import summary

    versions = _versions(file)
    record = versions.load()
    document = {**summary(record), "previous": record.previous, "kept": versions.kept(), "wanted": versions.wanted()}
    if json:
        print_json(document)
        return
    rows = [(str(number), _state(number, document), str(versions.path(number))) for number in (0, *versions.kept())]
    print_table("", ("version", "state", "file"), rows, right=("version",))
    if record.refused is not None:
        number = "" if record.refused.version is None else f"version {record.refused.version} "
        say(f"refused: {number}at {_utc(record.refused.at_ms)}: {record.refused.reason}")


@app.command()
def rollback(
    file: GatewayFile,
    to: Annotated[
        int | None,
        typer.Option("--to", min=0, help="Version; 0 is the gateway file.", show_default="the one that ran before"),
    ] = None,
) -> None:
    """Go back to a version this gateway has kept; a running gateway follows within seconds.

    Example: kgce edge config rollback gateway.toml --to 6
    """
    versions = _versions(file)
    record = versions.load()
    version = record.previous if to is None else to
    versions.want(version)
    name = f"version {version}" if version else str(file)
    say(f"{name} is wanted instead of version {record.running}; the gateway takes it within seconds, or when it starts")


def _broker(address: str, *, username: str | None, tls: bool | None, ca_file: Path | None) -> Any:
    from pydantic import ValidationError

    from kgce.cli.broker import broker_address
    from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
    from kgce.domain.errors import ConfigError

    host, port = broker_address(address)
    keys: dict[str, Any] = {"host": host, "port": port}
    if tls is not None or ca_file is not None:
        keys["tls"] = tls is not False
    if ca_file is not None:
        keys["ca_file"] = str(ca_file)
    if username is not None:
        keys |= {"username": username, "password_env": "KGCE_BROKER_PASSWORD"}
    try:
        return SecureBrokerConfig(**keys)
    except ValidationError as error:
        raise ConfigError(f"broker: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _versions(file: Path) -> Any:
    """Of the gateway whose file this is; only its folder is looked at, secrets need not be there."""
    from pydantic import ValidationError

    from kgce.domain.errors import ConfigError
    from kgce.edge.config import GatewayTable
    from kgce.edge.remote.versions import Versions

    table = _tables(file).get("gateway")
    try:
        gateway = GatewayTable.model_validate(table, context={"folder": file.parent})
    except ValidationError as error:
        raise ConfigError(f"{file}: gateway: {error.errors()[0]['msg']}; kgce edge check names all") from error
    return Versions(gateway.folder, file)


def _read(file: Path) -> tuple[str, str]:
    """(text, gateway id) of a gateway file."""
    from kgce.domain.errors import ConfigError

    table = _tables(file).get("gateway")
    gateway = table.get("id") if isinstance(table, dict) else None
    if not isinstance(gateway, str):
        raise ConfigError(f"{file}: gateway.id: missing; a version is signed for one gateway")
    return file.read_text(encoding="utf-8"), gateway


def _tables(file: Path) -> dict[str, Any]:
    import tomllib

    from kgce.domain.errors import ConfigError

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not TOML: {error}") from error


def _instant_ms(text: str) -> int:
    from datetime import datetime

    from kgce.domain.errors import InputError, NaiveTime

    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no ISO time, such as 2026-05-01T03:00+08:00") from error
    if instant.tzinfo is None:
        raise NaiveTime(f"{text!r} has no offset; write it as in 2026-05-01T03:00+08:00")
    return int(instant.timestamp() * 1000)


def _state(number: int, document: dict[str, Any]) -> str:
    words = []
    if number == document["version"]:
        words.append("on trial" if document["on_trial"] else "runs")
    elif number == document["previous"]:
        words.append("before")
    if number == document["wanted"]:
        words.append("wanted")
    refused = document["refused"]
    if refused and number == refused["version"]:
        words.append("refused")
    return ", ".join(words)


def _utc(at_ms: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
