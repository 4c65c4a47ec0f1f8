"""`kgce edge status` beside a running gateway, and what a technician reads; the page in a real browser."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from kgce.edge.local.run_file import running
from tests import servers
from tests.cli.kgce_command import kgce
from tests.conftest import ROOT

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Path]:
    """A gateway whose only device and whose store are not there; gives its file."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[gateway]\nid = "cellar"\nfolder = "gw"\n[local]\nlisten = "127.0.0.1:0"\n'
        f'[sink]\nkind = "influxdb"\nurl = "http://127.0.0.1:{servers.free_port()}"\ndatabase = "x"\n'
        f'[[modbus]]\nhost = "127.0.0.1"\nport = {servers.free_port()}\n'
        'devices = [{ device = "boiler", unit = 1, profile = "eastron-sdm630", interval_s = 2, institution = "hall" }]\n'
    )
    command = [sys.executable, "-m", "kgce", "edge", "run", str(file)]
    with (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    deadline = time.monotonic() + 30
    while running(tmp_path / "gw") is None and time.monotonic() < deadline:
        time.sleep(0.1)
    yield file
    child.terminate()
    begin = time.monotonic()
    assert child.wait(20) == 0, (tmp_path / "log").read_text()
    assert time.monotonic() - begin < 10


def broken(file: Path) -> dict:
    """Its status once the device is known to be silent."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        answer = kgce("edge", "status", file, "--json", cwd=file.parent)
        if any(one["subject"] == "hall/boiler" for one in answer.json.get("problems", ())):
            assert answer.code == 1
            return answer.json
        time.sleep(0.5)
    raise AssertionError(answer.out)


def test_a_technician_reads_what_is_broken_since_when_and_what_to_do(gateway: Path) -> None:
    status = broken(gateway)
    assert status["running"]
    answer = kgce("edge", "status", gateway, cwd=gateway.parent)
    assert answer.code == 1
    for words in ("cellar: ", "What is broken", "hall/boiler", "network cable", "SILENT", "0 of 1 devices are online"):
        assert words in answer.out, answer.out


def test_a_gateway_that_does_not_run_is_told_with_2(tmp_path) -> None:
    (tmp_path / "gateway.toml").write_text('[gateway]\nid = "a"\nfolder = "gw"\n')
    answer = kgce("edge", "status", "gateway.toml", cwd=tmp_path)
    assert answer.code == 2
    assert "no gateway runs" in answer.err
    assert kgce("edge", "status", "gateway.toml", "--json", cwd=tmp_path).json["running"] is False


def test_a_gateway_that_hangs_is_told_with_2(gateway: Path) -> None:
    found = running(gateway.parent / "gw")
    os.kill(found.pid, signal.SIGSTOP)
    try:
        answer = kgce("edge", "status", gateway, cwd=gateway.parent)
        assert answer.code == 2
        assert "does not answer" in answer.err
    finally:
        os.kill(found.pid, signal.SIGCONT)


def test_the_page_in_a_browser_is_readable_on_a_desk_and_on_a_phone(gateway: Path) -> None:
    broken(gateway)
    url = running(gateway.parent / "gw").url
    shots = ROOT / "test-output"
    shots.mkdir(exist_ok=True)
    with sync_playwright() as tool:
        browser = tool.chromium.launch(
            executable_path=servers.require_tool("chromium"),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        for width, height in ((1280, 900), (390, 844)):
            page = browser.new_page(viewport={"width": width, "height": height}, java_script_enabled=False)
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(url)
            assert page.get_by_role("heading", name="What is broken").is_visible()
            assert page.get_by_text("What to do: check the network cable").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing hangs over the edge"
            assert asked == [f"{url}/"], "nothing from elsewhere"
            page.screenshot(path=str(shots / f"gateway-{width}.png"), full_page=True)
            page.close()
        browser.close()
