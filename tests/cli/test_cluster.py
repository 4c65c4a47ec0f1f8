"""The same branches on a Dask cluster: equal results, although a worker is killed on the way."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from benchmarks.meters import free_ports

from tests.cli.kgce_command import COMMAND, ROOT, kgce
from tests.cli.test_meter_and_analyze import HEADER, REGISTRY, hourly

DASK = (sys.executable, "-m", "dask")


class Cluster:
    """A scheduler and two worker processes of one thread each, on loopback."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        (port,) = free_ports(1)
        self.address = f"tcp://127.0.0.1:{port}"
        self._folder, self._stack = folder, stack
        self._run("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show")
        self.workers = [
            self._run(
                "worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard",
                "--local-directory", str(folder / str(number)),
            )
            for number in range(2)
        ]  # fmt: skip
        self.wait_for(2)

    def _run(self, *arguments: str) -> subprocess.Popen:
        log = self._stack.enter_context((self._folder / f"{uuid.uuid4().hex}.log").open("w"))
        process = subprocess.Popen([*DASK, *arguments], cwd=ROOT, stdout=log, stderr=log)
        self._stack.callback(self._end, process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen) -> None:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()

    def processing(self) -> dict[str, int]:
        """Tasks that each worker has in hand."""
        script = (
            "import json, sys; from distributed import Client\n"
            "with Client(sys.argv[1], timeout=30) as client:\n"
            "    print(json.dumps({name: len(tasks) for name, tasks in client.processing().items()}))"
        )
        told = subprocess.run([sys.executable, "-c", script, self.address], capture_output=True, text=True, check=True)
        return json.loads(told.stdout)

    def wait_for(self, workers: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if len(self.processing()) == workers:
                    return
            except subprocess.CalledProcessError:
                continue
        raise TimeoutError(f"never {workers} workers at {self.address}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(stack, tmp_path_factory.mktemp("dask"))


def test_a_branch_is_analysed_by_workers_as_it_is_here(cluster: Cluster, influx_server, tmp_path: Path) -> None:
    """Twelve counties in a real InfluxDB; every array of every county has the same bits."""
    names = [f"u{number:02d}" for number in range(12)]
    registry = "".join(
        f"{name},{name},3701{number:02d},office,city,B,2019,10,100,\n" for number, name in enumerate(names)
    )
    readings = "".join(
        hourly(name, "main", {f"2019-03-{day:02d}T00:00:00": 100 * day + number for day in range(1, 30)})
        for number, name in enumerate(names)
    )
    (tmp_path / "registry.csv").write_text(REGISTRY + registry, encoding="utf-8")
    (tmp_path / "meter.csv").write_text(HEADER + readings, encoding="utf-8")
    store = f"{influx_server.url}/cluster_{uuid.uuid4().hex}"
    assert kgce("import", "registry", "registry.csv", cwd=tmp_path).code == 0
    imported = kgce("import", "readings", "meter.csv", "--store", store, cwd=tmp_path)
    assert imported.code == 0, imported.err
    found = []
    for where in ([], ["--cluster", cluster.address]):
        told = kgce("analyze", "--anew", "--year", "2019", "--store", store, "--json", *where, cwd=tmp_path)
        assert told.code == 0, told.err
        assert told.json[0]["months_worked_out"] == 144
        found.append(arrays(tmp_path))
    assert len(found[0]) == 12
    assert found[0] == found[1]


def arrays(folder: Path) -> dict[str, dict[str, bytes]]:
    found = {}
    for path in sorted((folder / "kgce-data").glob("shelf-*/ledger/2019/*.npz")):
        with np.load(path) as held:
            found[path.name] = {name: held[name].tobytes() for name in held.files}
    return found


def test_the_embedded_store_is_not_shared_with_a_cluster(cluster: Cluster, tmp_path: Path) -> None:
    answer = kgce("analyze", "--cluster", cluster.address, cwd=tmp_path)
    assert (answer.code, "name a server with --store" in answer.err) == (2, True)


def test_a_scheduler_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    answer = kgce("bench", "province", "--institutions", "200", "--cluster", "tcp://127.0.0.1:9", cwd=tmp_path)
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "no Dask scheduler answers" in answer.err


def test_a_province_on_two_workers_of_which_one_is_killed_is_the_same_province(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The worker stops answering with work in hand; when all else is done it is killed, and the other one takes over."""
    arguments = ("bench", "province", "--institutions", "4000", "--seed", "7", "--json")
    here = kgce(*arguments, cwd=tmp_path).json
    victim = cluster.workers[0]
    os.kill(victim.pid, signal.SIGSTOP)
    running = subprocess.Popen(
        [*COMMAND, *arguments, "--cluster", cluster.address], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    in_hand: list[int] = []
    while time.monotonic() < deadline:
        in_hand = sorted(cluster.processing().values())
        if in_hand[0] == 0 and in_hand[-1] > 0:
            break
    assert in_hand[-1] > 0, "the stopped worker holds tasks nobody else has done"
    assert running.poll() is None, "the run cannot end without them"
    os.kill(victim.pid, signal.SIGKILL)
    out, _ = running.communicate(timeout=100)
    there = json.loads(out)
    assert running.returncode == 0
    assert there["digest"] == here["digest"]
    assert there["indicators"] == here["indicators"]
