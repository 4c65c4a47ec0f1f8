"""Dashboards and provisioning as files for Grafana; the same input gives the same bytes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from kgce.dashboards.overview import institution_overview
from kgce.dashboards.provisioning import DASHBOARDS_YAML, DATASOURCES_YAML
from kgce.domain.tree import DEFAULT_TIMEZONE

_PROVISIONING: Final = {
    "provisioning/dashboards/kgce.yaml": DASHBOARDS_YAML,
    "provisioning/datasources/kgce.yaml": DATASOURCES_YAML,
}


def build_dashboards(timezone: str = DEFAULT_TIMEZONE) -> dict[str, Mapping[str, Any]]:
    """Every dashboard as Grafana's JSON model, by file name."""
    model = institution_overview(timezone).build()
    return {"institution-overview.json": json.loads(json.dumps(model, cls=JSONEncoder))}


def write_dashboards(out: Path) -> list[Path]:
    """Write dashboards and provisioning files below `out`; gives their paths, sorted."""
    files = {
        f"dashboards/{name}": json.dumps(model, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        for name, model in build_dashboards().items()
    }
    written = []
    for name, text in sorted((files | _PROVISIONING).items()):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written
