"""TLS to a broker: the context, and what a failed handshake means in words that say what to do."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.domain.errors import ConfigError

# Words of OpenSSL's message -> what to do. The clock stands first: after a flat battery it is the usual cause
# (devices.md hazard 46).
_ADVICE: Final[tuple[tuple[str, str], ...]] = (
    (
        "not yet valid",
        "the broker's certificate is not valid yet: this machine's clock says {now} and is probably wrong; set it",
    ),
    ("has expired", "the broker's certificate has expired, or this machine's clock is wrong: it says {now}"),
    ("mismatch", "the broker's certificate is for another name: put the name it carries into host"),
    (
        "unable to get local issuer",
        "the broker's certificate is signed by an authority unknown here: name it in ca_file",
    ),
    ("self-signed", "the broker's certificate is signed by an authority unknown here: name it in ca_file"),
    ("self signed", "the broker's certificate is signed by an authority unknown here: name it in ca_file"),
    ("certificate verify failed", "the broker's certificate is not the one ca_file vouches for"),
    ("certificate required", "the broker wants a certificate of this client: give cert_file and key_file"),
    ("unknown ca", "the broker does not know who signed this client's certificate: give one it accepts in cert_file"),
    ("wrong version number", "the broker does not speak TLS on this port: check port, or set tls = false"),
    ("eof occurred", "the broker ended the TLS handshake: check port, cert_file and key_file"),
)


def tls_context(config: BrokerConfig) -> ssl.SSLContext | None:
    """Both sides are checked; None without TLS.

    Raises:
        ConfigError: a file holds no certificate or no key.
    """
    if not config.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=config.ca_file)
        if config.cert_file and config.key_file:
            context.load_cert_chain(config.cert_file, config.key_file)
    except (ssl.SSLError, OSError) as error:
        files = ", ".join(filter(None, (config.ca_file, config.cert_file, config.key_file)))
        raise ConfigError(f"{config.host}: cannot use the certificates of {files}: {error}") from error
    return context


def explained(error: str, wall_clock: Callable[[], float]) -> str:
    """The error, preceded by what to do if it is one of TLS."""
    for words, advice in _ADVICE:
        if words in error.casefold().replace("_", " "):
            now = datetime.fromtimestamp(wall_clock(), UTC)
            return f"{advice.format(now=f'{now:%Y-%m-%d %H:%M} UTC')} ({error})"
    return error
