"""Provisioning files that make Grafana load the dashboards and the data source at its start.

Grafana fills `${NAME}` from its environment: addresses and secrets never stand in the files.
"""

from typing import Final

DASHBOARDS_YAML: Final = """\
# Grafana reads the dashboards from the folder named by KGCE_DASHBOARDS.
apiVersion: 1
providers:
  - name: kgce
    folder: kgce
    type: file
    disableDeletion: true
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: ${KGCE_DASHBOARDS}
"""

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
