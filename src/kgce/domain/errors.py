"""The error tree: two kinds are raised, bad data is a Finding.

KgceError
├── TryAgain            the same call may work later; only retry wrappers catch it
│   ├── DeviceUnreachable
│   └── StoreUnavailable
└── NeverWorks          asking again cannot help; the message says what to change
    ├── ConfigError
    │   └── ProfileError
    ├── InputError
    │   ├── UnknownUnit
    │   └── NaiveTime
    └── UnknownItem
        ├── UnknownInstitution
        └── UnknownPoint
"""


class KgceError(Exception):
    """Root of every error kgce raises on purpose; its text is one line fit for a person."""


class TryAgain(KgceError):
    """The same call may work later."""


class DeviceUnreachable(TryAgain):
    """No whole answer from the device in time."""


class StoreUnavailable(TryAgain):
    """The store kept nothing; the caller still owns the batch."""


class NeverWorks(KgceError, ValueError):
    """Asking again cannot help. A ValueError too: configuration models report it with the field it belongs to."""


class ConfigError(NeverWorks):
    """A configuration file or option is wrong."""


class ProfileError(ConfigError):
    """A device profile is wrong, or does not fit the device."""


class InputError(NeverWorks):
    """A value that came from outside is not acceptable."""


class UnknownUnit(InputError):
    """The unit is not known, or does not measure this quantity."""


class NaiveTime(InputError):
    """A time without an offset; which instant it means is anybody's guess."""


class UnknownItem(NeverWorks):
    """Something was asked for by a name nobody registered."""


class UnknownInstitution(UnknownItem):
    """No institution with this id."""


class UnknownPoint(UnknownItem):
    """No such point at this institution."""
