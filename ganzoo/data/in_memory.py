"""Batches: which rows an iteration sees, and the noise beside them.

Of data in memory all of it follows from the seed and the number of the iteration, so a run that continues needs to
remember neither.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ganzoo.base.rng import seeded
from ganzoo.contract.batch import Batch
from ganzoo.data.loader import BatchLoader, State

ROWS = "rows of stream "
"""The field of what is drawn that holds the numbers of a stream's rows, before the stream's own number."""
BLOCK = 64
"""Rows of noise that are drawn at once by `fixed_latents`; another number makes other noise."""


class InMemoryLoader(BatchLoader):
    """Batches of data in memory.

    Each stream of columns that belong together is read in an order of its own: through one permutation of its rows
    after the other, without a gap, so that every row is seen equally often and none is left out. A stream may be
    shorter than a batch.

    What is drawn on the host (`draw`: numbers of rows, noise) is small; images are gathered and scaled where they are
    (`collate`). On a GPU they are there as a whole, as bytes, unless they would fill more than half of what is free:
    then they stay in the host's memory, and the rows of each batch are sent over.

    Of several processes each has all streams, and of each batch the rows and the noise from rank/count to
    (rank + 1)/count: together they see what one process with the whole batch would.
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
        """Whether the data is where training is."""
        self.streams = [
            {name: column.to(self.device) if self.on_device else column for name, column in stream.items()}
            for stream in streams
        ]
        self._lengths = [len(next(iter(stream.values()))) for stream in self.streams]
        self._orders: list[dict[int, Tensor]] = [{} for _ in self.streams]  # saves work, remembers nothing else

    @property
    def per_epoch(self) -> int:
        """Iterations in which the longest stream is seen once; at least 1."""
        return max(1, max(self._lengths) // self.batch_size)

    def draw(self, iteration: int) -> Batch:
        """The numbers of the rows, or the rows, and noise: they depend on the seed and the iteration alone."""
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
        """Nothing: all follows from the number of the iteration."""
        return {}

    def load_state(self, state: State) -> None:
        """Nothing was remembered."""

    def rows(self, stream: int, iteration: int) -> Tensor:
        """The numbers of the rows that an iteration takes from a stream, all processes together: int64, batch_size."""
        length, start = self._lengths[stream], iteration * self.batch_size
        end = start + self.batch_size
        known, needed = self._orders[stream], range(start // length, (end - 1) // length + 1)
        orders = {turn: known[turn] if turn in known else self._order(stream, turn) for turn in needed}
        self._orders[stream] = orders
        return torch.cat(list(orders.values()))[start - needed[0] * length : end - needed[0] * length]

    def _order(self, stream: int, turn: int) -> Tensor:
        return torch.randperm(self._lengths[stream], generator=seeded(self.seed, stream, turn))


def own_rows(batch_size: int, rank: int, count: int) -> slice:
    """The rows of a batch that are one process's, of several that train together."""
    rows = batch_size // count
    return slice(rank * rows, (rank + 1) * rows)


def noise(batch_size: int, shape: tuple[int, ...], seed: int, iteration: int, own: slice) -> dict[str, Tensor]:
    """The `noise` of an iteration, standard normal, rows x `shape`; none if it has no shape.

    Drawn for the whole batch, of which a process takes its `own` rows: how many processes there are changes nothing.
    """
    generator = seeded(seed, "noise", iteration)
    return {"noise": torch.randn((batch_size, *shape), generator=generator)[own]} if shape else {}


def to_float(column: Tensor) -> Tensor:
    """Images (uint8, N x C x H x W) as float32 in [-1, 1]; all else as it is."""
    is_image = column.dtype == torch.uint8 and column.dim() == 4
    return column.float().div_(127.5).sub_(1) if is_image else column


def fixed_latents(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Standard normal noise, count x `shape`; the n-th row of a seed is the same whatever the count."""
    generator = seeded(seed, "latent")
    # Of another size, torch.randn fills in another way: hence whole blocks only.
    blocks = [torch.randn((BLOCK, *shape), generator=generator) for _ in range(0, count, BLOCK)]
    return torch.cat(blocks)[:count] if blocks else torch.empty((0, *shape))


def _gather(stream: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    return {name: column.index_select(0, rows) for name, column in stream.items()}


def _fit(streams: Sequence[Mapping[str, Tensor]], device: torch.device) -> bool:
    size = sum(column.nbytes for stream in streams for column in stream.values())
    return size < torch.cuda.mem_get_info(device)[0] / 2
