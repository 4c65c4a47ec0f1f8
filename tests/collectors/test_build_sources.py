"""Sources are built from one visible table; a link is one queue and a name is one device."""

import pytest

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.drivers import build_sources


def device(name: str, **fields: object) -> dict:
    return {"institution": "o", "device": name, "profile": "eastron-sdm630", **fields}


def test_a_link_is_one_queue_and_a_name_is_one_device() -> None:
    link = {"host": "127.0.0.1", "port": 5020, "devices": [device("a")]}
    with pytest.raises(ValueError, match=r"two links to 127\.0\.0\.1:5020"):
        CollectorsConfig.model_validate({"modbus": [link, {**link, "devices": [device("b")]}]})
    with pytest.raises(ValueError, match="two devices are called 'a' at institution 'o'"):
        CollectorsConfig.model_validate({"modbus": [link, {**link, "port": 5021}]})


def test_sources_are_built_from_the_visible_table() -> None:
    link = {"host": "127.0.0.1", "port": 5020, "devices": [device("a", counts=False)]}
    [source] = build_sources(CollectorsConfig.model_validate({"modbus": [link]}))
    assert source.name == "modbus 127.0.0.1:5020"
    assert [(point.id, point.carrier, point.counts) for point in source.points()] == [("a", "electricity", False)]
