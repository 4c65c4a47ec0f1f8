"""Modbus conversations out of packet captures: TCP streams put together by sequence number, retransmissions once."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dpkt

PORT = 502
Side = tuple[bytes, int, bytes, int]


@dataclass
class Conversation:
    """What went each way on one connection, in the order of the bytes."""

    requests: bytes = b""
    answers: bytes = b""


@dataclass
class _Stream:
    next_seq: int | None = None
    early: dict[int, bytes] = field(default_factory=dict)
    data: bytes = b""

    def add(self, seq: int, payload: bytes) -> None:
        if self.next_seq is None:
            self.next_seq = seq
        if seq < self.next_seq:  # sent again, perhaps with more behind it
            payload, seq = payload[self.next_seq - seq :], self.next_seq
        if not payload:
            return
        self.early[seq] = payload
        while self.next_seq in self.early:
            known = self.early.pop(self.next_seq)
            self.data += known
            self.next_seq += len(known)

    def with_holes(self) -> bytes:
        """Everything that was captured; where packets are missing, what follows stands behind the hole."""
        return self.data + b"".join(self.early[seq] for seq in sorted(self.early))


def conversations(path: Path) -> list[Conversation]:
    """Every connection to port 502 in a capture."""
    streams: dict[Side, _Stream] = defaultdict(_Stream)
    for packet in _packets(path):
        ip, tcp = packet
        if not tcp.data or PORT not in (tcp.sport, tcp.dport):
            continue
        streams[ip.src, tcp.sport, ip.dst, tcp.dport].add(tcp.seq, bytes(tcp.data))
    found: dict[frozenset, Conversation] = defaultdict(Conversation)
    for (src, sport, dst, dport), stream in streams.items():
        one = found[frozenset({(src, sport), (dst, dport)})]
        if dport == PORT:
            one.requests += stream.with_holes()
        else:
            one.answers += stream.with_holes()
    return list(found.values())


def payloads(path: Path) -> Iterator[tuple[bool, bytes]]:
    """(to the device?, bytes) of each packet to or from port 502, as it was captured, repetitions included."""
    for _, tcp in _packets(path):
        if tcp.data and PORT in (tcp.sport, tcp.dport):
            yield tcp.dport == PORT, bytes(tcp.data)


def _packets(path: Path) -> Iterator[tuple]:
    with path.open("rb") as file:
        for _, raw in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(raw).data
            if isinstance(ip, dpkt.ip.IP) and isinstance(ip.data, dpkt.tcp.TCP):
                yield ip, ip.data
