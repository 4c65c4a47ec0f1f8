"""Versions: the configurations this gateway has accepted, on disk, and which of them it starts with.

<gateway.folder>/config/  v000007.toml ...   every accepted version, the newest ten
                          current.json       which runs, which ran before, on trial or not, the highest ever
                          wanted             a number: the local operator's choice, taken at the next look or start

The file named on the command line is version 0; relative paths of every version start where that file lies.
"""

import hashlib
import logging
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kgce.domain.errors import ConfigError, InputError
from kgce.edge.config import GatewayConfig, load_config, parse_config
from kgce.edge.remote.change import compare
from kgce.edge.remote.files import remove, write_whole
from kgce.edge.remote.record import LOCAL, Record, Refused, decode

log: Final = logging.getLogger(__name__)

_KEPT: Final = 10


class Versions:
    """The folder; one gateway writes it, anybody may look."""

    def __init__(self, gateway_folder: Path, local_file: Path) -> None:
        """Nothing is written before the first version."""
        self.folder = gateway_folder / "config"
        self.local_file = local_file

    def load(self) -> Record:
        """What is on record; without a readable record, what the kept files prove."""
        path = self.folder / "current.json"
        try:
            return decode(path.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.error("%s cannot be read (%s): the gateway runs its local file", path, error)  # noqa: TRY400 - one line
        return Record(highest=max(self.kept(), default=0))

    def save(self, record: Record) -> None:
        """Put it on the disk.

        Raises:
            OSError: the disk takes nothing; the record before stands.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.folder / "current.json", record.encode())

    def keep(self, version: int, toml: str) -> None:
        """Keep the text of a version.

        Raises:
            OSError: the disk takes nothing.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path(version), toml.encode())

    def kept(self) -> list[int]:
        """Numbers of the versions on disk, oldest first; the local file not among them."""
        names = (path.stem.removeprefix("v") for path in self.folder.glob("v*.toml"))
        return sorted(int(name) for name in names if name.isdecimal())

    def forget_old(self, record: Record) -> None:
        """Keep the newest ten, and what runs or may have to run again."""
        needed = {record.running, record.previous, *self.kept()[-_KEPT:]}
        for version in self.kept():
            if version not in needed:
                remove(self.path(version))

    def path(self, version: int) -> Path:
        """The file of a version."""
        return self.local_file if version == LOCAL else self.folder / f"v{version:06d}.toml"

    def config(self, version: int) -> GatewayConfig:
        """A version, checked whole.

        Raises:
            ConfigError: not there, or wrong; one line.
        """
        path = self.path(version)
        if version == LOCAL:
            return load_config(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        return self.parse(text, origin=str(path))

    def parse(self, toml: str, *, origin: str) -> GatewayConfig:
        """The text of a version, checked whole.

        Raises:
            ConfigError: one line with table, key and what to change.
        """
        try:
            tables = tomllib.loads(toml)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigError(f"{origin}: not TOML: {error}") from error
        return parse_config(tables, origin=origin, folder=self.local_file.parent)

    def local_digest(self) -> str:
        """SHA-256 of the local file, hex; empty when it cannot be read."""
        try:
            return hashlib.sha256(self.local_file.read_bytes()).hexdigest()
        except OSError:
            return ""

    def want(self, version: int) -> None:
        """The local operator's choice; the gateway takes it when it next looks, or starts.

        Raises:
            InputError: no such version is kept.
        """
        kept = [LOCAL, *self.kept()]
        if version not in kept:
            raise InputError(f"version {version} is not kept here; there are {', '.join(map(str, kept))}")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.folder / "wanted", b"%d\n" % version)

    def wanted(self) -> int | None:
        """What the local operator chose and the gateway has not taken yet."""
        try:
            text = (self.folder / "wanted").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        version = int(text) if text.isdecimal() else None
        return version if version == LOCAL or version in self.kept() else None

    def forget_wanted(self) -> None:
        """It has been taken."""
        if (self.folder / "wanted").exists():
            remove(self.folder / "wanted")


@dataclass(frozen=True, slots=True)
class Start:
    """With what a gateway starts."""

    config: GatewayConfig
    version: int
    path: Path


def start_version(local_file: Path, local: GatewayConfig, *, clock: Callable[[], float] = time.time) -> Start:
    """The version to start with, and on record from here on; for a gateway whose local file has `[remote]`.

    The operator's choice first; a version whose trial did not end well is left for the one before it; a local file
    that was changed since wins; what cannot be read any more is left for the local file, which is `local`.
    """
    versions = Versions(local.gateway.folder, local_file)
    before = versions.load()
    record = _decided(versions, before, int(clock() * 1000))
    config = local
    if record.running != LOCAL:
        try:
            config = _fitting(versions, record.running, local)
        except ConfigError as error:
            log.error("version %d cannot run any more, the local file runs: %s", record.running, error)  # noqa: TRY400
            refused = Refused(str(error), int(clock() * 1000), record.running)
            record = replace(record, running=LOCAL, previous=LOCAL, refused=refused, untold="rolled back")
    if record != before:
        _save(versions, record)
    return Start(config, record.running, versions.path(record.running))


def _fitting(versions: Versions, version: int, local: GatewayConfig) -> GatewayConfig:
    config = versions.config(version)
    names = compare(local, config).needing_restart
    if names:
        raise ConfigError(f"version {version} was made for another {', '.join(names)} than the local file has")
    return config


def _decided(versions: Versions, record: Record, now_ms: int) -> Record:
    wanted, digest = versions.wanted(), versions.local_digest()
    if wanted is not None:
        chosen = replace(record, running=wanted, previous=record.running, on_trial=False, untold="local")
        return replace(chosen, since_ms=now_ms, local_digest=digest)
    if record.on_trial:
        reason = f"the gateway ended during the trial of version {record.running}"
        log.error("%s; version %d runs again", reason, record.previous)
        record = replace(rolled_back(record, reason, now_ms), untold="rolled back")
    if record.running != LOCAL and record.local_digest != digest:
        log.warning("%s was changed: it runs instead of version %d", versions.local_file, record.running)
        record = replace(record, running=LOCAL, previous=record.running, since_ms=now_ms, untold="local")
    return replace(record, local_digest=digest, since_ms=record.since_ms or now_ms)


def rolled_back(record: Record, reason: str, now_ms: int) -> Record:
    """The record after a trial that failed."""
    refused = Refused(reason, now_ms, record.running, record.highest_digest)
    return replace(record, running=record.previous, on_trial=False, since_ms=now_ms, refused=refused)


def _save(versions: Versions, record: Record) -> None:
    """A disk that takes nothing does not keep a gateway from starting; the next start decides the same again."""
    try:
        versions.save(record)
        versions.forget_wanted()
    except OSError as error:
        log.warning("%s cannot be written: %s", versions.folder, error)
