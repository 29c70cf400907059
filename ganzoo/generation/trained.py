"""A GAN that was trained, ready to make images."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganzoo import pictures
from ganzoo.codes import settings
from ganzoo.data.batches import latent
from ganzoo.data.spec import DataSpec
from ganzoo.engine.folder import RunFolder
from ganzoo.errors import OptionError, UserError
from ganzoo.gan import GAN
from ganzoo.generation.asking import (
    Class,
    at_least,
    at_least_one,
    at_most_held,
    check_noise,
    check_source_alone,
    check_walk,
    made_ready,
    takes,
    told_anew,
)
from ganzoo.generation.inputs import Inputs
from ganzoo.generation.sampling import Sampler, first_draws
from ganzoo.generation.sources import Sources, adaptor_of, alike
from ganzoo.networks import Networks


class TrainedGAN:
    """A GAN with weights, ready to make images. It needs its run folder and no data set."""

    def __init__(self, folder: Path, gan: GAN, data: DataSpec, nets: Networks, iteration: int = 0) -> None:
        self.folder = folder
        """The run folder, or an export."""
        self.iteration = iteration
        """Of the checkpoint whose weights these are."""
        self.gan = gan
        """Its configuration."""
        self.data = data
        """The shapes of what it was trained on, and the names of classes."""
        self.nets = nets
        """Its networks, in evaluation mode."""

    def __repr__(self) -> str:
        return f"<TrainedGAN {self.gan.name}, {' x '.join(map(str, self.data.shape))}, from {self.folder}>"

    @property
    def takes_images(self) -> bool:
        """Whether it translates images; else it generates them."""
        return takes(self.gan, "source")

    @property
    def takes_text(self) -> bool:
        """Whether it makes images from captions, so that `generate` must be given some."""
        return takes(self.gan, "caption")

    @property
    def takes_classes(self) -> bool:
        """Whether `generate` may be told of which classes; `data.classes` are their names."""
        return takes(self.gan, "label")

    @property
    def device(self) -> torch.device:
        """Where it makes images."""
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
        gan = told_anew(self.gan, options)
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
        """New images, count x C x H x W, float32 in [-1, 1], on the CPU.

        The n-th image of a seed is the same for any count, batch size and device, to float precision.

        Args:
            count: how many.
            seed: another seed, other images.
            batch_size: how many are made at once.
            text: what they are to show, for a GAN that makes images from captions; several are taken in turn.
            classes: their class, by name or number, for a GAN with classes; several are taken in turn. None: all.
            truncation: how far from the middle images may be: the less, the more alike, and often the better. A GAN
                with an option of that name has its own; of any other the noise is a normal distribution cut off there.
            codes: values of codes in the noise, by name, for a GAN that has such (its `codes`).

        Raises:
            UserError: this GAN makes images from others; there is no such class or code, or the text cannot be a
                caption; it takes none, or must be given one; it has no noise to truncate; or less than one image is
                asked for.
        """
        asked = {"text": text, "classes": classes, "truncation": truncation, "codes": codes}
        return torch.cat(list(self.generate_in_batches(count, seed, batch_size, **asked)))

    def generate_in_batches(self, count: int, seed: int = 0, batch_size: int = 64, **asked: Any) -> Iterator[Tensor]:
        """The images of `generate`, a batch at a time as they are made: for more than memory holds.

        Raises:
            UserError: as `generate` does, at once.
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
        """Walks through the noise, a frame at a time: each count x C x H x W in [-1, 1], on the CPU.

        A walk passes through `points` images of the seed, the next one through those after them, and goes spherically
        from each to the next. Class and caption have nothing in between: they are those of the nearest point.

        Args:
            points: how many images it passes through.
            frames: how many images are made of it, at equal steps, at least one for each point.
            seed: another seed, other images.
            batch_size: about how many images are made at once.
            count: so many walks side by side.
            closed: whether it ends where it began, so that it can be shown over and over.
            asked: `text`, `classes`, `truncation` and `codes`, as for `generate`.

        Raises:
            UserError: as `generate` does; the GAN makes images without noise; or there are too few points or frames.
        """
        count, batch_size = at_least_one(count=count, batch_size=batch_size)
        points, frames = check_walk(points, frames, count)
        sampler, inputs = made_ready(self.gan, self.nets, self.data, seed, **asked)
        check_noise(self.gan, "there is no way from one image to another")
        rows = inputs.walk(points, frames, count, batch_size, closed=closed)
        # A walk gets the draws of its first image in every frame, else it would flicker.
        made = sampler.batches(rows, lambda place: place % count * points)
        return (frame for images in made for frame in images.split(count))

    def between(self, first: int, second: int, shares: Sequence[float], batch_size: int = 64, **asked: Any) -> Tensor:
        """Images on the way from the first one of a seed to that of another, N x C x H x W in [-1, 1], on the CPU.

        Args:
            first: the seed of the image at 0, of which they have class and caption.
            second: the seed of the image at 1.
            shares: how far along each of the N is, from 0 to 1.
            batch_size: how many are made at once.
            asked: as for `generate`.

        Raises:
            UserError: as `generate` does; or the GAN makes images without noise.
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
        """Images of every combination of the codes' values, a batch at a time: N x C x H x W in [-1, 1], on the CPU.

        All combinations with the noise of the seed's first image come first, the values of the last code changing
        fastest; then all with that of the second.

        Args:
            codes: values by the code's name: `{"category": [3, 4], "continuous-1": "-1..1"}`.
            count: how many images' noise.
            seed: another seed, other noise.
            batch_size: how many are made at once.
            asked: `text`, `classes` and `truncation`, as for `generate`.

        Raises:
            UserError: as `generate` does.
        """
        count, batch_size = at_least_one(count=count, batch_size=batch_size)
        told = settings(self.gan.codes, self.gan.name, codes)
        combinations = math.prod(map(len, told.values()))
        at_most_held("codes", combinations, count)
        sampler, inputs = made_ready(self.gan, self.nets, self.data, seed, **asked)
        return sampler.batches(inputs.sweep(told, count, batch_size), lambda place: place // combinations)

    def show(self, count: int = 25, seed: int = 0, **asked: Any) -> Image.Image:
        """New images in one picture, which a notebook shows; what is asked for is that of `generate`.

        Several texts or classes have a column each.

        Raises:
            UserError: see `generate`.
        """
        made = self.generate(count, seed, **asked)
        given = [[one] if isinstance(one, str | int) else one or () for one in map(asked.get, ("text", "classes"))]
        return pictures.grid(made, pictures.columns_of(count, max(map(len, given))))

    def evaluate(self, *, data_dir: str | Path | None = None, **options: Any) -> dict[str, Any]:
        """Measures what it makes, and adds the line to the run folder's evaluations.jsonl; as `ganzoo evaluate`.

        Nothing is added to the folder of a pretrained GAN, which is part of a package.

        Args:
            data_dir: where downloads are kept.
            options: what the command line takes: `metric=["fid", "kid"], samples=1000, extractor="digits"`.

        Returns:
            The line: `iteration`, `when`, `protocol` and `figures` by metric.

        Raises:
            UserError: the data, the extractor or its weights cannot be had; what is asked for cannot be measured here,
                or not with so few images; or the folder cannot be written to.
            Diverged: the images that it makes are no numbers.
        """
        from ganzoo.metrics import evaluate  # which measures what this class makes

        ready = evaluate.ready_for(self, options, Path(data_dir) if data_dir is not None else None)
        line = ready.line(self.iteration, ready.measure(self.nets))
        evaluate.keep(RunFolder(self.folder), line, ready.neighbors)
        return line

    def translate(self, images: Tensor, seed: int = 0, batch_size: int = 16) -> Tensor:
        """What it makes of images, N x C x H x W in [-1, 1] of `data.source_shape`; the same form, on the CPU.

        A GAN whose `any_size` is true takes them of any height and width.

        Args:
            images: to translate.
            seed: of noise, where a GAN takes some beside the image.
            batch_size: how many are translated at once.

        Raises:
            UserError: this GAN makes images from noise, or from more than images; there are no images, or they have
                another shape.
            OutOfMemory: so many at once do not fit.
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
        """What it makes of each picture, of any size and mode: C x H x W in [-1, 1], on the CPU.

        A picture is scaled until it covers the size that the GAN was trained on, and what hangs over is cut off, unless
        the GAN takes any size. What is made of a picture does not depend on those before it.

        Args:
            pictures: to translate.
            seed: of noise, where a GAN takes some beside the picture.
            batch_size: how many of one size are translated at once.
            adapt: whether sources are first made of the pictures as in training, by the run's own `--as`: edges of
                photographs, a hole in images that are whole.

        Raises:
            UserError: this GAN makes images from noise, or from more than images; or the run was trained on sources as
                they are.
            DataError: a picture is too small, or has colours of an unknown range; as it is reached.
            OutOfMemory: so many at once do not fit; likewise.
        """
        self._check_translates()
        seed, batch_size = at_least(0, "seed", seed), at_least(1, "batch_size", batch_size)
        sources = Sources.adapted(self.gan, self.data, self.folder) if adapt else Sources(self.gan, self.data)
        sampler, shape = Sampler(self.gan, self.nets, seed), self.gan.noise_shape()
        noise = {"noise": latent(1, shape, seed)} if shape else {}

        def parts() -> Iterator[dict[str, Tensor]]:
            for images in alike(map(sources.of, pictures), batch_size):
                yield {"source": images, **{name: row.expand(len(images), *shape) for name, row in noise.items()}}

        return (image for images in sampler.batches(parts(), first_draws) for image in images)

    def _check_translates(self) -> None:
        if not self.takes_images:
            raise UserError(f"'{self.gan.name}' makes images from noise, not from images; try generate")
        check_source_alone(self.gan)
