"""Batches: which rows an iteration sees, and the noise beside them.

All of it follows from the seed and the number of the iteration, so a run that continues needs to remember neither.
"""

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ganzoo.data.batch import Batch

BLOCK = 64
"""Rows of noise that are drawn at once by `latent`; another number makes other noise."""


class Batches:
    """A run's batches: `batches[iteration]`.

    Each stream of columns that belong together is read in an order of its own: through one permutation of its rows
    after the other, without a gap, so that every row is seen equally often and none is left out. A stream may be
    shorter than a batch.
    """

    def __init__(
        self,
        streams: Sequence[Mapping[str, Tensor]],
        batch_size: int,
        noise_shape: tuple[int, ...] = (),
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        self.streams = tuple(streams)
        self.batch_size = batch_size
        self.noise_shape = noise_shape
        self.seed = seed
        self.device = torch.device(device)
        self._lengths = [len(next(iter(stream.values()))) for stream in self.streams]
        self._orders: list[dict[int, Tensor]] = [{} for _ in self.streams]  # saves work, remembers nothing else

    @property
    def per_epoch(self) -> int:
        """Iterations in which the longest stream is seen once; at least 1."""
        return max(1, max(self._lengths) // self.batch_size)

    def __getitem__(self, iteration: int) -> Batch:
        columns: dict[str, Tensor] = {}
        for number, stream in enumerate(self.streams):
            rows = self.rows(number, iteration)
            columns |= {name: column.index_select(0, rows) for name, column in stream.items()}
        more = {"step": torch.tensor(iteration)}
        if self.noise_shape:
            generator = seeded(self.seed, "noise", iteration)
            more["noise"] = torch.randn((self.batch_size, *self.noise_shape), generator=generator)
        return to_batch(columns, self.device, **more)

    def rows(self, stream: int, iteration: int) -> Tensor:
        """The numbers of the rows that an iteration takes from a stream: int64, batch_size."""
        length, start = self._lengths[stream], iteration * self.batch_size
        end = start + self.batch_size
        known, needed = self._orders[stream], range(start // length, (end - 1) // length + 1)
        orders = {turn: known[turn] if turn in known else self._order(stream, turn) for turn in needed}
        self._orders[stream] = orders
        return torch.cat(list(orders.values()))[start - needed[0] * length : end - needed[0] * length]

    def _order(self, stream: int, turn: int) -> Tensor:
        return torch.randperm(self._lengths[stream], generator=seeded(self.seed, stream, turn))


def to_batch(columns: Mapping[str, Tensor], device: torch.device | str, **more: Tensor) -> Batch:
    """A batch on the device: images (uint8, N x C x H x W) become float32 in [-1, 1] there, all else stays as it is."""
    device = torch.device(device)
    images = {name for name, column in columns.items() if column.dtype == torch.uint8 and column.dim() == 4}
    fields = {name: _move(column, device) for name, column in (dict(columns) | more).items()}
    return Batch(**fields | {name: fields[name].float().div_(127.5).sub_(1) for name in images})


def latent(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Standard normal noise, count x `shape`; the n-th row of a seed is the same whatever the count."""
    generator = seeded(seed, "latent")
    # Of another size, torch.randn fills in another way: hence whole blocks only.
    blocks = [torch.randn((BLOCK, *shape), generator=generator) for _ in range(0, count, BLOCK)]
    return torch.cat(blocks)[:count] if blocks else torch.empty((0, *shape))


def seeded(*parts: object) -> torch.Generator:
    """A CPU generator whose seed follows from numbers and words, on every machine the same.

    Of a seed torch looks at 32 bits only: among a hundred thousand of them, one or two pairs are the same.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


def _move(tensor: Tensor, device: torch.device) -> Tensor:
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)  # from pageable memory, the copy waits for the GPU
