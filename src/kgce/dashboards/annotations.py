"""Events of gateways as marks in every chart; written as Grafana keeps them, for the SDK has no such annotation."""

from typing import Any, Final

from kgce.dashboards.heading import Language, Words
from kgce.dashboards.influxql import DATASOURCE, identifier

EVENTS: Final = Words("Events", "事件")
QUERY: Final = f'SELECT "message", "evidence" FROM {identifier("event")} WHERE $timeFilter'  # noqa: S608 - a constant


def events(language: Language) -> dict[str, Any]:
    """The annotation that shows what gateways told, with its evidence."""
    return {
        "name": EVENTS[language],
        "datasource": DATASOURCE.to_json(),
        "enable": True,
        "iconColor": "orange",
        "query": QUERY,
        "textColumn": "message",
        "tagsColumn": "id,severity",
        "rawQuery": True,
        "textEditor": True,
    }
