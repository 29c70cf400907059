"""Making images of rows of inputs, a batch at a time: the n-th is the same whatever the batch size."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.data.batch import Batch
from ganzoo.data.batches import seeded
from ganzoo.engine.randomness import undrawn
from ganzoo.errors import OutOfMemory
from ganzoo.gan import GAN
from ganzoo.machine import lacks_memory
from ganzoo.networks import Networks


@dataclass
class Sampler:
    """Networks that make images of inputs.

    A GAN may draw random numbers of its own while it makes images; which image gets which would follow from the batch
    size. Whether it does is seen by whether the generators have moved: then its images are made one by one, each with
    numbers that follow from the seed and its own number. All others, ours among them, are made together.
    """

    gan: GAN
    nets: Networks
    seed: int
    draws: bool = False
    """Whether it was seen to draw."""

    def batches(self, parts: Iterable[Mapping[str, Tensor]], *, alike: bool = False) -> Iterator[Tensor]:
        """The images of rows of inputs, as many at once as there are in a part: N x C x H x W in [-1, 1], on the CPU.

        Args:
            parts: fields of a batch.
            alike: whether what a GAN draws is to be the same for every image, wherever it stands.

        Raises:
            OutOfMemory: a part does not fit.
        """
        start = 0
        for part in parts:
            rows = len(next(iter(part.values())))
            numbers = [0] * rows if alike else list(range(start, start + rows))
            try:
                # Left before the images are handed out: who takes them may draw, too.
                with undrawn(self.device), torch.no_grad():
                    images = self._made(part, numbers)
            except (RuntimeError, MemoryError) as error:
                if not lacks_memory(error):
                    raise
                raise OutOfMemory(
                    f"there is not enough memory to make {rows} images at once; try a smaller --batch-size"
                ) from error
            yield images
            start += rows

    @property
    def device(self) -> torch.device:
        """Where images are made."""
        return next(self.nets.parameters()).device

    def _made(self, part: Mapping[str, Tensor], numbers: list[int]) -> Tensor:
        if not self.draws:
            before = self._seeded(numbers[0])
            images = self._batch(part)
            self.draws = not all(map(torch.equal, before, self._states()))
            if not self.draws:
                return images
        made = []
        for row, number in enumerate(numbers):
            self._seeded(number)
            made.append(self._batch({name: values[row : row + 1] for name, values in part.items()}))
        return torch.cat(made)

    def _seeded(self, number: int) -> list[Tensor]:
        torch.manual_seed(seeded(self.seed, "sample", number).initial_seed())
        return self._states()

    def _states(self) -> list[Tensor]:
        on_device = [torch.cuda.get_rng_state(self.device)] if self.device.type == "cuda" else []
        return [torch.get_rng_state(), *on_device]

    def _batch(self, part: Mapping[str, Tensor]) -> Tensor:
        rows = {name: values.to(self.device) for name, values in part.items()}
        step = torch.zeros((), dtype=torch.int64, device=self.device)
        return self.gan.sample(self.nets, Batch(**rows, step=step)).float().cpu()
