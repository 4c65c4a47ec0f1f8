"""Set-up of a store of any kind: how long it keeps, what it sums up."""

from kgce.domain.errors import ConfigError
from kgce.domain.ports import ReadingStore
from kgce.store.found import FoundStore
from kgce.store.influx.durations import seconds_of


def set_up(store: ReadingStore, *, keep: str | None, hourly: str | None) -> list[str]:
    """Set up what is stated; what was changed, for people.

    Raises:
        ConfigError: a duration cannot be read, or this kind of store has no such setting.
        StoreUnavailable: no answer.
    """
    keep_s, hourly_s = (None if text is None else seconds_of(text) for text in (keep, hourly))
    found = store.store if isinstance(store, FoundStore) else store
    from kgce.store.influx.store import InfluxStore  # noqa: PLC0415 - only where it is needed

    if isinstance(found, InfluxStore):
        from kgce.store.influx.setup import initialise  # noqa: PLC0415 - as above

        return initialise(found.server, keep_s=keep_s, hourly_keep_s=hourly_s)
    kind = found.status().kind
    if keep_s or hourly_s is not None:
        hint = (
            "start it with -retentionPeriod"
            if kind == "VictoriaMetrics"
            else "it keeps everything, and sums up as asked"
        )
        raise ConfigError(f"{kind} has no retention or hourly figures to set here: {hint}")
    return []
