"""A message or a sequence in the words of shared/facts/protocol_vectors.json: what `replay` compares."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kgce.collectors.sparkplug.datatype import NAMES, DatatypeError, shortest, typed_value
from kgce.collectors.sparkplug.payload import BOOLEAN, REBIRTH, Metric, Payload, parse
from kgce.collectors.sparkplug.session import NODE, Message, Session, Told, Verb

REORDER_S: Final = 2.0
_DEVICE: Final = "D"


def message_terms(topic: str, data: bytes) -> dict[str, Any]:
    """The payload, and for a command whether it asks for births.

    Raises:
        PayloadError: the bytes are no payload.
    """
    payload = parse(data)
    said: dict[str, Any] = {"metrics": [_metric_terms(metric) for metric in payload.metrics]}
    if payload.timestamp is not None:
        said["timestamp"] = payload.timestamp
    if payload.seq is not None:
        said["seq"] = payload.seq
    terms: dict[str, Any] = {"payload": said}
    if "/NCMD/" in topic:
        terms["decision"] = "rebirth" if asks_for_births(payload) else "no rebirth"
    return terms


def asks_for_births(payload: Payload) -> bool:
    """Whether a node command asks the node to send its births again."""
    return any(
        metric.name == REBIRTH and metric.datatype in {None, BOOLEAN} and metric.raw is True
        for metric in payload.metrics
    )


def sequence_terms(seqs: Sequence[int]) -> dict[str, Any]:
    """What a session decides when data of a running node come with these sequence numbers."""
    session = Session(reorder_s=REORDER_S, rebirth_every_s=60.0)
    birth = Payload(timestamp=1, metrics=(Metric(name="bdSeq", datatype=4, field="long_value", raw=0),))
    session.hear(Message(Verb.NBIRTH, NODE, Payload(1, birth.metrics, (seqs[0] - 1) % 256), b"birth"), 0.0)
    told = [session.hear(Message(Verb.NDATA, NODE, Payload(1, (), seq), f"data {seq}".encode()), 0.0) for seq in seqs]
    if session.deadline is not None:
        told.append(session.tick(session.deadline))
    return _decision(told)


def event_terms(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a session decides that hears these events and nothing before them."""
    session, told = Session(reorder_s=REORDER_S, rebirth_every_s=60.0), []
    for at, event in enumerate(events):
        verb = Verb(event["type"])
        device = NODE if verb.startswith("N") else str(event.get("device", _DEVICE))
        metric = Metric(event.get("name"), event.get("alias"), 1, event.get("datatype"), field="double_value", raw=1.0)
        bd_seq = Metric(name="bdSeq", datatype=4, field="long_value", raw=event.get("bdSeq", 0))
        metrics: tuple[Metric, ...] = (bd_seq,) if verb in {Verb.NBIRTH, Verb.NDEATH} else ()
        if {"name", "alias"} & event.keys():
            metrics += (metric,)
        told.append(session.hear(Message(verb, device, Payload(1, metrics, event.get("seq")), f"{at}".encode()), 0.0))
    if session.deadline is not None:
        told.append(session.tick(session.deadline))
    return _decision(told)


def _decision(told: Sequence[Told]) -> dict[str, Any]:
    refused = [reason for one in told for reason in one.refused]
    samples = sum(len(one.samples) for one in told)
    if any(one.rebirth for one in told):
        decision = "wait, then ask for rebirth" if "after a sequence gap" in refused else "no reading, ask for rebirth"
    elif "repeated message" in refused:
        decision = "drop duplicate"
    else:
        decision = "discard" if refused and not samples else "accept"
    return {"decision": decision, "refused": refused, "samples": samples}


def _metric_terms(metric: Metric) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": metric.name,
        "alias": metric.alias,
        "timestamp": metric.timestamp,
        "dataType": None if metric.datatype is None else NAMES.get(metric.datatype, metric.datatype),
        "isHistorical": metric.is_historical or None,
        "isTransient": metric.is_transient or None,
        "isNull": metric.is_null or None,
    }
    terms: dict[str, Any] = {key: value for key, value in found.items() if value is not None}
    terms["value"] = None if metric.is_null else _value(metric)
    return terms


def _value(metric: Metric) -> Any:
    if metric.datatype is not None:
        try:
            value = typed_value(metric, metric.datatype)
        except DatatypeError:
            return None
    else:
        value = metric.raw if metric.raw is not None else b""
    if metric.field == "float_value" and isinstance(value, float):
        return shortest(value)
    return value.hex() if isinstance(value, bytes) else value
