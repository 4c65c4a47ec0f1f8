"""A data set in a real store and a real registry, as `kgce import dataset` leaves it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kgce.collectors.datasets import load
from kgce.domain.ports import ReadingStore, Registry
from kgce.store.open import open_registry, open_store


@contextmanager
def loaded(name: str, data: Path, folder: Path) -> Iterator[tuple[ReadingStore, Registry]]:
    """Load into a fresh folder; every reading must be stored, none twice."""
    found = load(name, data)
    with closing(open_store(folder)) as store, closing(open_registry(folder)) as registry:
        registry.save_regions(found.regions)
        registry.save_institutions(found.institutions)
        registry.save_attributes(found.attributes)
        registry.save_buildings(found.buildings)
        registry.save_points(found.points)
        registry.save_findings(name, found.findings)
        kept = store.append(found.batch)
        assert (kept.stored, kept.duplicate, kept.refused, kept.replaced) == (len(found.batch), 0, 0, 0)
        yield store, registry
