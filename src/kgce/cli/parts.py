"""Parts of a tree worked on here or by the workers of a Dask cluster: the same function, the same order of results."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from kgce.cli.terminal import Advance
from kgce.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from distributed import Client

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRIES: Final = 5  # a part whose worker died is worked on by another one, so often
WAIT_S: Final = 15.0

ClusterOption = Annotated[
    str | None, typer.Option("--cluster", help="tcp://HOST:PORT of a Dask scheduler whose workers have kgce installed.")
]


def work_on(
    function: Callable[[Item], Result], items: Sequence[Item], cluster: str | None, advance: Advance
) -> Iterator[Result]:
    """`function` of every item, in the order of the items.

    Raises:
        StoreUnavailable: the scheduler does not answer, or a part failed on every worker that tried it.
    """
    if cluster is None:
        for place, item in enumerate(items):
            yield function(item)
            advance(place + 1, len(items))
        return
    with _client(cluster) as client:
        futures = client.map(function, items, retries=RETRIES, pure=False)
        for place, future in enumerate(futures):
            yield _result(future)
            advance(place + 1, len(items))


def _client(cluster: str) -> "Client":
    from distributed import Client

    try:
        return Client(cluster, timeout=WAIT_S, set_as_default=False)  # type: ignore[no-untyped-call]  # Dask has no types
    except (OSError, ValueError) as error:
        raise StoreUnavailable(f"no Dask scheduler answers at {cluster} ({error}): start it: dask scheduler") from error


def _result(future: Any) -> Any:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise StoreUnavailable(f"every worker that took {error.task} died: look at their memory") from error
