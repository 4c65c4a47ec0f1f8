"""The `kgce` command: collects the subcommands and turns errors into one line and an exit code.

Exit codes: 0 all done, 1 done in part (rows refused) or try again, 2 cannot work as asked.
"""

import sys

import typer

from kgce.cli import (
    analyze,
    bench,
    carbon,
    decode,
    demo,
    edge_buffer,
    edge_check,
    edge_config,
    edge_status,
    explain,
    factors,
    figures,
    findings,
    gateway,
    grafana,
    imports,
    ingest,
    key_units,
    leaders,
    letters,
    meter,
    profiles,
    quotas,
    scan,
    serve,
    simulate,
    store,
    targets,
    tariffs,
    totals,
)
from kgce.cli.terminal import complain
from kgce.domain.errors import KgceError, TryAgain

app = typer.Typer(
    name="kgce",
    help="Energy monitoring for public institutions: totals that add up, say how sure they are, and can be explained.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("serve")(serve.serve)
app.command("ingest")(ingest.ingest)
app.command("analyze")(analyze.analyze)
app.command("rank")(figures.rank)
app.command("ledger")(figures.ledger)
app.command("explain")(explain.explain)
app.command("leaders")(leaders.leaders)
app.command("totals")(totals.totals)
app.command("carbon")(carbon.carbon)
app.command("cost")(tariffs.cost)
app.command("findings")(findings.findings)
app.command("key-units")(key_units.key_units)
app.command("decode")(decode.decode)
app.command("scan")(scan.scan)
gateway.edge.command("check")(edge_check.edge_check)
gateway.edge.command("status")(edge_status.edge_status)
gateway.edge.command("trust-clock")(edge_status.edge_trust_clock)
gateway.edge.add_typer(edge_buffer.app, name="buffer")
gateway.edge.add_typer(edge_config.app, name="config")
app.add_typer(gateway.edge, name="edge")
app.add_typer(profiles.app, name="profiles")
app.add_typer(imports.app, name="import")
app.add_typer(store.app, name="store")
app.add_typer(meter.app, name="meter")
app.add_typer(targets.app, name="targets")
app.add_typer(tariffs.app, name="tariff")
app.add_typer(factors.app, name="factors")
app.add_typer(quotas.app, name="quotas")
app.add_typer(bench.app, name="bench")
app.add_typer(letters.app, name="letters")
app.add_typer(grafana.app, name="dashboards")


@app.command()
def version() -> None:
    """Print the version of kgce."""
    from kgce import __version__

    typer.echo(__version__)


def run() -> None:
    """Entry point of the console script."""
    try:
        app()
    except KgceError as error:
        complain(str(error))
        sys.exit(1 if isinstance(error, TryAgain) else 2)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has seen enough
        sys.exit(0)
