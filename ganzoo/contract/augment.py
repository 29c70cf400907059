"""Augmentation of all that a discriminator sees, real and fake, through which the generator's gradients flow.

With few images a discriminator learns them by heart. It cannot if it sees each a little changed; and if real images
and fakes are changed alike, the generator still learns the images as they were.
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
"""What changes images, among a GAN's networks."""
TRANSLATION, CUTOUT = 1 / 8, 1 / 2
"""DiffAugment's: how far an image moves at most, and the side of what is cut out, in parts of its own."""

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
"""What ADA can do to an image."""
BATCHES = 4
"""After so many ADA's probability moves, by the mean of their certainties (the authors' `ada_interval`)."""


class Augmenter(nn.Module, ABC):
    """Changes images, N x C x H x W in [-1, 1], each in its own way; in evaluation mode it leaves them as they are.

    What is changed may leave [-1, 1], as in the papers: a limit would stop the gradients there. Every change is linear
    in the image or a shift of its values, so the whole can be differentiated any number of times. Of four channels the
    fourth is opacity: it moves with the others and is cut with them, but takes no part in changes of colour.
    """

    @abstractmethod
    def change(self, images: Tensor) -> Tensor:
        """The images, changed."""

    def adapt(self, overfitting_signal: Tensor, count: int) -> None:
        """Told how surely the discriminator tells real images, in [-1, 1]; all processes saw `count` more of them."""

    def forward(self, images: Tensor) -> Tensor:
        return self.change(images) if self.training else images


class Augmentation(NamedConfig, ABC):
    """How the images that a discriminator sees are changed."""

    noun: ClassVar[str] = "augmentation"
    kind: ClassVar[str]

    @classmethod
    def choices(cls) -> Mapping[str, type[Self]]:
        kinds = (NoAugmentation, DiffAugment, ADA)
        return cast("Mapping[str, type[Self]]", {augmentation.kind: augmentation for augmentation in kinds})

    @abstractmethod
    def build(self) -> Augmenter | None:
        """What changes the images; None: nothing does."""


class NoAugmentation(Augmentation):
    """Images as they are."""

    kind = "none"

    def build(self) -> Augmenter | None:
        return None


def _words(value: object) -> object:
    return tuple(value.split(",")) if isinstance(value, str) else value


class DiffAugment(Augmentation):
    """Colour, translation and cutout, always (Zhao et al., 2020, arXiv:2006.10738)."""

    kind = "diffaugment"

    policy: Annotated[
        tuple[Literal["color", "translation", "cutout"], ...], BeforeValidator(_words), Form("NAME,...")
    ] = Field(
        ("color", "translation", "cutout"),
        description="which of color (brightness, saturation, contrast), translation and cutout",
    )

    def build(self) -> Augmenter | None:
        return DifferentiableAugmenter(self.policy)


class ADA(Augmentation):
    """Adaptive: more of it, the surer the discriminator is (Karras et al., 2020, arXiv:2006.06676).

    By default its changes are the authors' `bgc`, all but mirroring, which asks for `flip`: without it a generator
    learns of mirrored letters as soon as the probability is high. Images are moved by one bilinear lookup, where the
    authors enlarge them first, so that moved images are a little softer here.
    """

    kind = "ada"

    policy: Annotated[tuple[Change, ...], BeforeValidator(_words), Form("NAME,...")] = Field(
        tuple(change for change in get_args(Change) if change not in ("flip", "cutout")),
        description=f"which of {', '.join(get_args(Change))}",
    )
    flip: bool = Field(False, description="mirror images, too: for data whose images might as well be mirrored")
    p: float | None = Field(None, ge=0, le=1, description="fixed probability of each change (default: adaptive)")
    target: float = Field(
        0.6, gt=-1, lt=1, description="how surely the discriminator may tell real images: 0 it guesses, 1 it knows"
    )
    images: int = Field(500_000, gt=0, description="images in which the probability of a change goes from 0 to 1")

    def build(self) -> Augmenter | None:
        policy = (*self.policy, "flip") if self.flip else self.policy
        return AdaptiveAugmenter(policy, self.target, self.images, self.p)


AnyAugmentation: TypeAlias = Annotated[Augmentation, Choice(Augmentation)]
"""A field that holds any augmentation."""


class DifferentiableAugmenter(Augmenter):
    """Every image is changed in each of the ways that `policy` names, with a strength of its own."""

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
    """Every image is changed in each of the ways that `policy` names with probability `p`, which follows `adapt`.

    Each process of several has a `p` of its own, after what its own discriminator logits say.

    Args:
        policy: names of changes.
        target: the certainty that is aimed at.
        images: in which `p` goes from 0 to 1.
        p: its fixed value. None: it begins at 0 and adapts.
    """

    def __init__(self, policy: Collection[str], target: float, images: int, p: float | None = None) -> None:
        super().__init__()
        self.policy, self.target, self.images, self.adapts = frozenset(policy), target, images, p is None
        self.register_buffer("p", torch.full((), p or 0.0))
        self.register_buffer("certainty", torch.zeros(()))
        self.register_buffer("batches", torch.zeros(()))
        self.p: Tensor
        self.certainty: Tensor
        """The sum over the batches since `p` last moved."""
        self.batches: Tensor
        """How many these are."""

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
        """Turned by quarters, each as likely; images that are not square by halves, or they would not fit."""
        square = images.shape[2] == images.shape[3]
        quarters = torch.randint(4 if square else 2, (len(images),), device=images.device) * (1 if square else 2)
        quarters = self._chosen("rotate90", images, quarters)
        result = images
        for quarter in (1, 2, 3) if square else (2,):
            result = torch.where(_each(quarters == quarter), images.rot90(quarter, (2, 3)), result)
        return result

    def _move(self, images: Tensor) -> Tensor:
        """Scaled, turned, stretched, turned and moved (appendix B), by the inverse, whose strengths are drawn alike.

        Two rotations, each with probability 1 - sqrt(1 - p), so that an image stays upright with 1 - p.
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
        # Interpolation blurs by a rounding error even what does not move; what does not shall stay as it is.
        still = _each((strengths == 0).all(1))
        return torch.where(still, images, sample_affine(images, matrix, torch.stack([right, down], 1)))

    def _recolour(self, colours: Tensor) -> Tensor:
        """Brighter, of more contrast, dark for light, of another hue, more saturated.

        All are maps about the grey diagonal of all colours, v.
        """
        brightness = 0.2 * self._chosen("brightness", colours, normal(colours))
        contrast = 0.5 * self._chosen("contrast", colours, normal(colours))
        changed = (colours + _each(brightness)) * _each(torch.exp2(contrast))
        if "luma-flip" in self.policy:  # half of those chosen are reflected: x - 2 v (v . x)
            reflected = self._chosen("luma-flip", colours, uniform(colours)) > 0
            changed = torch.where(_each(reflected), changed - 2 * changed.mean(1, keepdim=True), changed)
        if colours.shape[1] != 3 or self.policy.isdisjoint({"saturation", "hue"}):
            return changed
        saturation = self._chosen("saturation", colours, normal(colours))
        hue = math.pi * self._chosen("hue", colours, uniform(colours))
        grey = changed.mean(1, keepdim=True)
        chroma = changed - grey
        # Rodrigues' rotation about the diagonal: chroma is at right angles to it, and
        # v x (r, g, b) = (b - g, r - b, g - r) / sqrt(3).
        across = (chroma.roll(1, 1) - chroma.roll(-1, 1)) / math.sqrt(3)
        turned = _each(torch.cos(hue)) * chroma + _each(torch.sin(hue)) * across
        vivid = grey + _each(torch.exp2(saturation)) * turned
        return torch.where(_each((saturation == 0) & (hue == 0)), changed, vivid)

    def _chosen(self, change: Change, images: Tensor, strength: Tensor, p: Tensor | None = None) -> Tensor:
        """The strength of a change for each image.

        Zero where the draw left the image out, and for all images if the policy does not have that change.
        """
        if change not in self.policy:
            return torch.zeros_like(strength)
        chance = self.p if p is None else p
        return strength * (torch.rand(len(images), device=images.device) < chance)


def in_colour(change: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The images with their colours changed, and their opacity, if they have one, as it was."""
    if images.shape[1] <= 3:
        return change(images)
    return torch.cat([change(images[:, :3]), images[:, 3:]], 1)


def cut_out(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """The images with a rectangle of half their height and width set to zero, about a place of each: N, in [-1, 1]."""
    outside = torch.zeros((), dtype=torch.bool, device=images.device)
    for side, centre in ((2, down), (3, right)):
        length = images.shape[side]
        places = (torch.arange(length, device=images.device, dtype=images.dtype) + 0.5) / length
        away = (places - (centre[:, None] + 1) / 2).abs() >= CUTOUT / 2
        outside = outside | (away[:, None, :, None] if side == 2 else away[:, None, None, :])
    return images * outside


def rotations(angles: Tensor) -> Tensor:
    """Rotation matrices, N x 2 x 2."""
    cosine, sine = torch.cos(angles), torch.sin(angles)
    return torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)


def normal(images: Tensor) -> Tensor:
    """A number for each image, of mean 0 and variance 1."""
    return torch.randn(len(images), device=images.device, dtype=images.dtype)


def uniform(images: Tensor) -> Tensor:
    """A number for each image, evenly from [-1, 1)."""
    return 2 * torch.rand(len(images), device=images.device, dtype=images.dtype) - 1


def _each(numbers: Tensor) -> Tensor:
    """A number for each image, in the shape that multiplies N x C x H x W."""
    return numbers.view(-1, 1, 1, 1)


def _whole_steps(images: Tensor, length: int) -> Tensor:
    """A whole number of pixels for each image, evenly, at most DiffAugment's part of the length either way."""
    most = int(length * TRANSLATION + 0.5)
    return torch.randint(-most, most + 1, (len(images),), device=images.device)
