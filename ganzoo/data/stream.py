"""Streams: data too large for memory or disk, read on demand."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from torch import Tensor

Row: TypeAlias = Mapping[str, Tensor]
"""One row by field: an image uint8, C x H x W; a label int64, 0-dimensional; a caption uint8, L."""
Position: TypeAlias = tuple[int, ...]
"""Position of a reader: the pass, from 0, then numbers of the stream's own. (3,) is the start of pass 3, and () the
start of the data."""


class Stream(ABC):
    """Sequence of rows, read repeatedly and never held as a whole.

    Its length is the number of rows in one pass. It must be picklable for reader processes: names of files, not open
    files.
    """

    classes: tuple[str, ...] = ()
    """Names of the classes, by label."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows in one pass.

        Raises:
            DataError: the number is unknown, or the data is missing or broken.
        """

    @abstractmethod
    def read(self, seed: int, part: int, parts: int, position: Position) -> Iterator[tuple[Row, Position]]:
        """Iterate over one share of the rows, pass after pass, endlessly, with the position after each row.

        The shares of one pass are disjoint and together the whole pass. The order follows from the seed and the pass;
        the same seed, share and position give the same rows.

        Args:
            seed: seed of the order.
            part: index of the share, from 0.
            parts: number of shares.
            position: position to resume from: that of an earlier row, or the start of a pass.

        Raises:
            DataError: rows are missing or broken, or there are too few for the number of shares.
        """
