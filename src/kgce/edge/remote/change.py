"""Change: in what two configurations differ, whether a running gateway can follow, and what is not the centre's to say.

old, new --compare--> nothing | reload | restart
         --beyond_remote--> what only somebody beside the gateway may change
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from kgce.collectors.config import CollectorsConfig
from kgce.edge.config import GatewayConfig

# Tables a running gateway follows; anything else holds what was opened at the start.
_RELOADABLE: Final = frozenset({*CollectorsConfig.model_fields, "checks", "uplink"})
_LOCAL_ONLY: Final = ("gateway", "remote")
_CONTROL: Final = "control"
_ALLOW_REMOTE: Final = "allow_remote"  # of [local]: whether its page may be seen from other machines
_SECRETS: Final = ("_env", "password_file", "key_file")  # how the names of keys end that lead to a secret
# Who gets to see the secret: a version may not send a known one to somebody else.
_SHOWN_TO: Final = frozenset({"host", "port", "url", "tls", "ca_file", "username", "allow_unencrypted"})

SecretUse = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How far apart two configurations are; `what` names tables and keys as they stand in the file."""

    kind: Literal["none", "reload", "restart"]
    what: tuple[str, ...] = ()

    @property
    def needing_restart(self) -> tuple[str, ...]:
        """Those of `what` a running gateway cannot follow."""
        return tuple(name for name in self.what if _table(name) not in _RELOADABLE)


def compare(old: GatewayConfig, new: GatewayConfig) -> Change:
    """What differs between two whole configurations that were read beside the same folder."""
    what = tuple(_differences(_plain(old), _plain(new)))
    change = Change("reload" if what else "none", what)
    return Change("restart", what) if change.needing_restart else change


def beyond_remote(old: GatewayConfig, new: GatewayConfig, *, allow_control: bool) -> tuple[str, ...]:
    """What `new` changes that a signed version may not; empty when it keeps to its own."""
    before, after = _plain(old), _plain(new)
    local_only = _LOCAL_ONLY if allow_control else (*_LOCAL_ONLY, _CONTROL)
    found = [name for name in _differences(before, after) if _table(name) in local_only]
    if _opens_page(after) and not _opens_page(before):
        found.append(f"local.{_ALLOW_REMOTE}")
    known = set(_secret_uses(before))
    found += [f"{_secret(use)} (a secret in a new place)" for use in _secret_uses(after) if use not in known]
    return tuple(found)


def _plain(config: GatewayConfig) -> dict[str, Any]:
    tables = config.model_dump()
    return {**tables.pop("collectors"), **tables}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """`modbus[2]`, `checks.limits`: two steps deep, which is where a person looks."""
    for table in sorted(old.keys() | new.keys()):
        before, after = old.get(table), new.get(table)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            keys = sorted(before.keys() | after.keys())
            yield from (f"{table}.{key}" for key in keys if before.get(key) != after.get(key))
        elif isinstance(before, tuple | list) and isinstance(after, tuple | list):
            yield from (f"{table}[{at}]" for at in range(max(len(before), len(after))) if _differ(before, after, at))
        else:
            yield table


def _differ(before: tuple[Any, ...] | list[Any], after: tuple[Any, ...] | list[Any], at: int) -> bool:
    return before[at : at + 1] != after[at : at + 1]


def _table(name: str) -> str:
    return name.partition(".")[0].partition("[")[0]


def _opens_page(tables: Mapping[str, Any]) -> bool:
    return bool((tables.get("local") or {}).get(_ALLOW_REMOTE))


def _secret_uses(part: Any) -> Iterator[SecretUse]:
    """Each table that names a secret: its names, and who is shown what they stand for."""
    if isinstance(part, Mapping):
        names = {key: str(value) for key, value in part.items() if value and str(key).endswith(_SECRETS)}
        if names:
            shown_to = {key: str(value) for key, value in part.items() if key in _SHOWN_TO}
            yield (*sorted(names.items()), *sorted(shown_to.items()))
        for inner in part.values():
            yield from _secret_uses(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _secret_uses(inner)


def _secret(use: SecretUse) -> str:
    return f"{use[0][0]} = {use[0][1]!r}"
