"""What the host application says and hears besides node sessions: topics, and its own STATE; pure."""

from typing import Final

import orjson

from kgce.collectors.sparkplug.session import NODE, Verb

NAMESPACE: Final = "spBv1.0"
_NODE_VERBS: Final = {Verb.NBIRTH, Verb.NDATA, Verb.NDEATH}


def state_topic(host_id: str) -> str:
    """Where a host application says whether it is there."""
    return f"{NAMESPACE}/STATE/{host_id}"


def state_payload(*, online: bool, time_ms: int) -> bytes:
    """Birth or death of a host application."""
    return orjson.dumps({"online": online, "timestamp": time_ms})


def says_offline(payload: bytes) -> bool:
    """Whether a STATE message declares its host application dead."""
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return False
    return isinstance(said, dict) and said.get("online") is False


def node_topics(group: str, node: str) -> list[str]:
    """Everything one node sends, and nothing that is sent to it."""
    own = [f"{NAMESPACE}/{group}/{verb}/{node}" for verb in Verb if verb in _NODE_VERBS]
    return own + [f"{NAMESPACE}/{group}/{verb}/{node}/+" for verb in Verb if verb not in _NODE_VERBS]


def command_topic(group: str, node: str) -> str:
    """Where a node takes commands."""
    return f"{NAMESPACE}/{group}/NCMD/{node}"


def read_topic(topic: str) -> tuple[str, Verb, str, str] | None:
    """(group, verb, node, device) of a node's message; None for anything else."""
    levels = topic.split("/")
    if len(levels) not in {4, 5} or levels[0] != NAMESPACE or levels[2] not in set(Verb):
        return None
    verb = Verb(levels[2])
    if (len(levels) == 4) != (verb in _NODE_VERBS):  # noqa: PLR2004 - namespace, group, verb, node
        return None
    return levels[1], verb, levels[3], levels[4] if verb not in _NODE_VERBS else NODE
