"""`kgce edge run` and `kgce simulate`: a gateway, and a site for it to read."""

import asyncio
import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.until_stopped import until_stopped
