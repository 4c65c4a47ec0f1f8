"""Answers: what a worker says once a group is stored: receipts to gateways, the numbers it took to other workers."""

import logging
from typing import Final

import orjson

from kgce.collectors.ingest import packets
from kgce.collectors.ingest.group import Job
from kgce.collectors.uplink import receipt, topics
from kgce.collectors.uplink.message import Number
from kgce.collectors.uplink.receipt import Receipt
from kgce.domain.ports import AppendResult

TAKEN_TOPIC: Final = "kgce/ingest/taken"

log: Final = logging.getLogger(__name__)


def receipt_packet(job: Job, at_ms: int) -> bytes:
    """The receipt as a packet; nothing where nobody asked, or asked for it in a place that is not the gateway's own."""
    arrived = job.arrived
    if arrived.correlation is None or arrived.answer_to != topics.topic(job.gateway, topics.RECEIPT):
        return b""
    result = job.result if not job.reason else AppendResult()
    return packets.publish(
        arrived.answer_to, receipt.encode(Receipt(result, at_ms, job.reason)), correlation=arrived.correlation
    )


def taken_text(worker: str, numbers: list[tuple[Number, int]]) -> bytes:
    """What a worker took, for the others."""
    rows = [(one.gateway, one.boot, one.seq, one.last, one.part, one.parts, sent_ms) for one, sent_ms in numbers]
    return orjson.dumps({"worker": worker, "taken": rows})


def taken_numbers(payload: bytes) -> list[tuple[Number, int]]:
    """What another worker took, each with when it was sent; nothing where the payload is none of a worker."""
    try:
        return [
            (Number(gateway, boot, seq, last, part, parts), int(sent_ms))
            for gateway, boot, seq, last, part, parts, sent_ms in orjson.loads(payload)["taken"]
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        log.warning("somebody says on %s what no worker says", TAKEN_TOPIC)
        return []
