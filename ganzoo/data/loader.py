"""What hands a run its batches, whether its data is held in memory or read as it goes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch

from ganzoo.contract.batch import Batch

State: TypeAlias = Mapping[str, Sequence[int]]
"""What batches must remember when a run stops, as JSON can hold it."""


class BatchLoader(ABC):
    """A run's batches: `supply[iteration]`, on the device.

    What is drawn on the host (`draw`) is made ready where training is (`collate`), so that a GPU does its part of it.
    """

    batch_size: int
    """Rows of an iteration, over all processes that train together."""
    device: torch.device

    @property
    @abstractmethod
    def per_epoch(self) -> int:
        """Iterations in one pass through the data; at least 1."""

    @abstractmethod
    def draw(self, iteration: int) -> Batch:
        """What must be known to assemble a batch, on the host."""

    @abstractmethod
    def collate(self, drawn: Batch) -> Batch:
        """The batch of what was drawn, on the device; nothing in it waits for the host."""

    @abstractmethod
    def state(self) -> State:
        """What must be remembered of the batches drawn so far to go on after them."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Goes on after the batches drawn when `state` gave this.

        Raises:
            ValueError: it never gave this.
        """

    def __getitem__(self, iteration: int) -> Batch:
        """The whole batch, on the device."""
        return self.collate(self.draw(iteration).to(self.device))
