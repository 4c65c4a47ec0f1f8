"""Log lines: text for people, JSON for machines, and no secret in either."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kgce.cli.logs import JsonLines

SECRET = "hunter2-and-more"


def line(**extra) -> dict:
    record = logging.getLogger("kgce.test").makeRecord(
        "kgce.test", logging.WARNING, __file__, 1, "uplink is %s", ("down",), None, extra=extra
    )
    return json.loads(JsonLines().format(record))


def test_a_line_is_an_object_with_time_level_logger_message_and_what_was_given_beside_it() -> None:
    found = line(state="down", device="office-1/main", path=Path("/x"))
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "warning", "logger": "kgce.test", "message": "uplink is down", "state": "down",
        "device": "office-1/main", "path": "/x",
    }  # fmt: skip


def test_an_exception_is_part_of_the_object() -> None:
    try:
        int("broken")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "", 1, "died", (), sys.exc_info())
    text = JsonLines().format(record)
    assert "\n" not in text
    assert "ValueError: invalid literal" in json.loads(text)["trace"]


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_gateways_log_is_of_the_wanted_style_and_holds_no_secret(tmp_path, style: str) -> None:
    (tmp_path / "gateway.toml").write_text(
        '[gateway]\nid = "gw-1"\nfolder = "gw"\n[local]\nlisten = "127.0.0.1:0"\n'
        '[sink]\nkind = "mqtt"\nhost = "127.0.0.1"\nport = 9\nusername = "gw-1"\npassword_env = "BROKER_PASSWORD"\n'
        '[[modbus]]\nhost = "127.0.0.1"\nport = 9\n'
        'devices = [{ device = "m", unit = 1, profile = "eastron-sdm630", interval_s = 2, institution = "o" }]\n'
    )
    command = [sys.executable, "-m", "kgce", "edge", "run", "gateway.toml", "--for", "3", "--json", "--log", style]
    environ = {**os.environ, "BROKER_PASSWORD": SECRET}
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert SECRET not in ended.stderr + ended.stdout
    lines = ended.stderr.splitlines()
    assert any("silent" in one for one in lines), "a device that does not answer is told"
    assert all(one.startswith("{") == (style == "json") for one in lines)
    assert sum("m is silent" in one and "device_state" in one for one in lines) == 1, "once for each change of state"
