"""Bytes to a telegram in one step: link layer, then application layer; the entry for tools and fuzzing."""

from kgce.collectors.mbus.link import FrameError, LongFrame, decode
from kgce.collectors.mbus.telegram import Telegram, decode_telegram


def parse(data: bytes) -> Telegram:
    """The meter's answer these bytes are: exactly one whole frame.

    Raises:
        FrameError: they are not, or it cannot be read to its end; nothing else is ever raised.
    """
    frame = decode(data)
    if not isinstance(frame, LongFrame) or not frame.is_answer:
        raise FrameError("a frame, but not a meter's answer")
    return decode_telegram(frame)
