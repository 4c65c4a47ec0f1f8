"""thingsboard-gateway 3.8.5 in a virtual environment of its own, set up to do what kgce's gateway does."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import orjson
import paho.mqtt.client as mqtt

from kgce.collectors.profile import load_profile

VERSION: Final = "3.8.5"
VENV: Final = Path(__file__).with_name(".venv-thingsboard")
# What its Modbus connector would install by itself at its first start.
PACKAGES: Final = (f"thingsboard-gateway=={VERSION}", "pymodbus==3.9.2", "pyserial", "pyserial-asyncio")
RPC: Final = "v1/devices/me/rpc/request/"
UNLIMITED: Final = "0:0,"


def lacking() -> str:
    """Why it cannot be run here; empty when it can. Sets it up at the first call."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    installed = subprocess.run(
        [str(python), "-c", "import thingsboard_gateway, pymodbus"], check=False, capture_output=True
    )
    if installed.returncode:
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            return f"thingsboard-gateway {VERSION} cannot be installed from the package registry"
    return ""


def start(folder: Path, ports: list[int], broker: int, profile: str) -> subprocess.Popen[bytes]:
    """The gateway as a process that reads a meter on each port every second."""
    (folder / "data").mkdir(parents=True)
    for name, document in (
        ("tb_gateway.json", _main(folder, broker)),
        ("modbus.json", _modbus(ports, profile)),
        ("logs.json", _quiet()),
    ):
        (folder / name).write_bytes(orjson.dumps(document))
    command = [str(VENV / "bin" / "python"), "-c", "from thingsboard_gateway.tb_gateway import main; main()"]
    surroundings = {**os.environ, "TB_GW_CONFIG_DIR": str(folder)}
    return subprocess.Popen(command, cwd=folder, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def count_readings(client: mqtt.Client, message: mqtt.MQTTMessage) -> int:
    """Readings in a message; also answers as its platform would that nothing is limited, or it sends nothing."""
    if message.topic.startswith(RPC) and orjson.loads(message.payload).get("method") == "getSessionLimits":
        limits = {"maxPayloadSize": 65_536, "maxInflightMessages": 1000, "rateLimits": {}, "gatewayRateLimits": {}}
        client.publish(f"v1/devices/me/rpc/response/{message.topic.removeprefix(RPC)}", orjson.dumps(limits))
    if message.topic != "v1/gateway/telemetry":
        return 0
    return sum(len(entry["values"]) for entries in orjson.loads(message.payload).values() for entry in entries)


def _main(folder: Path, broker: int) -> dict[str, Any]:
    limits = ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits",
              "deviceDpRateLimits")  # fmt: skip
    return {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": broker,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "minPackSendDelayMS": 50,
            "minPackSizeToSend": 500,
            "maxPayloadSizeBytes": 65_536,
            "handleDeviceRenaming": False,
            "checkingDeviceActivity": {"checkDeviceInactivity": False},
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"},
            **dict.fromkeys(limits, UNLIMITED),
        },
        "storage": {"type": "sqlite", "data_file_path": f"{folder}/data/", "max_read_records_count": 1000},
        "grpc": {"enabled": False},
        "connectors": [{"type": "modbus", "name": "meters", "configuration": "modbus.json"}],
    }


def _modbus(ports: list[int], profile: str) -> dict[str, Any]:
    """Its connector asks for each tag by itself; ranges would add the registers between as readings nobody wants."""
    tags = [
        {
            "tag": point.name,
            "type": "32float",
            "address": point.register_.address,
            "objectsCount": point.register_.words,
            "functionCode": 4,
        }
        for point in load_profile(profile).point
        if point.poll
    ]
    slaves = [
        {
            "host": "127.0.0.1",
            "port": port,
            "type": "tcp",
            "method": "socket",
            "unitId": 1,
            "deviceName": f"m{port}",
            "deviceType": "default",
            "timeout": 3,
            "byteOrder": "BIG",
            "wordOrder": "BIG",
            "retries": 3,
            "retryOnEmpty": True,
            "retryOnInvalid": True,
            "pollPeriod": 1000,
            "connectAttemptTimeMs": 5000,
            "connectAttemptCount": 5,
            "waitAfterFailedAttemptsMs": 30_000,
            "attributes": [],
            "timeseries": tags,
            "attributeUpdates": [],
            "rpc": [],
        }
        for port in ports
    ]
    return {"name": "meters", "logLevel": "ERROR", "master": {"slaves": slaves}}


def _quiet() -> dict[str, Any]:
    """Its own logging configuration, errors only: logs cost time that readings do not."""
    found = next(VENV.glob("lib/python3*/site-packages/thingsboard_gateway/config/logs.json"))
    logs: dict[str, Any] = orjson.loads(found.read_bytes())
    for logger in (*logs["loggers"].values(), logs["root"]):
        logger["level"] = "ERROR"
    return logs
