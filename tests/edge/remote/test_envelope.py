"""Envelopes: only what was signed is believed."""

import base64
import stat

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from kgce.domain.errors import ConfigError, InputError
from kgce.edge.remote.config import RemoteTable
from kgce.edge.remote.envelope import Payload, addressee, seal, unseal
from kgce.edge.remote.key_pair import new_private_key, public_text, read_private_key

# RFC 8032, section 7.1, test 3: secret key, public key, message af82 and its signature.
SECRET = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
MESSAGE = bytes.fromhex("af82")
SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
PAYLOAD = Payload(gateway="g1", version=3, valid_from_ms=0, not_after_ms=10, toml="a = 1")
PRIVATE = Ed25519PrivateKey.from_private_bytes(SECRET)


def text(body: bytes) -> str:
    return base64.b64encode(body).decode()


def unsealed(raw: bytes, keys=None, max_bytes: int = 10_000):
    return unseal(raw, keys or {"ops": PUBLIC}, max_bytes=max_bytes)


def test_what_was_sealed_is_read_back() -> None:
    signed = unsealed(seal(PAYLOAD, PRIVATE, "ops"))
    assert signed.payload == PAYLOAD == addressee(seal(PAYLOAD, PRIVATE, "ops"))
    assert signed.key == "ops"
    assert len(signed.digest) == 64


def test_the_signature_is_ed25519_as_published() -> None:
    """The message of RFC 8032 is no payload, but its signature is good: the complaint is about the payload."""
    raw = orjson.dumps({"payload": text(MESSAGE), "signature": text(SIGNATURE), "key": "ops"})
    with pytest.raises(InputError, match="the signed payload is not one: not JSON"):
        unsealed(raw)
    raw = orjson.dumps({"payload": text(b"\xaf\x83"), "signature": text(SIGNATURE), "key": "ops"})
    with pytest.raises(InputError, match="the signature is not that of key 'ops'"):
        unsealed(raw)


def test_two_payloads_of_one_version_have_two_digests() -> None:
    other = PAYLOAD.model_copy(update={"toml": "a = 2"})
    one, two = (unsealed(seal(payload, PRIVATE, "ops")).digest for payload in (PAYLOAD, other))
    assert one != two


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": "x" * 1000}, r"^signed with key 'x{64}', which"),
        ({"signature": "AAAA"}, "the signature is not that of"),
        ({"signature": "?"}, "base64"),
        ({"payload": "?"}, "base64"),
        ({"more": 1}, "not an envelope: more"),
        ({"payload": 1}, "not an envelope: payload"),
    ],
)
def test_a_changed_envelope_is_refused(change, reason) -> None:
    document = orjson.loads(seal(PAYLOAD, PRIVATE, "ops")) | change
    with pytest.raises(InputError, match=reason):
        unsealed(orjson.dumps(document))


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff", b"7", b"{}"])
def test_what_is_no_envelope_is_refused(raw) -> None:
    with pytest.raises(InputError, match="not an envelope"):
        unsealed(raw)


def test_one_byte_too_many_is_refused_before_anything_is_looked_at() -> None:
    raw = seal(PAYLOAD, PRIVATE, "ops")
    assert unsealed(raw, max_bytes=len(raw)).payload == PAYLOAD
    with pytest.raises(InputError, match=r"at most \d+ are taken"):
        unsealed(raw, max_bytes=len(raw) - 1)


@pytest.mark.parametrize("version", [0, -1, 1_000_000, 1.5, "3", True])
def test_a_version_is_a_whole_number_from_one_on(version) -> None:
    body = orjson.dumps({**PAYLOAD.model_dump(), "version": version})
    raw = orjson.dumps({"payload": text(body), "signature": text(PRIVATE.sign(body)), "key": "ops"})
    with pytest.raises(InputError, match="the signed payload is not one: version"):
        unsealed(raw)


def test_a_new_key_is_for_its_owner_alone_and_signs(tmp_path) -> None:
    path = tmp_path / "ops.key"
    private = new_private_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = RemoteTable(host="127.0.0.1", keys={"ops": public_text(private)}).public_keys
    assert unsealed(seal(PAYLOAD, read_private_key(path), "ops"), keys).payload == PAYLOAD
    with pytest.raises(InputError, match="exists; a key that is in use is not replaced"):
        new_private_key(path)


def test_what_is_no_private_key_is_told(tmp_path) -> None:
    path = tmp_path / "other.key"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_private_key(path)
    path.write_text("nothing")
    with pytest.raises(ConfigError, match="holds no private key"):
        read_private_key(path)
    curve = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ConfigError, match="not an Ed25519 key"):
        read_private_key(path)


@pytest.mark.parametrize("keys", [{}, {"ops": "AAAA"}, {"ops": "no base64"}, {"": text(PUBLIC)}])
def test_a_table_with_a_wrong_key_is_refused(keys) -> None:
    with pytest.raises(ValidationError, match="keys"):
        RemoteTable(host="127.0.0.1", keys=keys)


def test_a_broker_far_away_is_spoken_to_encrypted() -> None:
    assert RemoteTable(host="broker.example", keys={"ops": text(PUBLIC)}).tls
    assert not RemoteTable(host="127.0.0.1", keys={"ops": text(PUBLIC)}).tls
