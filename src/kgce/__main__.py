"""`python -m kgce` is the `kgce` command."""

from kgce.cli.main import run

run()
