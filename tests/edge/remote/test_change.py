"""What differs, what a running gateway can follow, and what only somebody beside it may change."""

import pytest

from kgce.edge.config import GatewayConfig, parse_config
from kgce.edge.remote.change import Change, beyond_remote, compare
from kgce.edge.tables import Table

METER = {"device": "main", "unit": 1, "profile": "eastron-sdm630", "interval_s": 10, "institution": "office-1"}
LINE = {"host": "10.0.0.5", "port": 502, "devices": [METER]}
BROKER = {
    "host": "10.0.0.9",
    "client_id": "g1-meters",
    "username": "g1",
    "password_env": "METERS_PASSWORD",
    "subscriptions": [
        {
            "topic": "meter/1",
            "institution": "office-1",
            "device": "d",
            "measurement": "electricity",
            "fields": {"voltage": {"path": "v", "unit": "V"}},
        },
    ],
}
BASE = {"gateway": {"id": "g1", "folder": "buffer"}, "modbus": [LINE]}


def config(**tables) -> GatewayConfig:
    return parse_config({**BASE, **tables})


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({}, Change("none")),
        ({"checks": {"future_limit_s": 300.0}}, Change("none")),
        ({"checks": {"future_limit_s": 60}}, Change("reload", ("checks.future_limit_s",))),
        ({"uplink": {"flush_interval_s": 2}}, Change("reload", ("uplink.flush_interval_s",))),
        ({"modbus": [{**LINE, "port": 503}]}, Change("reload", ("modbus[0]",))),
        (
            {"modbus": [LINE, {**LINE, "port": 503, "devices": [{**METER, "device": "b"}]}]},
            Change("reload", ("modbus[1]",)),
        ),
        ({"modbus": []}, Change("reload", ("modbus[0]",))),
        ({"gateway": {"id": "g2", "folder": "buffer"}}, Change("restart", ("gateway.id",))),
        ({"gateway": {"id": "g1", "folder": "b"}}, Change("restart", ("gateway.folder",))),
        ({"local": {"enabled": False}}, Change("restart", ("local.enabled",))),
        ({"buffer": {"durability": "normal"}}, Change("restart", ("buffer.durability",))),
        ({"sink": {"kind": "duckdb", "path": "data"}}, Change("restart", ("sink",))),
        (
            {"sink": {"kind": "duckdb", "path": "data"}, "uplink": {"flush_interval_s": 2}},
            Change("restart", ("sink", "uplink.flush_interval_s")),
        ),
    ],
)
def test_what_changes_decides_whether_a_running_gateway_can_follow(new, expected) -> None:
    assert compare(config(), config(**new)) == expected


def test_the_keys_that_need_a_restart_are_named_without_the_others() -> None:
    change = compare(config(), config(sink={"kind": "duckdb", "path": "d"}, uplink={"flush_interval_s": 2}))
    assert change.needing_restart == ("sink",)


class ControlTable(Table):
    site_limit_a: float = 63.0


class RemoteTable(Table):
    host: str = ""


class WholeConfig(GatewayConfig):
    """With small tables in the place of rooms that are not needed here."""

    control: ControlTable | None = None
    remote: RemoteTable | None = None


def whole(**tables) -> WholeConfig:
    return WholeConfig.model_validate({"gateway": BASE["gateway"], "collectors": {"modbus": [LINE]}, **tables})


@pytest.mark.parametrize(
    ("new", "allow_control", "beyond"),
    [
        ({}, False, ()),
        ({"local": {"listen": "127.0.0.1:9000"}}, False, ()),
        ({"local": {"allow_remote": True}}, False, ("local.allow_remote",)),
        ({"local": {"allow_remote": True}}, True, ("local.allow_remote",)),
        ({"control": {"site_limit_a": 64}}, False, ("control",)),
        ({"control": {"site_limit_a": 64}}, True, ()),
        ({"remote": {"host": "b"}}, True, ("remote",)),
        ({"gateway": {"id": "g1", "folder": "x"}}, True, ("gateway.folder",)),
    ],
)
def test_what_only_the_local_file_may_change_is_named(new, allow_control, beyond) -> None:
    assert beyond_remote(whole(), whole(**new), allow_control=allow_control) == beyond


def test_a_limit_of_the_control_is_named_with_its_key() -> None:
    old, new = whole(control={"site_limit_a": 63}), whole(control={"site_limit_a": 64})
    assert beyond_remote(old, new, allow_control=False) == ("control.site_limit_a",)


def test_closing_the_page_is_not_opening_it() -> None:
    assert beyond_remote(whole(local={"allow_remote": True}), whole(), allow_control=False) == ()


@pytest.mark.parametrize(
    ("change", "is_beyond"),
    [
        ({}, False),
        ({"keepalive_s": 60}, False),
        ({"host": "10.6.6.6"}, True),
        ({"port": 1884}, True),
        ({"username": "g2"}, True),
        ({"password_env": "OTHER_PASSWORD"}, True),
        ({"tls": True}, True),
    ],
)
def test_a_secret_stays_with_whom_it_is_for(monkeypatch, change, is_beyond) -> None:
    monkeypatch.setenv("METERS_PASSWORD", "x")
    monkeypatch.setenv("OTHER_PASSWORD", "y")
    old, new = config(mqtt=[BROKER]), config(mqtt=[{**BROKER, **change}])
    found = beyond_remote(old, new, allow_control=False)
    name = change.get("password_env", "METERS_PASSWORD")
    assert found == ((f"password_env = {name!r} (a secret in a new place)",) if is_beyond else ())


def test_a_secret_may_be_left_out_but_not_brought_in(monkeypatch) -> None:
    monkeypatch.setenv("METERS_PASSWORD", "x")
    assert beyond_remote(config(mqtt=[BROKER]), config(), allow_control=False) == ()
    assert beyond_remote(config(), config(mqtt=[BROKER]), allow_control=False) != ()
