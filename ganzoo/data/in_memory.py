"""Batches of data in memory: rows and noise of each iteration.

Both follow from the seed and the iteration alone, so a resumed run needs no saved state.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ganzoo.base.rng import seeded
from ganzoo.contract.batch import Batch
from ganzoo.data.loader import BatchLoader, State

ROWS = "rows of stream "
"""Prefix of the field with the row indices of a stream, followed by the number of the stream."""
BLOCK = 64
"""Rows of noise per block in `fixed_latents`; another number changes the noise."""


class InMemoryLoader(BatchLoader):
    """Batches of data in memory.

    Each stream of corresponding columns has an order of its own: one permutation of its rows after another, without
    gaps, so that all rows are used equally often. A stream may be shorter than a batch.

    `draw` returns little data from the host (row indices, noise); `collate` gathers and scales images on the device. A
    GPU holds all images as bytes, unless they take more than half of its free memory: then they stay in host memory,
    and each batch is copied.

    With several processes, each has all streams and uses the rows and the noise of a batch from rank/count to
    (rank + 1)/count: together they see the same as one process with the whole batch.
    """

    def __init__(
        self,
        streams: Sequence[Mapping[str, Tensor]],
        batch_size: int,
        noise_shape: tuple[int, ...] = (),
        seed: int = 0,
        device: torch.device | str = "cpu",
        rank: int = 0,
        count: int = 1,
    ) -> None:
        self.batch_size = batch_size
        self.noise_shape = noise_shape
        self.seed = seed
        self.device = torch.device(device)
        self._own = own_rows(batch_size, rank, count)
        self.on_device = self.device.type == "cpu" or _fit(streams, self.device)
        """Whether the data is on the training device."""
        self.streams = [
            {name: column.to(self.device) if self.on_device else column for name, column in stream.items()}
            for stream in streams
        ]
        self._lengths = [len(next(iter(stream.values()))) for stream in self.streams]
        self._orders: list[dict[int, Tensor]] = [{} for _ in self.streams]  # a cache

    @property
    def per_epoch(self) -> int:
        """Number of iterations for one pass through the longest stream; at least 1."""
        return max(1, max(self._lengths) // self.batch_size)

    def draw(self, iteration: int) -> Batch:
        """Return the row indices, or the rows, and noise: a function of the seed and the iteration."""
        fields = {"step": torch.tensor(iteration)}
        for number, stream in enumerate(self.streams):
            rows = self.rows(number, iteration)[self._own]
            fields |= {f"{ROWS}{number}": rows} if self.on_device else _gather(stream, rows)
        return Batch(**fields, **noise(self.batch_size, self.noise_shape, self.seed, iteration, self._own))

    def collate(self, drawn: Batch) -> Batch:
        fields = {name: value for name, value in drawn.items() if not name.startswith(ROWS)}
        for number, stream in enumerate(self.streams if self.on_device else ()):
            fields |= _gather(stream, drawn[f"{ROWS}{number}"])
        return Batch(**{name: to_float(value) for name, value in fields.items()})

    def state(self) -> State:
        """Return an empty state: everything follows from the iteration."""
        return {}

    def load_state(self, state: State) -> None:
        """Do nothing, as the state is empty."""

    def rows(self, stream: int, iteration: int) -> Tensor:
        """Return the row indices of a stream for an iteration, over all processes: int64, batch_size."""
        length, start = self._lengths[stream], iteration * self.batch_size
        end = start + self.batch_size
        known, needed = self._orders[stream], range(start // length, (end - 1) // length + 1)
        orders = {turn: known[turn] if turn in known else self._order(stream, turn) for turn in needed}
        self._orders[stream] = orders
        return torch.cat(list(orders.values()))[start - needed[0] * length : end - needed[0] * length]

    def _order(self, stream: int, turn: int) -> Tensor:
        return torch.randperm(self._lengths[stream], generator=seeded(self.seed, stream, turn))


def own_rows(batch_size: int, rank: int, count: int) -> slice:
    """Return the rows of a batch for one of several processes."""
    rows = batch_size // count
    return slice(rank * rows, (rank + 1) * rows)


def noise(batch_size: int, shape: tuple[int, ...], seed: int, iteration: int, own: slice) -> dict[str, Tensor]:
    """Return the `noise` of an iteration, standard normal, rows x `shape`; nothing if it has no shape.

    Sampled for the whole batch, of which a process uses its `own` rows, so that the number of processes has no effect.
    """
    generator = seeded(seed, "noise", iteration)
    return {"noise": torch.randn((batch_size, *shape), generator=generator)[own]} if shape else {}


def to_float(column: Tensor) -> Tensor:
    """Convert images (uint8, N x C x H x W) to float32 in [-1, 1]; return other tensors unchanged."""
    is_image = column.dtype == torch.uint8 and column.dim() == 4
    return column.float().div_(127.5).sub_(1) if is_image else column


def fixed_latents(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Return standard normal noise, count x `shape`; the n-th row for a seed is independent of the count."""
    generator = seeded(seed, "latent")
    # torch.randn generates other values for another size: hence only whole blocks.
    blocks = [torch.randn((BLOCK, *shape), generator=generator) for _ in range(0, count, BLOCK)]
    return torch.cat(blocks)[:count] if blocks else torch.empty((0, *shape))


def _gather(stream: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    return {name: column.index_select(0, rows) for name, column in stream.items()}


def _fit(streams: Sequence[Mapping[str, Tensor]], device: torch.device) -> bool:
    size = sum(column.nbytes for stream in streams for column in stream.values())
    return size < torch.cuda.mem_get_info(device)[0] / 2
