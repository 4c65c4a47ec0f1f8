"""Published frames of both editions give their published meaning."""

from pathlib import Path

import pytest

from kgce.collectors.dlt645.exchange import Answer, finder
from kgce.collectors.dlt645.explain import explain, explain_address, explain_stream
from kgce.collectors.dlt645.frame import PREAMBLE, encode, parse
from kgce.collectors.dlt645.identifiers import Edition, split
from tests.collectors.dlt645.published import said, vectors


def test_the_published_frames_are_there(shared_facts: Path) -> None:
    assert len(vectors()) == 27


@pytest.mark.parametrize("vector", vectors("request", "response", "invalid"))
def test_a_published_frame_means_what_its_publisher_says(vector: dict) -> None:
    said(vector["expect"], explain(bytes.fromhex(vector["hex"])))


@pytest.mark.parametrize("vector", vectors("stream"))
def test_published_line_traffic_gives_its_frames(vector: dict) -> None:
    said(vector["expect"], explain_stream(bytes.fromhex(vector["hex"])))


@pytest.mark.parametrize("vector", vectors("address"))
def test_a_published_address_goes_over_the_line_as_published(vector: dict) -> None:
    said(vector["expect"], explain_address(vector["address"]))


@pytest.mark.parametrize("vector", vectors("request", "response"))
def test_a_published_frame_is_encoded_byte_for_byte(vector: dict) -> None:
    raw = bytes.fromhex(vector["hex"]).lstrip(PREAMBLE)
    (frame,) = parse(raw)
    assert encode(frame) == raw


@pytest.mark.parametrize("vector", [v for v in vectors("response") if "value" in v.values[0]["expect"]])
def test_a_published_answer_is_found_by_the_question_it_answers(vector: dict) -> None:
    expected = vector["expect"]
    edition = Edition.Y1997 if vector["protocol"].endswith("1997") else Edition.Y2007
    answer = finder(expected["address"], edition, expected["di"])(bytes.fromhex(vector["hex"]))
    assert isinstance(answer, Answer)
    ((identifier, raw),) = split(edition, expected["di"], answer.payload)
    value = identifier.value(raw)
    assert value == expected["value"] if expected["value"] is not None else value != value  # noqa: PLR0124 - NaN
