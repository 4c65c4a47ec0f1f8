"""Alert rules for Grafana's own alerting, for those who have it; `kgce alarms` needs no Grafana."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgce.dashboards.influxql import identifier

_DATASOURCE: Final = "kgce"  # uid of the provisioned data source
_EXPRESSION: Final = "__expr__"  # Grafana's own arithmetic
_DEVICE: Final = '"institution", "building", "device"'


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule: a query over a span, its last value beside a limit; silent: what no data at all means."""

    uid: str
    title: str
    summary: str
    influxql: str
    span_s: int
    operator: str  # gt, lt
    limit: float
    held_for: str
    severity: str
    silent: str = "OK"  # or Alerting


def _newest(measurement: str, field: str, *, aggregate: str = "last") -> str:
    return (
        f"SELECT {aggregate}({identifier(field)}) FROM {identifier(measurement)} WHERE $timeFilter "  # noqa: S608
        f"GROUP BY {_DEVICE}"
    )


RULES: Final[Sequence[AlertRule]] = (
    AlertRule(
        "kgce-meters-silent", "No electricity readings 没有电表读数",
        "No electricity meter has sent anything for 30 minutes: look at the gateway, `kgce edge status`.",
        'SELECT count("active_power_total") FROM "electricity" WHERE $timeFilter', 1800, "lt", 1.0, "5m", "critical",
        "Alerting",
    ),
    AlertRule(
        "kgce-boiler-fault", "Boiler fault 锅炉故障",
        "The burner control reports a fault code: its manual says which.",
        _newest("boiler", "error_code"), 900, "gt", 0.0, "1m", "critical",
    ),
    AlertRule(
        "kgce-flue-hot", "Flue gas above 230 degC 排烟温度过高",
        "TSG G0002-2010 allows small gas boilers 230 degC (unverified): clean the heating surface, check the burner.",
        _newest("boiler", "flue_temperature"), 900, "gt", 230.0, "15m", "warning",
    ),
    AlertRule(
        "kgce-voltage-high", "Voltage above 235.4 V 电压偏高",
        "GB/T 12325-2008 allows 220 V +7 %: call the grid operator if it stays.",
        _newest("electricity", "voltage_l1_n"), 900, "gt", 235.4, "15m", "warning",
    ),
    AlertRule(
        "kgce-water-never-rests", "Water never rests 夜间持续用水",
        "For a day the flow never fell below 0.05 m3/h: look for a leak.",
        _newest("water", "water_flow", aggregate="min"), 86_400, "gt", 0.05, "1h", "warning",
    ),
)  # fmt: skip


def alert_rules(rules: Sequence[AlertRule] = RULES) -> dict[str, Any]:
    """The provisioning document of Grafana's alerting."""
    group = {"orgId": 1, "name": "kgce", "folder": "kgce", "interval": "1m", "rules": [_rule(rule) for rule in rules]}
    return {"apiVersion": 1, "groups": [group]}


def _rule(rule: AlertRule) -> dict[str, Any]:
    span = {"from": rule.span_s, "to": 0}
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "C",
        "for": rule.held_for,
        "noDataState": rule.silent,
        "execErrState": "Error",
        "annotations": {"summary": rule.summary},
        "labels": {"severity": rule.severity, "source": "kgce"},
        "data": [
            {
                "refId": "A",
                "relativeTimeRange": span,
                "datasourceUid": _DATASOURCE,
                "model": {"refId": "A", "query": rule.influxql, "rawQuery": True, "resultFormat": "time_series"},
            },
            {
                "refId": "B",
                "relativeTimeRange": span,
                "datasourceUid": _EXPRESSION,
                "model": {"refId": "B", "type": "reduce", "reducer": "last", "expression": "A"},
            },
            {
                "refId": "C",
                "relativeTimeRange": span,
                "datasourceUid": _EXPRESSION,
                "model": {
                    "refId": "C",
                    "type": "threshold",
                    "expression": "B",
                    "conditions": [{"evaluator": {"type": rule.operator, "params": [rule.limit]}}],
                },
            },
        ],
    }
