"""Differentiable augmentation of a discriminator's inputs, real and fake.

With few images, a discriminator overfits to them; augmentation prevents that. As real and fake images are augmented
alike, the generator still learns the original images.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, ClassVar, Literal, Self, TypeAlias, cast, get_args

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor, nn

from ganzoo.base.resample import sample_affine, shift
from ganzoo.config import Choice, Form, NamedConfig

AUGMENT = "augment"
"""Name of the augmenter among a GAN's networks."""
TRANSLATION, CUTOUT = 1 / 8, 1 / 2
"""Values of DiffAugment: the largest translation, and the side of the cutout, as a fraction of the image's side."""

Change: TypeAlias = Literal[
    "flip",
    "rotate90",
    "integer-translation",
    "scale",
    "rotation",
    "stretch",
    "translation",
    "brightness",
    "contrast",
    "luma-flip",
    "saturation",
    "hue",
    "cutout",
]
"""Transformations of ADA."""
BATCHES = 4
"""Number of batches between two updates of ADA's probability (the authors' `ada_interval`)."""


class Augmenter(nn.Module, ABC):
    """Augmentation of images, N x C x H x W in [-1, 1], each differently; the identity in evaluation mode.

    Results may leave [-1, 1], as in the papers: clamping would stop the gradients. Every transformation is linear in
    the image or shifts its values, so the whole is differentiable any number of times. A fourth channel is opacity: it
    takes part in geometric transformations and cutout, but not in those of color.
    """

    @abstractmethod
    def change(self, images: Tensor) -> Tensor:
        """Return the augmented images."""

    def adapt(self, overfitting_signal: Tensor, count: int) -> None:
        """Update from the confidence on real images, in [-1, 1], on `count` more images over all processes."""

    def forward(self, images: Tensor) -> Tensor:
        return self.change(images) if self.training else images


class Augmentation(NamedConfig, ABC):
    """Augmentation of the discriminator's inputs."""

    noun: ClassVar[str] = "augmentation"
    kind: ClassVar[str]

    @classmethod
    def choices(cls) -> Mapping[str, type[Self]]:
        kinds = (NoAugmentation, DiffAugment, ADA)
        return cast("Mapping[str, type[Self]]", {augmentation.kind: augmentation for augmentation in kinds})

    @abstractmethod
    def build(self) -> Augmenter | None:
        """Return the augmenter; None for no augmentation."""


class NoAugmentation(Augmentation):
    """No augmentation."""

    kind = "none"

    def build(self) -> Augmenter | None:
        return None


def _words(value: object) -> object:
    return tuple(value.split(",")) if isinstance(value, str) else value


class DiffAugment(Augmentation):
    """DiffAugment: color, translation and cutout, always (Zhao et al., 2020, arXiv:2006.10738)."""

    kind = "diffaugment"

    policy: Annotated[
        tuple[Literal["color", "translation", "cutout"], ...], BeforeValidator(_words), Form("NAME,...")
    ] = Field(
        ("color", "translation", "cutout"),
        description="transformations: color (brightness, saturation, contrast), translation, cutout",
    )

    def build(self) -> Augmenter | None:
        return DifferentiableAugmenter(self.policy)


class ADA(Augmentation):
    """Adaptive discriminator augmentation (ADA), stronger when it overfits (Karras et al., 2020, arXiv:2006.06676).

    By default, the transformations are the authors' `bgc` without mirroring, which is enabled by `flip`: a generator
    learns mirrored letters as soon as the probability is high. Geometric transformations are one bilinear lookup
    without the authors' upsampling, so their results are slightly softer here.
    """

    kind = "ada"

    policy: Annotated[tuple[Change, ...], BeforeValidator(_words), Form("NAME,...")] = Field(
        tuple(change for change in get_args(Change) if change not in ("flip", "cutout")),
        description=f"transformations: {', '.join(get_args(Change))}",
    )
    flip: bool = Field(False, description="mirroring of images, for data without a preferred direction")
    p: float | None = Field(None, ge=0, le=1, description="fixed probability of each change (default: adaptive)")
    target: float = Field(
        0.6, gt=-1, lt=1, description="target confidence of the discriminator on real images: 0 guesses, 1 is certain"
    )
    images: int = Field(500_000, gt=0, description="number of images in which the probability goes from 0 to 1")

    def build(self) -> Augmenter | None:
        policy = (*self.policy, "flip") if self.flip else self.policy
        return AdaptiveAugmenter(policy, self.target, self.images, self.p)


AnyAugmentation: TypeAlias = Annotated[Augmentation, Choice(Augmentation)]
"""Field that holds any augmentation."""


class DifferentiableAugmenter(Augmenter):
    """DiffAugment: every transformation in `policy`, on every image, with random strengths."""

    def __init__(self, policy: Collection[str]) -> None:
        super().__init__()
        self.policy = frozenset(policy)

    def change(self, images: Tensor) -> Tensor:
        if "color" in self.policy:
            images = in_colour(self._recolour, images)
        if "translation" in self.policy:
            down, right = (_whole_steps(images, images.shape[side]) for side in (2, 3))
            images = shift(images, down, right)
        if "cutout" in self.policy:
            images = cut_out(images, uniform(images), uniform(images))
        return images

    @staticmethod
    def _recolour(colours: Tensor) -> Tensor:
        colours = colours + _each(uniform(colours)) / 2
        if colours.shape[1] == 3:
            grey = colours.mean(1, keepdim=True)
            colours = torch.lerp(grey, colours, _each(uniform(colours) + 1))
        middle = colours.mean((1, 2, 3), keepdim=True)
        return torch.lerp(middle, colours, _each(uniform(colours) / 2 + 1))


class AdaptiveAugmenter(Augmenter):
    """ADA: every transformation in `policy`, on every image with probability `p`, which is updated by `adapt`.

    Each of several processes has its own `p`, based on its own discriminator logits.

    Args:
        policy: names of transformations.
        target: target confidence of the discriminator.
        images: number of images in which `p` goes from 0 to 1.
        p: fixed probability (default: 0 at first, adaptive).
    """

    def __init__(self, policy: Collection[str], target: float, images: int, p: float | None = None) -> None:
        super().__init__()
        self.policy, self.target, self.images, self.adapts = frozenset(policy), target, images, p is None
        self.register_buffer("p", torch.full((), p or 0.0))
        self.register_buffer("certainty", torch.zeros(()))
        self.register_buffer("batches", torch.zeros(()))
        self.p: Tensor
        self.certainty: Tensor
        """Sum over the batches since the last update of `p`."""
        self.batches: Tensor
        """Number of these batches."""

    @torch.no_grad()
    def adapt(self, overfitting_signal: Tensor, count: int) -> None:
        if not self.adapts:
            return
        self.certainty += overfitting_signal
        self.batches += 1
        due = self.batches == BATCHES
        step = torch.sign(self.certainty / BATCHES - self.target) * (BATCHES * count / self.images)
        self.p.add_(due * step).clamp_(0, 1)
        for sum_ in (self.certainty, self.batches):
            sum_.masked_fill_(due, 0)

    def change(self, images: Tensor) -> Tensor:
        if "flip" in self.policy:
            turned = self._chosen("flip", images, uniform(images)) > 0
            images = torch.where(_each(turned), images.flip(3), images)
        if "rotate90" in self.policy:
            images = self._turn(images)
        images = in_colour(self._recolour, self._move(images))
        if "cutout" in self.policy:
            whole = _each(self._chosen("cutout", images, torch.ones_like(images[:, 0, 0, 0])) == 0)
            images = torch.where(whole, images, cut_out(images, uniform(images), uniform(images)))
        return images

    def _turn(self, images: Tensor) -> Tensor:
        """Rotate by random multiples of 90 degrees; of 180 degrees for images that are not square."""
        square = images.shape[2] == images.shape[3]
        quarters = torch.randint(4 if square else 2, (len(images),), device=images.device) * (1 if square else 2)
        quarters = self._chosen("rotate90", images, quarters)
        result = images
        for quarter in (1, 2, 3) if square else (2,):
            result = torch.where(_each(quarters == quarter), images.rot90(quarter, (2, 3)), result)
        return result

    def _move(self, images: Tensor) -> Tensor:
        """Scale, rotate, stretch, rotate and translate (appendix B), by the inverse map, of the same distribution.

        Each of the two rotations has probability 1 - sqrt(1 - p), so that an image stays upright with 1 - p.
        """
        if self.policy.isdisjoint({"integer-translation", "scale", "rotation", "stretch", "translation"}):
            return images
        upright = 1 - torch.sqrt(1 - self.p)
        scale = 0.2 * self._chosen("scale", images, normal(images))
        before = math.pi * self._chosen("rotation", images, uniform(images), upright)
        stretch = 0.2 * self._chosen("stretch", images, normal(images))
        after = math.pi * self._chosen("rotation", images, uniform(images), upright)
        moved = self._chosen("translation", images, torch.ones_like(scale))
        stepped = self._chosen("integer-translation", images, torch.ones_like(scale))
        right, down = (
            TRANSLATION * moved * normal(images) + stepped * _whole_steps(images, length) / length
            for length in (images.shape[3], images.shape[2])
        )
        strengths = torch.stack([scale, before, stretch, after, right, down], 1)
        sizes = torch.stack([torch.exp2(scale + stretch), torch.exp2(scale - stretch)], 1)
        matrix = (rotations(before) * sizes[:, None]) @ rotations(after)
        # Interpolation has rounding errors even for the identity, which must not change an image.
        still = _each((strengths == 0).all(1))
        return torch.where(still, images, sample_affine(images, matrix, torch.stack([right, down], 1)))

    def _recolour(self, colours: Tensor) -> Tensor:
        """Change brightness, contrast, luma, hue and saturation.

        All are maps about the gray diagonal of the color space, v.
        """
        brightness = 0.2 * self._chosen("brightness", colours, normal(colours))
        contrast = 0.5 * self._chosen("contrast", colours, normal(colours))
        changed = (colours + _each(brightness)) * _each(torch.exp2(contrast))
        if "luma-flip" in self.policy:  # half of the selected images are reflected: x - 2 v (v . x)
            reflected = self._chosen("luma-flip", colours, uniform(colours)) > 0
            changed = torch.where(_each(reflected), changed - 2 * changed.mean(1, keepdim=True), changed)
        if colours.shape[1] != 3 or self.policy.isdisjoint({"saturation", "hue"}):
            return changed
        saturation = self._chosen("saturation", colours, normal(colours))
        hue = math.pi * self._chosen("hue", colours, uniform(colours))
        grey = changed.mean(1, keepdim=True)
        chroma = changed - grey
        # Rodrigues' rotation about the diagonal: chroma is orthogonal to it, and
        # v x (r, g, b) = (b - g, r - b, g - r) / sqrt(3).
        across = (chroma.roll(1, 1) - chroma.roll(-1, 1)) / math.sqrt(3)
        turned = _each(torch.cos(hue)) * chroma + _each(torch.sin(hue)) * across
        vivid = grey + _each(torch.exp2(saturation)) * turned
        return torch.where(_each((saturation == 0) & (hue == 0)), changed, vivid)

    def _chosen(self, change: Change, images: Tensor, strength: Tensor, p: Tensor | None = None) -> Tensor:
        """Return the strength of a transformation for each image.

        Zero for images that are not selected, and for all images if the policy lacks the transformation.
        """
        if change not in self.policy:
            return torch.zeros_like(strength)
        chance = self.p if p is None else p
        return strength * (torch.rand(len(images), device=images.device) < chance)


def in_colour(change: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Apply a transformation to the colors of images, without their opacity, if any."""
    if images.shape[1] <= 3:
        return change(images)
    return torch.cat([change(images[:, :3]), images[:, 3:]], 1)


def cut_out(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Zero a rectangle of half the height and width of each image, centered at `down`, `right`: N, in [-1, 1]."""
    outside = torch.zeros((), dtype=torch.bool, device=images.device)
    for side, centre in ((2, down), (3, right)):
        length = images.shape[side]
        places = (torch.arange(length, device=images.device, dtype=images.dtype) + 0.5) / length
        away = (places - (centre[:, None] + 1) / 2).abs() >= CUTOUT / 2
        outside = outside | (away[:, None, :, None] if side == 2 else away[:, None, None, :])
    return images * outside


def rotations(angles: Tensor) -> Tensor:
    """Return rotation matrices, N x 2 x 2."""
    cosine, sine = torch.cos(angles), torch.sin(angles)
    return torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)


def normal(images: Tensor) -> Tensor:
    """Sample a number for each image, of mean 0 and variance 1."""
    return torch.randn(len(images), device=images.device, dtype=images.dtype)


def uniform(images: Tensor) -> Tensor:
    """Sample a number for each image, uniform in [-1, 1)."""
    return 2 * torch.rand(len(images), device=images.device, dtype=images.dtype) - 1


def _each(numbers: Tensor) -> Tensor:
    """Reshape a number per image to broadcast over N x C x H x W."""
    return numbers.view(-1, 1, 1, 1)


def _whole_steps(images: Tensor, length: int) -> Tensor:
    """Sample a whole number of pixels for each image, uniform, at most DiffAugment's fraction of the length."""
    most = int(length * TRANSLATION + 0.5)
    return torch.randint(-most, most + 1, (len(images),), device=images.device)
