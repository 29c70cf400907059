"""Making images of rows of inputs, a batch at a time: the n-th is the same whatever the batch size."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.data.batch import Batch
from ganzoo.data.batches import seeded
from ganzoo.errors import OutOfMemory
from ganzoo.gan import GAN
from ganzoo.machine import lacks_memory
from ganzoo.networks import Networks
from ganzoo.rng import preserve_rng_state, random_state, seed_everything


def first_draws(_: int) -> int:
    """A `draws_of` for `Sampler.batches`: every image gets the random numbers of image 0."""
    return 0


@dataclass
class Sampler:
    """Networks that make images of inputs.

    A GAN may draw random numbers of its own while it makes images, by torch, NumPy or Python; which image gets which
    would follow from the batch size. Whether it does is seen by whether the generators have moved: then its images are
    made one by one, each with numbers that follow from the seed and its own number. All others, ours among them, are
    made together.
    """

    gan: GAN
    nets: Networks
    seed: int
    draws: bool = False
    """Whether it was seen to draw."""

    def batches(
        self, parts: Iterable[Mapping[str, Tensor]], draws_of: Callable[[int], int] | None = None
    ) -> Iterator[Tensor]:
        """The images of rows of inputs, as many at once as there are in a part: N x C x H x W in [-1, 1], on the CPU.

        Args:
            parts: fields of a batch.
            draws_of: from the place of an image, counted over all parts, to the number whose draws it gets, so that
                neighbours of one film or row need not differ by them. None: that of its place.

        Raises:
            OutOfMemory: a part does not fit.
        """
        start = 0
        for part in parts:
            rows = len(next(iter(part.values())))
            places = range(start, start + rows)
            numbers = list(places if draws_of is None else map(draws_of, places))
            try:
                # Left before the images are handed out: who takes them may draw, too.
                with preserve_rng_state(self.device), torch.no_grad():
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
            self._seed(numbers[0])
            before = random_state(self.device)
            images = self._batch(part)
            after = random_state(self.device)
            self.draws = not all(torch.equal(before[name], after[name]) for name in before)
            if not self.draws:
                return images
        made = []
        for row, number in enumerate(numbers):
            self._seed(number)
            made.append(self._batch({name: values[row : row + 1] for name, values in part.items()}))
        return torch.cat(made)

    def _seed(self, number: int) -> None:
        seed_everything(seeded(self.seed, "sample", number).initial_seed())

    def _batch(self, part: Mapping[str, Tensor]) -> Tensor:
        rows = {name: values.to(self.device) for name, values in part.items()}
        step = torch.zeros((), dtype=torch.int64, device=self.device)
        return self.gan.sample(self.nets, Batch(**rows, step=step)).float().cpu()
