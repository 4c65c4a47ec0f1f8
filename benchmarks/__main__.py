"""Run every benchmark and print one table: `make bench`, or `python -m benchmarks --json`."""

import sys
from dataclasses import asdict

import orjson
from rich.console import Console

from benchmarks import duckdb_append, gateways, ledger_kernel, modbus_poll
from benchmarks.table import Row, machine, show

BENCHMARKS = {
    "Modbus poll path": modbus_poll.run,
    "gateway, meter to broker": gateways.run,
    "DuckDB append": duckdb_append.run,
    "ledger kernel": ledger_kernel.run,
}


def main(arguments: list[str]) -> None:
    """Print a table for people, or JSON with `--json`."""
    progress = Console(stderr=True)
    rows: list[Row] = []
    for name, run in BENCHMARKS.items():
        progress.print(f"running {name} ...")
        rows += run()
    if "--json" in arguments:
        document = {"machine": machine(), "rows": [asdict(row) | {"ratio": row.ratio} for row in rows]}
        print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        show(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
