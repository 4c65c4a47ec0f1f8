"""`python -m kgce.cli` is the `kgce` command."""

from kgce.cli.main import run

run()
