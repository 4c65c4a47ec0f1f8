"""The API beside a bare FastAPI route that returns the same bytes: requests a second, and how long 50 clients wait."""

import asyncio
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI, Response

from benchmarks.table import Row
from kgce.api.app import Context, create_api
from kgce.domain.batch import Batch
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series, YearlyAttributes
from kgce.store.open import open_registry, open_store
from kgce.store.shelf import FolderShelf

INSTITUTIONS: Final = 200
YEAR: Final = 2023
START_MS: Final = 1_672_502_400_000  # 2023-01-01T00:00+08:00
HOUR_MS: Final = 3_600_000
CLIENTS: Final = 50
SECONDS: Final = 4.0
API: Final = "/api/v1"
ASKED: Final = {
    "latest value": f"{API}/latest?institution=u7",
    "one-year day series": f"{API}/ledger?institution=u7&point=main&grid=day"
    "&start=2023-01-01T00:00:00%2B08:00&end=2024-01-01T00:00:00%2B08:00",
    "ranking page": f"{API}/ranking?year={YEAR}&indicator=energy_per_area&limit=100",
}


def run() -> list[Row]:
    """Requests a second of three routes, each beside a bare route; p99 at 50 clients is in the note."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        _seed(Path(name))
        with _serving(_ours, name) as ours:
            bodies = {path: httpx.get(f"http://127.0.0.1:{ours}{path}", timeout=60).content for path in ASKED.values()}
            with _serving(_bare, bodies) as bare:
                for what, path in ASKED.items():
                    peer_rate, peer_p99 = asyncio.run(_load(bare, path))
                    rate, p99 = asyncio.run(_load(ours, path))
                    note = (
                        f"{len(bodies[path]) / 1000:.1f} kB; p99 {p99 * 1000:.0f} ms at {CLIENTS} clients, bare "
                        f"{peer_p99 * 1000:.0f} ms; bar: 0.5 and 50 ms"
                    )
                    rows.append(Row(what, rate, peer_rate, "requests/s", "bare FastAPI route, same bytes", note))
    return rows


def _seed(folder: Path) -> None:
    """A year of hourly readings of each institution's main meter."""
    registry, store = open_registry(folder), open_store(folder)
    random = np.random.default_rng(3)
    names = [f"u{number}" for number in range(INSTITUTIONS)]
    registry.save_institutions(Institution(name, f"机构 {name}", "370102") for name in names)
    registry.save_attributes(
        YearlyAttributes(name, YEAR, "agency", people=100.0, area_m2=float(random.uniform(2e3, 2e4))) for name in names
    )
    series = [Series(name, "main", "active_energy_import", "electricity", "a", "370102") for name in names]
    registry.save_points(Point(one, "electricity", Kind.COUNTER) for one in series)
    hours = START_MS + HOUR_MS * np.arange(8761, dtype=np.int64)
    for one in series:
        value = np.cumsum(random.uniform(5.0, 60.0, len(hours)))
        store.append(Batch.of([one], np.zeros(len(hours), np.int32), hours, value))
    store.close()
    registry.close()


def _ours(name: str) -> FastAPI:
    folder = Path(name)
    return create_api(
        Context(store=open_store(folder), registry=open_registry(folder), shelf=FolderShelf(folder / "shelf"))
    )


def _bare(bodies: dict[str, bytes]) -> FastAPI:
    app = FastAPI()
    for path, body in bodies.items():
        app.add_api_route(path.partition("?")[0], _giving(body))
    return app


def _giving(body: bytes) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(body, media_type="application/json")

    return answer


@contextmanager
def _serving(make: Callable[[Any], FastAPI], argument: object) -> Iterator[int]:
    """An app in a process of its own; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(make, argument, port))
    process.start()
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.join()


def _serve(make: Callable[[Any], FastAPI], argument: object, port: int) -> None:
    uvicorn.run(make(argument), host="127.0.0.1", port=port, log_config=None, access_log=False)


def _wait(port: int, process: BaseProcess) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.is_alive():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")


async def _load(port: int, path: str) -> tuple[float, float]:
    """Requests a second of 50 clients that ask again as soon as they are answered, and the p99 of their waits. [s]."""
    waits: list[float] = []
    end = time.perf_counter() + SECONDS
    await asyncio.gather(*(_client(port, path, end, waits) for _ in range(CLIENTS)))
    return len(waits) / SECONDS, float(np.percentile(waits, 99))


async def _client(port: int, path: str, end: float, waits: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    while (began := time.perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        waits.append(time.perf_counter() - began)
    writer.close()


if __name__ == "__main__":
    from benchmarks.table import show

    show(run())
