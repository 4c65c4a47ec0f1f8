"""The unit file, judged by systemd itself."""

import re
import subprocess
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import ROOT

UNIT = ROOT / "deploy" / "kgce-gateway@.service"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists on this machine in place of the installed one."""
    servers.require_tool("systemd-analyze")
    file = tmp_path / "kgce-gateway@cellar.service"
    text = UNIT.read_text().replace("/opt/kgce/.venv/bin/kgce", "/bin/true").replace("%i", "cellar")
    file.write_text(text.replace("User=kgce", "User=daemon").replace("Group=kgce", "Group=daemon"))
    return file


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    found = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    complaints = [line for line in found.stderr.splitlines() if "kgce-gateway" in line]
    assert not complaints, found.stderr


def test_the_unit_is_exposed_as_little_as_a_gateway_can_be(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if "--offline" in found.stderr:
        servers.lacking("systemd-analyze security --offline needs systemd 250")
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", found.stdout)[1])
    assert level < 3.0, found.stdout


def test_the_gateway_is_never_given_up_and_has_time_to_stop() -> None:
    text = UNIT.read_text()
    for line in ("Restart=always", "StartLimitIntervalSec=0", "Type=notify", "WatchdogSec=60", "TimeoutStopSec=20"):
        assert line in text
