"""`kgce dashboards`: Grafana dashboards as files."""

from pathlib import Path
from typing import Annotated

import typer

from kgce.cli.database import JsonOption
from kgce.cli.terminal import print_json, say

app = typer.Typer(help="Grafana dashboards as code.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Grafana dashboards as code."""


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Write dashboards and provisioning files for Grafana.

    Example: kgce dashboards build --out deploy/grafana
    """
    from kgce.dashboards.build import write_dashboards

    written = [str(path) for path in write_dashboards(out)]
    if json:
        print_json(written)
    else:
        for path in written:
            say(f"wrote {path}")
