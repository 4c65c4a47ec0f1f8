"""Dashboards and provisioning as files for Grafana; the same input gives the same bytes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from kgce.dashboards.annotations import events
from kgce.dashboards.heading import Language
from kgce.dashboards.page import Page, dashboard_of
from kgce.dashboards.pages import pages
from kgce.dashboards.provisioning import provisioning
from kgce.domain.tree import DEFAULT_TIMEZONE

FOLDER: Final = "dashboards"


def build_dashboards(timezone: str = DEFAULT_TIMEZONE) -> dict[str, Mapping[str, Any]]:
    """Every dashboard in every language as Grafana's JSON model, by file name (`en/boiler-room.json`)."""
    return {
        f"{language}/{page.name}.json": _model(page, language, timezone)
        for language in Language
        for page in pages(timezone)
    }


def _model(page: Page, language: Language, timezone: str) -> Mapping[str, Any]:
    made = dashboard_of(page, language, timezone).build()
    model: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
    model["annotations"] = {"list": [events(language)]}
    return model


def write_dashboards(out: Path) -> list[Path]:
    """Write dashboards and provisioning files below `out`; gives their paths, sorted."""
    files = {
        f"{FOLDER}/{name}": json.dumps(model, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        for name, model in build_dashboards().items()
    }
    written = []
    for name, text in sorted((files | provisioning()).items()):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written
