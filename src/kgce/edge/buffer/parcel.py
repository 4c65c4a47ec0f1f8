"""Parcel: a run of batches of one start of the gateway that follow one another; what goes up as one."""

from dataclasses import dataclass

from kgce.domain.batch import Batch


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """Batches `first` to `last`, without a hole; (boot, first, last) is unique for ever."""

    boot: str
    first: int
    last: int
    batch: Batch  # the rows of all of them, in the order they were put

    def __len__(self) -> int:
        return len(self.batch)
