"""Run every benchmark and print one table: `make bench`, or `python -m benchmarks [--json] [NAME ...]`."""

import sys
from dataclasses import asdict

import orjson
from rich.console import Console

from benchmarks import (
    api_requests,
    duckdb_append,
    duckdb_year,
    gateways,
    influx_write,
    ledger_kernel,
    ledger_late,
    modbus_poll,
    mqtt_ingest,
    province,
    soak,
    stores,
)
from benchmarks.table import Row, machine, show

BENCHMARKS = {
    "modbus_poll": modbus_poll.run,
    "gateways": gateways.run,
    "soak": soak.run,
    "duckdb_append": duckdb_append.run,
    "duckdb_year": duckdb_year.run,
    "stores": stores.run,
    "influx_write": influx_write.run,
    "mqtt_ingest": mqtt_ingest.run,
    "ledger_kernel": ledger_kernel.run,
    "ledger_late": ledger_late.run,
    "province": province.run,
    "api_requests": api_requests.run,
}


def main(arguments: list[str]) -> None:
    """Print a table for people, or JSON with `--json`; names choose, no name is all."""
    progress = Console(stderr=True)
    names = [argument for argument in arguments if argument != "--json"] or list(BENCHMARKS)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    rows: list[Row] = []
    for name in names:
        progress.print(f"running {name} ...")
        rows += BENCHMARKS[name]()
    if "--json" in arguments:
        document = {"machine": machine(), "rows": [asdict(row) | {"ratio": row.ratio} for row in rows]}
        print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        show(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
