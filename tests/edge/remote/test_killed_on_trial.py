"""kill -9 at any moment of a trial: the version that was proven runs again."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.edge.fakes import until
from tests.edge.remote.station import centre_at, envelope

ROOT = Path(__file__).resolve().parents[3]


@contextlib.contextmanager
def gateway(folder: Path, port: int, probation_s: float, *mood: str) -> Iterator[subprocess.Popen]:
    """Runs until the block ends, then kill -9."""
    command = [sys.executable, "-m", "tests.edge.remote.trial_process", str(folder), str(port), str(probation_s), *mood]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen, line: str) -> list[str]:
    """What it said until then."""
    said = []
    for text in process.stdout:
        said.append(text.strip())
        if said[-1] == line:
            return said
    raise AssertionError(f"{line!r} never came: {said}")


async def test_a_gateway_killed_on_trial_starts_with_the_version_before_and_reports_it(
    tmp_path, mosquitto_port
) -> None:
    with centre_at(mosquitto_port) as centre:
        with gateway(tmp_path, mosquitto_port, 600) as process:
            assert wait_for(process, "connected")[0] == "started 0"
            centre.send(envelope(7))
            wait_for(process, "config.applied")
        with gateway(tmp_path, mosquitto_port, 600) as process:
            assert wait_for(process, "config.rolled_back")[0] == "started 0"
            await until(lambda: centre.last().get("version") == 0)
    assert centre.last()["refused"]["version"] == 7
    assert centre.last()["refused"]["reason"] == "the gateway ended during the trial of version 7"


async def test_a_gateway_killed_while_it_changes_starts_with_the_version_before(tmp_path, mosquitto_port) -> None:
    with centre_at(mosquitto_port) as centre:
        with gateway(tmp_path, mosquitto_port, 600, "blocks") as process:
            wait_for(process, "connected")
            centre.send(envelope(7))
            wait_for(process, "applying 7")
        with gateway(tmp_path, mosquitto_port, 600) as process:
            assert wait_for(process, "config.rolled_back")[0] == "started 0"
            centre.send(envelope(8))
            said = wait_for(process, "applying 8")
    assert "applying 7" not in said, "what was retained at the broker is not tried again"


async def test_a_gateway_killed_after_the_trial_starts_with_the_new_version(tmp_path, mosquitto_port) -> None:
    with centre_at(mosquitto_port) as centre:
        with gateway(tmp_path, mosquitto_port, 0.2) as process:
            wait_for(process, "connected")
            centre.send(envelope(7))
            wait_for(process, "config.kept")
        with gateway(tmp_path, mosquitto_port, 600) as process:
            assert wait_for(process, "connected")[0] == "started 7"
            centre.send(envelope(8))
            wait_for(process, "config.applied")
        with gateway(tmp_path, mosquitto_port, 600) as process:
            assert wait_for(process, "connected")[0] == "started 7"
