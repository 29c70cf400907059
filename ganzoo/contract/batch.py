"""A batch: named tensors that share their first dimension."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor


class Batch(Mapping[str, Tensor]):
    """What networks and losses see of one iteration: `batch.image`, `batch.label`, `batch.noise`, `batch.fake`, ...

    Images are float32 in [-1, 1], N x C x H x W; labels int64, N; captions UTF-8 bytes, N x L, filled up with zeros;
    `noise` is standard normal, N x the GAN's noise shape; `step` counts the iterations before this one and has no
    dimension. A batch does not change: `replace` makes another.
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
        if name.startswith("_"):  # copy and pickle ask for these before there are fields
            raise AttributeError(name)
        try:
            return self._fields[name]
        except KeyError:
            raise AttributeError(f"the batch has no '{name}'; it has: {', '.join(self._fields)}") from None

    def replace(self, **fields: Tensor) -> "Batch":
        """A batch with these fields added or put in place of those of the same name."""
        return Batch(**(self._fields | fields))

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device; the copy to a GPU is not waited for."""
        ahead = device.type == "cuda"  # the other way round, Python could read what has not yet arrived
        fields = {name: reachable(value, device).to(device, non_blocking=ahead) for name, value in self._fields.items()}
        return Batch(**fields)


def reachable(value: Tensor, device: torch.device) -> Tensor:
    """A tensor in memory from which a copy to the device need not be waited for: for a GPU, pinned."""
    return value.pin_memory() if device.type == "cuda" and not value.is_cuda else value
