"""Alert rules as Grafana's provisioning reads them; each query is run on planted readings."""

import json
import time

import pytest

from kgce.dashboards.alerts import RULES, alert_rules
from kgce.dashboards.panels import expand
from kgce.dashboards.provisioning import provisioning
from tests.dashboards.panel_check import series_of, values_of
from tests.dashboards.planted import Plant, plant


@pytest.fixture(scope="module")
def steady(influx_server) -> Plant:
    return plant(influx_server, "alerts")


def test_the_document_is_one_group_whose_rules_reduce_and_compare():
    """Keys as in Grafana's file provisioning of alert rules: A is asked, B takes the last value, C compares."""
    (group,) = json.loads(provisioning()["provisioning/alerting/kgce.yaml"])["groups"]
    assert group == alert_rules()["groups"][0]
    assert len({rule["uid"] for rule in group["rules"]}) == len(group["rules"]) == len(RULES)
    for rule in group["rules"]:
        asked, reduced, compared = rule["data"]
        assert rule["condition"] == compared["refId"] == "C"
        assert asked["datasourceUid"] == "kgce"
        assert reduced["model"]["expression"] == "A"
        assert compared["model"]["expression"] == "B"
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert len(rule["uid"]) <= 40


def raised(planted: Plant, uid: str) -> bool:
    """What Grafana would decide: the last value of any line beside the limit, or silence where that alerts."""
    (rule,) = [rule for rule in RULES if rule.uid == uid]
    end_ms = int(time.time() * 1000)
    influxql = expand(rule.influxql, {}, end_ms - rule.span_s * 1000, end_ms, "1m")
    last = [values_of([one])[-1] for one in series_of(planted.server, planted.db, influxql)]
    if not last:
        return rule.silent == "Alerting"
    return any(value > rule.limit if rule.operator == "gt" else value < rule.limit for value in last)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_a_quiet_plant_raises_nothing_but_the_tap_that_never_rests(steady, rule):
    """The planted water flows at 0.5 m3/h all day and night."""
    assert raised(steady, rule.uid) is (rule.uid == "kgce-water-never-rests")


@pytest.mark.parametrize(
    ("uid", "line"),
    [
        ("kgce-boiler-fault", "boiler,institution=office,building=east,device=b1 error_code=17"),
        ("kgce-flue-hot", "boiler,institution=office,building=east,device=b1 flue_temperature=231"),
        ("kgce-voltage-high", "electricity,institution=office,building=east,device=m1 voltage_l1_n=236"),
    ],
)
def test_what_is_beyond_the_limit_is_raised(influx_server, uid, line):
    database = f"alert_{uid.replace('-', '_')}"
    influx_server.query(f'CREATE DATABASE "{database}"', method="POST")
    planted = Plant(influx_server, database, 0, 0)
    planted.write(f"{line} {int(time.time() * 1000)}")
    assert raised(planted, uid)


def test_silence_of_all_meters_is_raised(influx_server):
    influx_server.query('CREATE DATABASE "alert_silence"', method="POST")
    assert raised(Plant(influx_server, "alert_silence", 0, 0), "kgce-meters-silent")
