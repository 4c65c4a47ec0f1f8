"""The protobuf messages of a payload, as a descriptor built from field numbers.

Numbers: shared/facts/devices.md 2.1; those of the properties as in the published sparkplug_b.proto (PropertySet 1-2,
PropertyValue 1-8). Data sets, templates and metadata are left out: the runtime keeps them as unknown fields.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "kgce.sparkplug"
_TYPES: Final = {
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
    "float": _Field.TYPE_FLOAT,
    "double": _Field.TYPE_DOUBLE,
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,  # text too: whether it is UTF-8 is judged where it is read, not by the runtime
}

# message -> (number, name, type); a name with * repeats, one with | belongs to the choice of values
_MESSAGES: Final[dict[str, tuple[tuple[int, str, str], ...]]] = {
    "PropertyValue": (
        (1, "type", "uint32"),
        (2, "is_null", "bool"),
        (3, "int_value|", "uint32"),
        (4, "long_value|", "uint64"),
        (5, "float_value|", "float"),
        (6, "double_value|", "double"),
        (7, "boolean_value|", "bool"),
        (8, "string_value|", "bytes"),
    ),
    "PropertySet": ((1, "keys*", "bytes"), (2, "values*", "PropertyValue")),
    "Metric": (
        (1, "name", "bytes"),
        (2, "alias", "uint64"),
        (3, "timestamp", "uint64"),
        (4, "datatype", "uint32"),
        (5, "is_historical", "bool"),
        (6, "is_transient", "bool"),
        (7, "is_null", "bool"),
        (9, "properties", "PropertySet"),
        (10, "int_value|", "uint32"),
        (11, "long_value|", "uint64"),
        (12, "float_value|", "float"),
        (13, "double_value|", "double"),
        (14, "boolean_value|", "bool"),
        (15, "string_value|", "bytes"),
        (16, "bytes_value|", "bytes"),
    ),
    "Payload": (
        (1, "timestamp", "uint64"),
        (2, "metrics*", "Metric"),
        (3, "seq", "uint64"),
        (4, "uuid", "bytes"),
        (5, "body", "bytes"),
    ),
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="kgce/sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        if any(name.endswith("|") for _, name, _ in fields):
            message.oneof_decl.add(name="value")
        for number, name, kind in fields:
            field = message.field.add(name=name.rstrip("*|"), number=number)
            field.label = _Field.LABEL_REPEATED if name.endswith("*") else _Field.LABEL_OPTIONAL
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            if name.endswith("|"):
                field.oneof_index = 0
    return file


_POOL: Final = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
_PAYLOAD: Final[type[Message]] = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


def new_message() -> Any:
    """An empty payload message of the protobuf runtime; its fields exist at run time only, hence Any."""
    return _PAYLOAD()
