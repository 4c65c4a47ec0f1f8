"""`kgce serve` and `kgce import weather` as a user runs them."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.cli.kgce_command import kgce
from tests.servers import free_port, wait_for_port

REGISTRY = """\
institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2
a,甲,370102,office,city,B,2019,100,1000,
"""
READINGS = """\
time,institution,point,carrier,kind,unit,value,step
2019-01-01T00:00:00+08:00,a,bill,electricity,interval,kWh,60000,year
"""


def test_what_was_imported_is_served_until_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    (tmp_path / "readings.csv").write_text(READINGS, encoding="utf-8")
    for kind in ("registry", "readings"):
        answer = kgce("import", kind, f"{kind}.csv", cwd=tmp_path)
        assert answer.code == 0, answer.err
    port = free_port()
    command = [sys.executable, "-m", "kgce", "serve", "--port", str(port)]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, timeout_s=40)
        url = f"http://127.0.0.1:{port}/api/v1/ranking?year=2019&indicator=energy_per_area"
        with urllib.request.urlopen(url, timeout=20) as answer:
            [row] = json.load(answer)
        assert (row["rank"], row["institution"], row["unit"]) == (1, "a", "kgce/m2")
        assert abs(row["value"] - 60_000 * 0.1229 / 1000) < 1e-9
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=20) == 0
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def test_it_refuses_to_listen_where_others_could_reach_it(tmp_path: Path) -> None:
    answer = kgce("serve", "--host", "0.0.0.0", "--port", free_port(), cwd=tmp_path)
    assert answer.code == 2
    assert "no authentication" in answer.err


def test_weather_is_imported_once(tmp_path: Path) -> None:
    rows = "time,station,temperature_c\n2019-01-01T00:00:00+08:00,jinan,-3.5\n2019-01-01T01:00:00+08:00,jinan,warm\n"
    (tmp_path / "weather.csv").write_text(rows, encoding="utf-8")
    first = kgce("import", "weather", "weather.csv", "--json", cwd=tmp_path)
    assert first.code == 1
    assert (first.json["stored"], first.json["refused"]) == (1, 1)
    assert first.json["refusals"][0]["line"] == 3
    assert kgce("import", "weather", "weather.csv", "--json", cwd=tmp_path).json["duplicate"] == 1
