"""Provisioning files that make Grafana load dashboards, data source and alert rules at its start.

Grafana fills `${NAME}` from its environment: addresses and secrets never stand in the files.
"""

import json
from typing import Final

from kgce.dashboards.alerts import alert_rules
from kgce.dashboards.heading import Language

_DASHBOARDS_HEAD: Final = """\
# Grafana reads the dashboards from the folder named by KGCE_DASHBOARDS.
apiVersion: 1
providers:
"""
_PROVIDER: Final = """\
  - name: kgce-{language}
    folder: {folder}
    type: file
    disableDeletion: true
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: ${{KGCE_DASHBOARDS}}/{language}
"""
_FOLDERS: Final = {Language.EN: "kgce", Language.ZH: "kgce 中文"}

DATASOURCES_YAML: Final = """\
# InfluxDB over InfluxQL. KGCE_INFLUXDB_URL: http://host:port; the password is set in Grafana's environment only.
apiVersion: 1
datasources:
  - name: kgce
    uid: kgce
    type: influxdb
    access: proxy
    isDefault: true
    editable: false
    url: ${KGCE_INFLUXDB_URL}
    user: ${KGCE_INFLUXDB_USER}
    jsonData:
      version: InfluxQL
      dbName: ${KGCE_INFLUXDB_DATABASE}
      httpMode: POST
      timeInterval: 10s
    secureJsonData:
      password: ${KGCE_INFLUXDB_PASSWORD}
"""


def provisioning() -> dict[str, str]:
    """Texts by path below the folder that is written to; the alert rules are JSON, which YAML contains."""
    providers = "".join(_PROVIDER.format(language=language, folder=_FOLDERS[language]) for language in Language)
    rules = json.dumps(alert_rules(), ensure_ascii=False, indent=2, sort_keys=True)
    return {
        "provisioning/dashboards/kgce.yaml": _DASHBOARDS_HEAD + providers,
        "provisioning/datasources/kgce.yaml": DATASOURCES_YAML,
        "provisioning/alerting/kgce.yaml": rules + "\n",
    }
