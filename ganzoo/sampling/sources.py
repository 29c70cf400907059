"""Sources of translations: images of any size and mode, converted to a GAN's input."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch import Tensor

from ganzoo.config import Config, validate
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.gan import GAN
from ganzoo.data.in_memory import to_float
from ganzoo.data.pair_transforms import AnyPairTransform, PairTransform
from ganzoo.data.resize import resize_and_crop
from ganzoo.errors import DataError, RunFolderError, UserError
from ganzoo.runs.folder import RunFolder


@dataclass(frozen=True)
class Sources:
    """Converts images to sources.

    Each is scaled to cover the training size and center-cropped, unless the GAN takes any size.
    """

    gan: GAN
    data: DataSpec
    adaptor: PairTransform | None = None
    """Transform that made the training sources from images, applied here as well."""

    @classmethod
    def adapted(cls, gan: GAN, data: DataSpec, folder: Path) -> "Sources":
        """Return sources with the transform of the run's `--as`.

        Raises:
            UserError: if the run has none.
        """
        if (adaptor := adaptor_of(RunFolder(folder))) is None:
            raise UserError(
                f"{folder} was trained on sources as they are, not on what --as made of images; leave --adapt out"
            )
        return cls(gan, data, adaptor)

    def of(self, picture: Image.Image) -> Tensor:
        """Return an image as a source, C x H x W in [-1, 1].

        Raises:
            DataError: if it is too small, or its value range is unknown.
        """
        upright = ImageOps.exif_transpose(picture)
        channels, *size = self.data.source_shape if self.adaptor is None else self.data.shape
        if self.gan.any_size:
            size = [upright.height, upright.width]
        if self.adaptor is None:
            return to_float(_fitted(upright, (size[0], size[1]), channels)[None])[0]
        scale_factor = self.gan.scale_factor
        height, width = (side // scale_factor * scale_factor for side in size)
        if not (height and width):
            raise DataError(f"an image of {size[0]}x{size[1]} cannot be made {scale_factor} times smaller")
        pixels = _fitted(upright, (height, width), channels)
        return to_float(self.adaptor.sources(pixels[None], scale_factor))[0]


def _fitted(picture: Image.Image, size: tuple[int, int], channels: int) -> Tensor:
    try:
        return resize_and_crop(picture, size, channels)
    except ValueError as error:  # of floating-point images
        raise DataError(f"a picture cannot be translated: {error}") from error


class _Adapted(Config):
    """Option of a run's config.json for making sources."""

    as_: AnyPairTransform


def adaptor_of(folder: RunFolder) -> PairTransform | None:
    """Return the transform that made a run's sources, or None if there is none or it is no run folder.

    Raises:
        RunFolderError: if its configuration cannot be used.
    """
    if not folder.holds_run:
        return None
    config = folder.read(folder.config)
    try:
        chosen = validate(_Adapted, {"as_": config.get("as_", "none")}).as_
    except UserError as error:
        raise RunFolderError(f"{folder.config} cannot be used: {error}") from error
    # Backward, images are the sources, and transformed ones the targets.
    return chosen if chosen.makes_pairs and config.get("direction") != "backward" else None


def alike(images: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    """Batch consecutive images of the same shape, C x H x W, into N x C x H x W with N at most `size`."""
    held: list[Tensor] = []
    for image in images:
        if held and (len(held) == size or held[0].shape != image.shape):
            yield torch.stack(held)
            held = []
        held.append(image)
    if held:
        yield torch.stack(held)
