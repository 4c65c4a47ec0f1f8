"""The gateway and its service manager: a real Unix datagram socket stands for systemd's."""

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from kgce.edge.watchdog import Notifier, Watchdog, summary, what_hangs
from tests.edge.fakes import until


class Manager:
    """The receiving end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(address)
        self.line.setblocking(False)
        self.heard: list[dict[str, str]] = []

    def hear(self) -> list[dict[str, str]]:
        try:
            while True:
                message = self.line.recv(4096).decode()
                self.heard.append(dict(line.split("=", 1) for line in message.splitlines()))
        except BlockingIOError:
            return self.heard


@pytest.fixture
def manager(tmp_path) -> Iterator[Manager]:
    found = Manager(str(tmp_path / "notify"))
    yield found
    found.line.close()


def environ(manager: Manager, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.line.getsockname(), **more}


async def run_for(watchdog: Watchdog, condition) -> None:
    running = asyncio.create_task(watchdog.run())
    await until(condition)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_ready_then_pings_then_stopping(manager) -> None:
    notifier = Notifier(environ(manager, WATCHDOG_USEC="20000", WATCHDOG_PID=str(os.getpid())))
    watchdog = Watchdog(lambda: "", lambda: "3 of 3 devices online", notifier)
    await run_for(watchdog, lambda: sum("WATCHDOG" in one for one in manager.hear()) >= 3)
    assert manager.hear()[0] == {"READY": "1"}
    assert manager.heard[1] == {"STATUS": "3 of 3 devices online", "WATCHDOG": "1"}
    assert manager.heard[-1] == {"STOPPING": "1"}


async def test_a_gateway_that_hangs_is_not_vouched_for(manager) -> None:
    notifier = Notifier(environ(manager, WATCHDOG_USEC="10000"))
    watchdog = Watchdog(lambda: "no source can be kept alive", lambda: "", notifier)
    await run_for(watchdog, lambda: len(manager.hear()) >= 4)
    assert not any("WATCHDOG" in one for one in manager.heard)
    assert manager.heard[1] == {"STATUS": "hangs: no source can be kept alive"}


def test_a_watch_meant_for_another_process_is_not_ours(manager) -> None:
    assert Notifier(environ(manager, WATCHDOG_USEC="10000", WATCHDOG_PID="1")).watchdog_s is None


def test_an_abstract_socket_is_reached() -> None:
    name = f"kgce-test-{os.getpid()}"
    manager = Manager("\0" + name)
    Notifier({"NOTIFY_SOCKET": f"@{name}"}).tell(READY=1)
    assert manager.hear() == [{"READY": "1"}]
    manager.line.close()


def test_without_a_manager_nothing_happens_and_one_that_is_gone_is_no_fault(tmp_path) -> None:
    Notifier({}).tell(READY=1)
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell(READY=1)


def test_a_reload_is_told_with_its_time(manager) -> None:
    watchdog = Watchdog(lambda: "", lambda: "", Notifier(environ(manager)))
    watchdog.reloading()
    watchdog.reloaded()
    first, second = manager.hear()
    assert first["RELOADING"] == "1"
    assert int(first["MONOTONIC_USEC"]) > 0
    assert second == {"READY": "1"}


def source(name: str, restarts: int, *, failing: bool = True) -> dict:
    return {"name": name, "failing": failing, "restarts": restarts, "last_error": "x"}


def test_only_a_gateway_none_of_whose_sources_can_be_kept_alive_is_started_again() -> None:
    assert what_hangs({"sources": [source("a", 101), source("b", 500)]})
    assert not what_hangs({"sources": [source("a", 101), source("b", 0, failing=False)]})
    assert not what_hangs({"sources": [source("a", 5)]})
    assert not what_hangs({"sources": []})


def test_the_summary_is_one_line() -> None:
    status = {"devices": [{"online": True}, {"online": False}], "uplink": {"state": "down"}, "counters": {"waiting": 7}}
    assert summary(status) == "1 of 2 devices online, uplink down, 7 readings wait"
