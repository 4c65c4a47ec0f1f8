"""A profile as TOML text, in the order people read it."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

_INLINE: Final = {"register", "unit_from", "exponent_from", "valid_if", "ratios"}


def toml_of(header: Sequence[str], document: Mapping[str, Any]) -> str:
    """The text: remarks, then [device], then one table for every element of a list."""
    lines = [f"# {line}" for remark in header for line in textwrap.wrap(remark, 116)]
    for name, value in document.items():
        for table in value if isinstance(value, list) else [value]:
            lines += ["", f"[[{name}]]" if isinstance(value, list) else f"[{name}]"]
            lines += [f"{key} = {_value(entry)}" for key, entry in table.items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_value(entry)}" for key, entry in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: Any) -> str:
    text = str(key)
    return text if text.isascii() and text.replace("_", "").replace("-", "").isalnum() else json.dumps(text)
