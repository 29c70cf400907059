"""Data that is read as it is needed: what a data set is that fits neither memory nor disk."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from torch import Tensor

Row: TypeAlias = Mapping[str, Tensor]
"""One row by field: an image uint8, C x H x W; a label int64 without dimensions; a caption uint8, L."""
Position: TypeAlias = tuple[int, ...]
"""Where a reader stands. The first number is the pass, from 0; what follows is the stream's own: (3,) is where pass 3
begins, and () where all begins."""


class Stream(ABC):
    """Rows that are read one after the other, as often as wanted, and never held as a whole.

    Its length is the number of rows in one pass. It travels to the processes that read it, so it holds what can be
    pickled: names of files, not files that are open.
    """

    classes: tuple[str, ...] = ()
    """What the labels mean, by number."""

    @abstractmethod
    def __len__(self) -> int:
        """Rows in one pass.

        Raises:
            DataError: it cannot be told, or the data is missing or broken.
        """

    @abstractmethod
    def read(self, seed: int, part: int, parts: int, position: Position) -> Iterator[tuple[Row, Position]]:
        """One share of the rows, pass after pass, for ever, each with the position after it.

        The shares of one pass have no row in common and together are the whole pass. The order follows from the seed
        and the pass; with the same seed, share and position, the same rows follow.

        Args:
            seed: of the order.
            part: which share, from 0.
            parts: among how many the rows are divided.
            position: where to go on: as it came with the row before, or the beginning of a pass.

        Raises:
            DataError: rows are missing or broken, or there are fewer than so many shares.
        """
