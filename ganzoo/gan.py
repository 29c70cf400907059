"""What a GAN is: its configuration, the networks it builds, and the players that move them."""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self, TypeAlias, cast

from pydantic import Field, model_validator
from torch import Tensor

from ganzoo.augment import AUGMENT, AnyAugmentation, Augmenter, NoAugmentation
from ganzoo.codes import Code
from ganzoo.config import NamedConfig, OneOf
from ganzoo.data.batch import Batch
from ganzoo.data.spec import DataSpec
from ganzoo.engine.torchrun import rank_and_count
from ganzoo.errors import ContractError, OptionError
from ganzoo.losses import CrossEntropy, Loss, Losses, LossScheme, gradient
from ganzoo.networks import Networks, normalise_spectrally
from ganzoo.optim import Adam, AnyOptimizer, Optimizer

PAPER = re.compile(r"\(([^()]*?\b((?:19|20)\d\d)\b[^()]*)\)")
"""`(Mao et al., 2016, arXiv:1611.04076)` in a plugin's docstring."""


@dataclass(frozen=True)
class Player:
    """One learner: the networks it moves, the loss it minimises, how, and how often."""

    name: str
    loss: Callable[[Networks, Batch], Losses]
    """Named terms; their sum is minimised, every term is logged."""
    trains: tuple[str, ...] = ()
    """The networks it moves; empty: the network of its own name."""
    optimizer: Optimizer | str | None = None
    """A configuration, or the name of the player whose optimizer and state it shares. None: that of an earlier player
    of the same networks, so that a lazy regulariser keeps its weight against the loss it belongs to, else Adam()."""
    every: int = 1
    """It moves on every n-th iteration; each iteration brings a new batch."""
    after: int = 0
    """Iterations at the start of the run in which it rests: a discriminator that begins after a warm-up."""
    until: int | None = None
    """The number of iterations after which it rests, counted from the start of the run; None: it never does."""
    constrain: Callable[[Networks], None] | None = None
    """Called after each move, without gradients: weight clipping and the like."""
    least_loss: float | None = None
    """The least that its loss can be: near it, it has won, and the others learn nothing more from it. None: it has no
    bound."""

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks it moves."""
        return self.trains or (self.name,)

    def is_due(self, iteration: int) -> bool:
        """Whether it moves in an iteration; the first of a run is iteration 0."""
        begun = iteration >= self.after and (self.until is None or iteration < self.until)
        return begun and (iteration + 1) % self.every == 0


class GAN(NamedConfig, ABC):
    """A GAN is its configuration: its fields are its options, on the command line, in Python and in config files."""

    noun: ClassVar[str] = "GAN"
    key: ClassVar[str] = "name"
    name: ClassVar[str]
    """Its name in `ganzoo run NAME` and in config.json."""
    dataset: ClassVar[str] = "mnist"
    """What it trains on unless told otherwise."""
    needs: ClassVar[frozenset[str]] = frozenset({"image"})
    """Fields of a batch that it cannot do without."""
    streams: ClassVar[tuple[frozenset[str], ...]] = ()
    """Groups of those fields that come in an order of their own, so that nothing ties them to the others: unpaired
    images, or a few labelled ones beside many."""
    inputs: ClassVar[frozenset[str]] = frozenset({"source", "label", "caption"})
    """Which of those fields its images are made from, beside noise: all that `sample` may read."""
    grid_columns: ClassVar[int] = 5
    """Images in one row of the sample grid, unless it translates."""
    recipes: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    """Named sets of values for its own options and the run's; the first is in force unless `--recipe` names another."""
    may_change: ClassVar[frozenset[str]] = frozenset()
    """Which of its fields only change how samples are made, so that they may be told anew when images are generated."""
    any_size: ClassVar[bool] = False
    """Whether `sample` takes sources of any height and width, not those of training alone."""
    offers: ClassVar[frozenset[str]] = frozenset()
    """What its discriminators have of that which losses demand, beside what its own default loss does."""

    spectral_norm: bool = Field(False, description="hold the slope of discriminators by spectral normalisation")

    @classmethod
    def named(cls, name: str) -> type["GAN"]:
        """The registered GAN of that name.

        Raises:
            UnknownName: there is none; the error names the nearest, or the plugin that failed to bring it.
        """
        from ganzoo.plugins import zoo  # as in NamedConfig.choices

        return zoo().gan(name)

    def build(self, data: DataSpec) -> Networks:
        """The networks as they train: those of `networks`, and what options add to them.

        Raises:
            SizeError: the architecture cannot make such images; it names sizes that work.
            OptionError: an option asks for what these networks have no place for.
            ContractError: `networks` gives something else.
        """
        nets = self.networks(data)
        if not isinstance(nets, Networks):
            raise ContractError(f"{type(self).__name__}.networks() gives {type(nets).__name__}; expected Networks")
        if self.spectral_norm and not normalise_spectrally(nets):
            raise OptionError(f"'{self.name}' has no discriminator whose layers could be normalised spectrally")
        return nets

    @property
    def shrinks(self) -> int:
        """By how much its source images are smaller than those it makes; their sides must be multiples of it."""
        return 1

    @abstractmethod
    def networks(self, data: DataSpec) -> Networks:
        """Its networks, new, for data of that shape.

        Raises:
            SizeError: the architecture cannot make such images; it names sizes that work.
        """

    @abstractmethod
    def players(self) -> Sequence[Player]:
        """Its players, in the order in which they move within an iteration."""

    @abstractmethod
    def generate(self, nets: Networks, batch: Batch) -> Batch:
        """Adds to the batch what the players share, the fakes foremost; called once an iteration.

        The first player that differentiates through what is made here uses up its graph; a later one calls
        `generate` again.
        """

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        """Images to look at, N x C x H x W in [-1, 1], from a batch with the `inputs`, `noise` and `step` alone."""
        return self.generate(nets, batch).fake

    def noise_shape(self) -> tuple[int, ...]:
        """The shape of one row of `batch.noise`; empty: it takes none."""
        return ()

    @property
    def codes(self) -> Sequence[Code]:
        """Parts of the noise that have a name and a meaning, so that `--codes NAME=VALUE` can set them."""
        return ()

    def arrange(self, noise: Tensor) -> Tensor:
        """The noise of the sample grids shown during training, given 25 rows of it at most.

        A GAN with codes lays them out here, in as many rows as its picture takes (see `grid_columns`).
        """
        return noise

    @classmethod
    def allows(cls, loss: type[LossScheme]) -> bool:
        """Whether its discriminators have all that a loss demands."""
        default = cls.model_fields["loss"].default if "loss" in cls.model_fields else None
        given = default.demands if isinstance(default, LossScheme) else frozenset[str]()
        return loss.demands <= cls.offers | given

    @model_validator(mode="after")
    def _loss_is_allowed(self) -> Self:
        loss = getattr(self, "loss", None)
        if isinstance(loss, LossScheme) and not self.allows(type(loss)):
            allowed = sorted(label for label, other in LossScheme.choices().items() if self.allows(other))
            reason = f": it takes a discriminator {' and '.join(sorted(loss.demands))}" if loss.demands else ""
            raise OptionError(
                f"option 'loss' cannot be '{loss.kind}' for '{self.name}'{reason}; losses that will do: "
                f"{', '.join(allowed)}"
            )
        return self

    @classmethod
    def family(cls) -> str:
        """From what it makes images."""
        kinds = {"source": "image to image", "caption": "text to image", "label": "class to image"}
        return next((kind for field, kind in kinds.items() if field in cls.needs & cls.inputs), "noise to image")

    @classmethod
    def paper(cls) -> str:
        """The paper that its module's docstring names in parentheses, with its year; empty if it names none."""
        found = PAPER.search(sys.modules[cls.__module__].__doc__ or "")
        return " ".join(found[1].split()) if found else ""

    @classmethod
    def year(cls) -> str:
        """The year of the paper; empty if it names none."""
        found = PAPER.search(sys.modules[cls.__module__].__doc__ or "")
        return found[2] if found else ""


class TwoPlayer(GAN):
    """One generator against one discriminator under a LossScheme, whatever the fakes are made from."""

    real: ClassVar[str] = "image"
    """The field of a batch that the fakes imitate."""

    loss: Loss = Field(CrossEntropy(), description="how logits become losses")
    optimizer: AnyOptimizer = Field(Adam(), description="how both players move")
    n_critic: int = Field(1, ge=1, description="discriminator steps for each generator step")

    def condition(self, batch: Batch) -> tuple[Tensor, ...]:
        """What the discriminator sees beside the images: labels, source images, ..."""
        return ()

    def players(self) -> Sequence[Player]:
        return (
            Player("generator", self.generator_loss, optimizer=self.optimizer, every=self.n_critic),
            Player(
                "discriminator",
                self.discriminator_loss,
                optimizer=self.optimizer,
                least_loss=self.loss.least_loss,
            ),
        )

    def augmented(self, nets: Networks, images: Tensor) -> Tensor:
        """The images, N x C x H x W, real or fake, as the discriminator is shown them."""
        return images

    def adapt(self, nets: Networks, real: Tensor, fake: Tensor) -> None:
        """Told the discriminator's logits for real images and fakes, once each time it moves."""

    def judge(self, nets: Networks, images: Tensor, batch: Batch) -> Tensor:
        """The discriminator's logits for images, real or fake, under the batch's condition. Every image passes here."""
        return nets.discriminator(self.augmented(nets, images), *self.condition(batch))

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        """What the generator minimises; a subclass adds terms of its own."""
        return self.generator_terms(nets, batch, self.judge(nets, batch.fake, batch))

    def discriminator_loss(self, nets: Networks, batch: Batch) -> Losses:
        """What the discriminator minimises; a subclass adds terms of its own."""
        real, fake = batch[self.real].detach(), batch.fake.detach()
        real.requires_grad_("real" in self.loss.slopes)
        fake.requires_grad_("fake" in self.loss.slopes)
        batch = batch.replace(**{self.real: real, "fake": fake})
        return self.discriminator_terms(nets, batch, self.judge(nets, real, batch), self.judge(nets, fake, batch))

    def generator_terms(self, nets: Networks, batch: Batch, fake: Tensor) -> Losses:
        """The LossScheme's part of the generator's loss, given the logits of the fakes."""
        real = self.judge(nets, batch[self.real], batch) if self.loss.needs_real else fake[:0]
        return {"adversarial": self.loss.generator(real, fake)}

    def discriminator_terms(self, nets: Networks, batch: Batch, real: Tensor, fake: Tensor) -> Losses:
        """The LossScheme's part of the discriminator's loss, penalties among it, given the logits of both.

        Where the batch's own images require gradients, the logits are taken to be of these very tensors.
        """
        images = {"real": batch[self.real], "fake": batch.fake if batch.fake.is_leaf else batch.fake.detach()}
        known = [(images["real"], real), (images["fake"], fake)]

        def critic(images: Tensor) -> Tensor:
            if images.requires_grad:
                for judged, logits in known:
                    if images is judged:
                        return logits
            return self.judge(nets, images, batch)

        self.adapt(nets, real, fake)
        losses = {"adversarial": self.loss.discriminator(real, fake)}
        return losses | self.loss.penalties(critic, images["real"], images["fake"], batch.step)


class Adversarial(TwoPlayer):
    """The shorthand: noise to images, one generator, one discriminator, one LossScheme."""

    latent_dim: int = Field(64, gt=0, description="length of the noise vector")
    augment: AnyAugmentation = Field(NoAugmentation(), description="how images are changed that the discriminator sees")
    r1: float = Field(
        0.0, ge=0, description="weight of R1, the discriminator's squared gradient at real images (default: none)"
    )
    r1_every: int = Field(8, gt=0, description="iterations between two steps of R1")

    def players(self) -> Sequence[Player]:
        players = super().players()
        if self.r1 != 0:  # it shares the optimizer, and so keeps its weight beside the adversarial loss
            return *players, Player("r1", self.r1_loss, ("discriminator",), every=self.r1_every)
        return players

    def r1_weight(self, pixels: int, batch_size: int) -> float:
        """The weight of R1 for images of so many pixels, in batches of that size; a GAN may have a rule for it."""
        return self.r1

    def r1_loss(self, nets: Networks, batch: Batch) -> Losses:
        """R1, r1 / 2 x |grad D(x)|^2 at real images x (Mescheder et al., 2018, arXiv:1801.04406, eq. 9).

        It is computed lazily, on every `r1_every`-th iteration, and weighs as many times as much then (Karras et al.,
        2019, arXiv:1912.04958, section 3.1). Beside `CrossEntropy`, which is the mean of its two terms and not their
        sum, a paper's weight counts twice.
        """
        real = batch[self.real].detach().requires_grad_()
        slope = gradient(self.judge(nets, real, batch), real)
        weight = self.r1_weight(real[0, 0].numel(), len(real) * rank_and_count()[1])
        return {"penalty": weight / 2 * self.r1_every * slope.square().flatten(1).sum(1).mean()}

    def build(self, data: DataSpec) -> Networks:
        nets = super().build(data)
        if AUGMENT in nets:
            raise ContractError(
                f"'{self.name}' has a network called '{AUGMENT}', a name of the core's; give it another"
            )
        if augment := self.augment.build():
            nets.add_module(AUGMENT, augment)
        return nets

    def augmented(self, nets: Networks, images: Tensor) -> Tensor:
        return nets.augment(images) if AUGMENT in nets else images

    def adapt(self, nets: Networks, real: Tensor, fake: Tensor) -> None:
        if AUGMENT in nets:
            certainty = self.loss.certainty(real.detach(), fake.detach())
            cast("Augmenter", nets.augment).adapt(certainty, len(real) * rank_and_count()[1])

    def noise_shape(self) -> tuple[int, ...]:
        return (self.latent_dim,)

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(fake=nets.generator(batch.noise, *self.condition(batch)))


AnyGAN: TypeAlias = Annotated[GAN, OneOf(GAN)]
"""A field that holds any registered GAN."""
