"""Metrics: the status in the Prometheus text format, version 0.0.4.

Source of the format: prometheus.io/docs/instrumenting/exposition_formats.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kgce.edge.local.problems import Problem

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
_Sample = tuple[Labels, float]
_NO_LABELS: Final[Labels] = {}


def text(status: Mapping[str, Any], found: Sequence[Problem], version: str) -> str:
    """Every figure with its help and type; a figure that is not known is left out."""
    lines: list[str] = []
    for name, kind, help_text, samples in _families(status, found, version):
        rows = [(labels, value) for labels, value in samples if value is not None]
        if rows:
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{_shown(labels)} {value!r}" for labels, value in rows]
    return "\n".join(lines) + "\n"


def _families(
    status: Mapping[str, Any], found: Sequence[Problem], version: str
) -> Iterator[tuple[str, str, str, list[tuple[Labels, Any]]]]:
    counts, buffer, uplink = status["counters"], status["buffer"], status["uplink"]
    yield "kgce_gateway_info", "gauge", "The gateway.", [({"gateway": status["gateway"], "version": version}, 1)]
    outcomes = [({"outcome": name}, counts[name]) for name in ("stored", "duplicate", "refused", "dropped")]
    yield (
        "kgce_polled_rows_total",
        "counter",
        "Rows polled since the buffer was created.",
        [(_NO_LABELS, counts["polled"])],
    )
    yield "kgce_rows_total", "counter", "Rows by what became of them.", list(outcomes)
    yield "kgce_waiting_rows", "gauge", "Rows that wait in the buffer.", [(_NO_LABELS, counts["waiting"])]
    yield "kgce_books_balance", "gauge", "Whether the counts add up.", [(_NO_LABELS, int(status["equation_holds"]))]
    marks = [({"rule": rule}, rows) for rule, rows in status["marks"].items()]
    yield "kgce_marked_rows_total", "counter", "Rows marked by a check since the start.", list(marks)
    for key, help_text in _BUFFER.items():
        yield f"kgce_buffer_{key}", "gauge", help_text, [(_NO_LABELS, buffer.get(key))]
    yield "kgce_uplink_up", "gauge", "0 while the uplink is down.", [(_NO_LABELS, int(uplink["state"] != "down"))]
    last_ms = uplink.get("last_success_ms")
    last = None if last_ms is None else last_ms / 1000
    yield "kgce_uplink_last_success_timestamp_seconds", "gauge", "When it last took something.", [(_NO_LABELS, last)]
    for key, kind, help_text in _DEVICE:
        name = f"kgce_device_{key}" + ("_total" if kind == "counter" else "")
        yield name, kind, help_text, [(_device(one), int(one[key])) for one in status["devices"]]
    if "clock" in status:
        yield (
            "kgce_clock_trusted",
            "gauge",
            "Whether the time is trusted.",
            [(_NO_LABELS, int(status["clock"]["state"] == "trusted"))],
        )
    process = status.get("process", {})
    yield "process_resident_memory_bytes", "gauge", "Resident memory.", [(_NO_LABELS, process.get("rss_bytes"))]
    yield "process_open_fds", "gauge", "Open files.", [(_NO_LABELS, process.get("open_files"))]
    severities = [({"severity": level}, sum(one.severity == level for one in found)) for level in ("alarm", "warning")]
    yield "kgce_problems", "gauge", "What is broken now.", list(severities)


_BUFFER: Final = {
    "bytes": "Bytes the buffer uses.",
    "max_bytes": "Bytes it may use.",
    "hours_left": "Hours until it is full at this rate.",
    "held_rows": "Rows that wait for the right time.",
    "dead_letters": "Batches the store refused for good.",
    "quarantined_batches": "Batches damaged on disk.",
}
_DEVICE: Final = (
    ("online", "gauge", "Whether the device answers."),
    ("polls", "counter", "Rounds asked."),
    ("failures", "counter", "Rounds without an answer."),
    ("missed_ticks", "counter", "Rounds skipped because the one before was still running."),
)


def _device(one: Mapping[str, Any]) -> Labels:
    return {"institution": one["institution"], "device": one["device"]}


def _shown(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
