"""Batch loaders: batches of a run, from data in memory or a stream."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch

from ganzoo.contract.batch import Batch

State: TypeAlias = Mapping[str, Sequence[int]]
"""Position in the data for resuming, as JSON-compatible values."""


class BatchLoader(ABC):
    """Batches of a run: `loader[iteration]`, on the device.

    `draw` runs on the host, and `collate` on the training device, which does its share of the work.
    """

    batch_size: int
    """Number of rows of an iteration, over all processes."""
    device: torch.device

    @property
    @abstractmethod
    def per_epoch(self) -> int:
        """Number of iterations per epoch; at least 1."""

    @abstractmethod
    def draw(self, iteration: int) -> Batch:
        """Return what determines a batch, on the host."""

    @abstractmethod
    def collate(self, drawn: Batch) -> Batch:
        """Return the batch from the result of `draw`, on the device, without waiting for the host."""

    @abstractmethod
    def state(self) -> State:
        """Return the position after the last batch, for resuming."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Restore a position returned by `state`.

        Raises:
            ValueError: an invalid state.
        """

    def __getitem__(self, iteration: int) -> Batch:
        """Return the whole batch, on the device."""
        return self.collate(self.draw(iteration).to(self.device))
