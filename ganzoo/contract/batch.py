"""Batch: named tensors with the same first dimension."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor


class Batch(Mapping[str, Tensor]):
    """Data of one iteration for networks and losses: `batch.image`, `batch.label`, `batch.noise`, `batch.fake`, ...

    Images are float32 in [-1, 1], N x C x H x W; labels int64, N; captions UTF-8 bytes, N x L, padded with zeros;
    `noise` is standard normal, N x the GAN's noise shape; `step` is the number of previous iterations, 0-dimensional.
    A batch is immutable: `replace` returns a new one.
    """

    def __init__(self, **fields: Tensor) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> Tensor:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_"):  # read by copy and pickle before there are fields
            raise AttributeError(name)
        try:
            return self._fields[name]
        except KeyError:
            raise AttributeError(f"the batch has no '{name}'; it has: {', '.join(self._fields)}") from None

    def replace(self, **fields: Tensor) -> "Batch":
        """Return a batch with these fields added or replaced."""
        return Batch(**(self._fields | fields))

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device; copies to a GPU are asynchronous."""
        ahead = device.type == "cuda"  # copies to the host must finish before Python reads them
        fields = {name: reachable(value, device).to(device, non_blocking=ahead) for name, value in self._fields.items()}
        return Batch(**fields)


def reachable(value: Tensor, device: torch.device) -> Tensor:
    """Return the tensor in memory that supports asynchronous copies to the device: for a GPU, pinned memory."""
    return value.pin_memory() if device.type == "cuda" and not value.is_cuda else value
