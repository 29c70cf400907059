"""Sampling in batches; the n-th image is the same for any batch size."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.base.rng import preserve_rng_state, random_state, seed_everything, seeded
from ganzoo.base.system import lacks_memory
from ganzoo.contract.batch import Batch
from ganzoo.contract.gan import GAN
from ganzoo.contract.networks import Networks
from ganzoo.errors import OutOfMemory


def first_draws(_: int) -> int:
    """Return 0: a `draws_of` that gives every image the random numbers of image 0."""
    return 0


@dataclass
class Sampler:
    """Networks that make images from inputs.

    A GAN may draw random numbers while it samples, with PyTorch, NumPy or Python, so that images would depend on the
    batch size. If the random state changes, images are made one by one, each seeded from the seed and its own number.
    All others are made in batches.
    """

    gan: GAN
    nets: Networks
    seed: int
    draws: bool = False
    """Whether the GAN was found to draw random numbers."""

    def batches(
        self, parts: Iterable[Mapping[str, Tensor]], draws_of: Callable[[int], int] | None = None
    ) -> Iterator[Tensor]:
        """Yield the images of each part of the inputs, N x C x H x W in [-1, 1], on the CPU.

        Args:
            parts: fields of a batch.
            draws_of: maps the position of an image, counted over all parts, to the number that seeds it, so that
                neighbors in an animation or row can share random numbers (default: its position).

        Raises:
            OutOfMemory: if a part does not fit.
        """
        start = 0
        for part in parts:
            rows = len(next(iter(part.values())))
            places = range(start, start + rows)
            numbers = list(places if draws_of is None else map(draws_of, places))
            try:
                # Exit before yielding: the consumer may draw random numbers, too.
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
        """Device for sampling."""
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
