"""Trained GANs for sampling."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganzoo import pictures
from ganzoo.contract.codes import settings
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.gan import GAN
from ganzoo.contract.networks import Networks
from ganzoo.data.in_memory import fixed_latents
from ganzoo.errors import OptionError, UserError
from ganzoo.runs.folder import RunFolder
from ganzoo.sampling.inputs import Inputs
from ganzoo.sampling.requests import (
    Class,
    at_least,
    at_least_one,
    at_most_held,
    check_noise,
    check_source_alone,
    check_walk,
    made_ready,
    takes,
    with_sampling_options,
)
from ganzoo.sampling.sampler import Sampler, first_draws
from ganzoo.sampling.sources import Sources, adaptor_of, alike


class TrainedGAN:
    """GAN with trained weights. Needs its run folder, but no data set."""

    def __init__(self, folder: Path, gan: GAN, data: DataSpec, nets: Networks, iteration: int = 0) -> None:
        self.folder = folder
        """Run folder or export."""
        self.iteration = iteration
        """Iteration of the checkpoint."""
        self.gan = gan
        """Configuration."""
        self.data = data
        """Shapes and class names of the training data."""
        self.nets = nets
        """Networks, in evaluation mode."""

    def __repr__(self) -> str:
        return f"<TrainedGAN {self.gan.name}, {' x '.join(map(str, self.data.shape))}, from {self.folder}>"

    @property
    def takes_images(self) -> bool:
        """Whether it translates images instead of generating them."""
        return takes(self.gan, "source")

    @property
    def takes_text(self) -> bool:
        """Whether `generate` requires captions."""
        return takes(self.gan, "caption")

    @property
    def takes_classes(self) -> bool:
        """Whether `generate` accepts classes, whose names are in `data.classes`."""
        return takes(self.gan, "label")

    @property
    def device(self) -> torch.device:
        """Device for sampling."""
        return next(self.nets.parameters()).device

    @property
    def sources_made_as(self) -> str:
        """What `--as` made the sources of its training out of images: `masked`; empty if they were taken as they are.

        Raises:
            RunFolderError: what its folder says of it cannot be used.
        """
        adaptor = adaptor_of(RunFolder(self.folder))
        return adaptor.kind if adaptor else ""

    def with_options(self, options: Mapping[str, object]) -> "TrainedGAN":
        """The same weights with some options of the GAN changed, of those that only change how images are made.

        Raises:
            UserError: there is no such option, or weights depend on it.
        """
        gan = with_sampling_options(self.gan, options)
        return TrainedGAN(self.folder, gan, self.data, self.nets, self.iteration)

    def source_of(self, picture: Image.Image) -> Tensor:
        """A picture of any size and mode as this GAN translates it: C x H x W in [-1, 1].

        It is scaled until it covers the size of training, and what hangs over is cut off; not for a GAN of any size.

        Raises:
            DataError: it is too small, or its colours have no known range.
        """
        return Sources(self.gan, self.data).of(picture)

    def generate(
        self,
        count: int,
        seed: int = 0,
        batch_size: int = 64,
        *,
        text: str | Sequence[str] | None = None,
        classes: Class | Sequence[Class] | None = None,
        truncation: float | None = None,
        codes: Mapping[str, object] | None = None,
    ) -> Tensor:
        """Generate images, count x C x H x W, float32 in [-1, 1], on the CPU.

        The n-th image of a seed is the same for any count, batch size and device, to float precision.

        Args:
            count: number of images.
            seed: random seed.
            batch_size: images per batch.
            text: captions, for a GAN that takes them; several are used in turn.
            classes: classes by name or index, for a GAN with classes; several are used in turn (default: all).
            truncation: limit of the distance from the mean: lower values give more similar, often better images. A GAN
                may define its own option of that name; for others, the noise is a normal distribution truncated there.
            codes: values of named codes in the noise, for a GAN with `codes`.

        Raises:
            UserError: if this GAN translates images, or does not take such a request: an unknown class or code, an
                invalid, missing or unsupported caption, truncation without noise, or a count below 1.
        """
        asked = {"text": text, "classes": classes, "truncation": truncation, "codes": codes}
        return torch.cat(list(self.generate_in_batches(count, seed, batch_size, **asked)))

    def generate_in_batches(self, count: int, seed: int = 0, batch_size: int = 64, **asked: Any) -> Iterator[Tensor]:
        """Yield the images of `generate` in batches, for more than fit in memory.

        Raises:
            UserError: as in `generate`, immediately.
        """
        count, batch_size = at_least_one(count=count, batch_size=batch_size)
        sampler, inputs = made_ready(self.gan, self.nets, self.data, seed, **asked)
        return sampler.batches(inputs.parts(count, batch_size))

    def interpolate(
        self,
        points: int = 8,
        frames: int = 120,
        seed: int = 0,
        batch_size: int = 64,
        *,
        count: int = 1,
        closed: bool = True,
        **asked: Any,
    ) -> Iterator[Tensor]:
        """Yield the frames of walks through the noise, each count x C x H x W in [-1, 1], on the CPU.

        A walk passes through `points` images of the seed, the next one through those after them, with spherical
        interpolation from one to the next. Classes and captions are those of the nearest point.

        Args:
            points: number of images on the path.
            frames: number of frames, at equal steps, at least one per point.
            seed: random seed.
            batch_size: approximate number of images per batch.
            count: number of simultaneous walks.
            closed: whether it ends where it began, for a loop.
            asked: `text`, `classes`, `truncation` and `codes`, as for `generate`.

        Raises:
            UserError: as in `generate`, if the GAN takes no noise, or if there are too few points or frames.
        """
        count, batch_size = at_least_one(count=count, batch_size=batch_size)
        points, frames = check_walk(points, frames, count)
        sampler, inputs = made_ready(self.gan, self.nets, self.data, seed, **asked)
        check_noise(self.gan, "there is no way from one image to another")
        rows = inputs.walk(points, frames, count, batch_size, closed=closed)
        # All frames of a walk share the draws of its first image; otherwise it would flicker.
        made = sampler.batches(rows, lambda place: place % count * points)
        return (frame for images in made for frame in images.split(count))

    def between(self, first: int, second: int, shares: Sequence[float], batch_size: int = 64, **asked: Any) -> Tensor:
        """Interpolate between the first images of two seeds, N x C x H x W in [-1, 1], on the CPU.

        Args:
            first: seed of the image at share 0, whose class and caption are used.
            second: seed of the image at share 1.
            shares: N positions from 0 to 1.
            batch_size: images per batch.
            asked: as for `generate`.

        Raises:
            UserError: as in `generate`, or if the GAN takes no noise.
        """
        _, batch_size = at_least_one(shares=len(shares), batch_size=batch_size)
        second = at_least(0, "second", second)
        sampler, inputs = made_ready(self.gan, self.nets, self.data, first, **asked)
        check_noise(self.gan, "there is no way from one image to another")
        rows = inputs.between(second, torch.tensor(shares), batch_size)
        return torch.cat(list(sampler.batches(rows, first_draws)))

    def sweep(
        self, codes: Mapping[str, object], count: int = 1, seed: int = 0, batch_size: int = 64, **asked: Any
    ) -> Iterator[Tensor]:
        """Yield images of all combinations of the codes' values in batches, N x C x H x W in [-1, 1], on the CPU.

        First come all combinations with the noise of the seed's first image, the last code varying fastest; then those
        of the second image, and so on.

        Args:
            codes: values by code name: `{"category": [3, 4], "continuous-1": "-1..1"}`.
            count: number of noise vectors.
            seed: random seed.
            batch_size: images per batch.
            asked: `text`, `classes` and `truncation`, as for `generate`.

        Raises:
            UserError: as in `generate`.
        """
        count, batch_size = at_least_one(count=count, batch_size=batch_size)
        told = settings(self.gan.codes, self.gan.name, codes)
        combinations = math.prod(map(len, told.values()))
        at_most_held("codes", combinations, count)
        sampler, inputs = made_ready(self.gan, self.nets, self.data, seed, **asked)
        return sampler.batches(inputs.sweep(told, count, batch_size), lambda place: place // combinations)

    def show(self, count: int = 25, seed: int = 0, **asked: Any) -> Image.Image:
        """Return a grid of images for a notebook; for the other arguments see `generate`.

        Several texts or classes have a column each.

        Raises:
            UserError: as in `generate`.
        """
        made = self.generate(count, seed, **asked)
        given = [[one] if isinstance(one, str | int) else one or () for one in map(asked.get, ("text", "classes"))]
        return pictures.grid(made, pictures.columns_of(count, max(map(len, given))))

    def translate(self, images: Tensor, seed: int = 0, batch_size: int = 16) -> Tensor:
        """Translate images, N x C x H x W in [-1, 1] with `data.source_shape`; returns the same form on the CPU.

        A GAN with `any_size` takes images of any height and width.

        Args:
            images: images to translate.
            seed: seed of the noise, if the GAN takes any.
            batch_size: images per batch.

        Raises:
            UserError: if this GAN makes images from noise, or takes more than images; or if there are no images, or
                they have another shape.
            OutOfMemory: if a batch does not fit.
        """
        self._check_translates()
        seed, batch_size = at_least(0, "seed", seed), at_least(1, "batch_size", batch_size)
        if not len(images):
            raise OptionError("option 'images' holds no image to translate; give at least one")
        shape, expected = tuple(images.shape[1:]), self.data.source_shape
        if shape != expected and not (self.gan.any_size and len(shape) == 3 and shape[0] == expected[0]):
            raise UserError(f"images of shape {shape} do not fit; expected {expected}")
        parts = Inputs(self.gan.noise_shape(), seed, {"source": images}).parts(len(images), batch_size)
        return torch.cat(list(Sampler(self.gan, self.nets, seed).batches(parts)))

    def translate_pictures(
        self, pictures: Iterable[Image.Image], seed: int = 0, batch_size: int = 1, *, adapt: bool = False
    ) -> Iterator[Tensor]:
        """Yield the translation of each image, of any size and mode, C x H x W in [-1, 1], on the CPU.

        An image is scaled to cover the training size and center-cropped, unless the GAN takes any size. A translation
        does not depend on the images before it.

        Args:
            pictures: images to translate.
            seed: seed of the noise, if the GAN takes any.
            batch_size: images of one size per batch.
            adapt: whether to make sources from the images as in training, with the run's `--as`: edges of photographs,
                a hole in whole images.

        Raises:
            UserError: if this GAN makes images from noise, or takes more than images; or if the run has no `--as`.
            DataError: if an image is too small, or its value range is unknown; when it is reached.
            OutOfMemory: if a batch does not fit, likewise.
        """
        self._check_translates()
        seed, batch_size = at_least(0, "seed", seed), at_least(1, "batch_size", batch_size)
        sources = Sources.adapted(self.gan, self.data, self.folder) if adapt else Sources(self.gan, self.data)
        sampler, shape = Sampler(self.gan, self.nets, seed), self.gan.noise_shape()
        noise = {"noise": fixed_latents(1, shape, seed)} if shape else {}

        def parts() -> Iterator[dict[str, Tensor]]:
            for images in alike(map(sources.of, pictures), batch_size):
                yield {"source": images, **{name: row.expand(len(images), *shape) for name, row in noise.items()}}

        return (image for images in sampler.batches(parts(), first_draws) for image in images)

    def _check_translates(self) -> None:
        if not self.takes_images:
            raise UserError(f"'{self.gan.name}' makes images from noise, not from images; try generate")
        check_source_alone(self.gan)
