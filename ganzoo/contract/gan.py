"""GANs: configuration, networks, and the players that train them."""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self, TypeAlias, cast

from pydantic import Field, model_validator
from torch import Tensor

from ganzoo.base.registry import registry_of
from ganzoo.base.torchrun import rank_and_count
from ganzoo.config import Choice, NamedConfig
from ganzoo.contract.augment import AUGMENT, AnyAugmentation, Augmenter, NoAugmentation
from ganzoo.contract.batch import Batch
from ganzoo.contract.codes import Code
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.networks import Networks, normalise_spectrally
from ganzoo.contract.optim import Adam, AnyOptimizer, Optimizer
from ganzoo.errors import ContractError, OptionError
from ganzoo.losses import CrossEntropy, Loss, Losses, LossScheme, gradient

PAPER = re.compile(r"\(([^()]*?\b((?:19|20)\d\d)\b[^()]*)\)")
"""Citation in a plugin's docstring, such as `(Mao et al., 2016, arXiv:1611.04076)`."""


@dataclass(frozen=True)
class Player:
    """Learner: the networks it trains, its loss, its optimizer, and its schedule."""

    name: str
    loss: Callable[[Networks, Batch], Losses]
    """Named terms. Their sum is minimized, and every term is logged."""
    trains: tuple[str, ...] = ()
    """Networks to train (default: the network of its own name)."""
    optimizer: Optimizer | str | None = None
    """Configuration, or the name of the player whose optimizer and state it shares (default: that of an earlier player
    of the same networks, so that a lazy regularizer keeps its weight relative to the main loss, else Adam())."""
    every: int = 1
    """Iterations per step: it trains on every n-th iteration, each with a new batch."""
    after: int = 0
    """First iteration of training: a discriminator may start after a warm-up."""
    until: int | None = None
    """Iteration at which training of this player ends; None: never."""
    constrain: Callable[[Networks], None] | None = None
    """Function called after each step, without gradients: weight clipping, for example."""
    least_loss: float | None = None
    """Lower bound of its loss: near it, it has won, and the others learn nothing more from it; None if unbounded."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks it trains."""
        return self.trains or (self.name,)

    def is_due(self, iteration: int) -> bool:
        """Whether it trains in this iteration; the first of a run is 0."""
        begun = iteration >= self.after and (self.until is None or iteration < self.until)
        return begun and (iteration + 1) % self.every == 0


class GAN(NamedConfig, ABC):
    """GAN, defined by its configuration: fields are options on the command line, in Python and in config files."""

    noun: ClassVar[str] = "GAN"
    key: ClassVar[str] = "name"
    name: ClassVar[str]
    """Name in `ganzoo run NAME` and in config.json."""
    dataset: ClassVar[str] = "mnist"
    """Default data set."""
    needs: ClassVar[frozenset[str]] = frozenset({"image"})
    """Required fields of a batch."""
    streams: ClassVar[tuple[frozenset[str], ...]] = ()
    """Groups of these fields with an order of their own, independent of the others: unpaired images, or a few labeled
    ones among many."""
    inputs: ClassVar[frozenset[str]] = frozenset({"source", "label", "caption"})
    """Fields among these that images are generated from, besides noise: all that `sample` may read."""
    grid_columns: ClassVar[int] = 5
    """Number of images in one row of the sample grid, except for translation."""
    recipes: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    """Named sets of values for its own options and the run's; the first is the default of `--recipe`."""
    may_change: ClassVar[frozenset[str]] = frozenset()
    """Fields that only affect sampling, and may thus be changed after training."""
    any_size: ClassVar[bool] = False
    """Whether `sample` supports sources of any height and width, not only those of training."""
    provides: ClassVar[frozenset[str]] = frozenset()
    """Properties of its discriminators for the `requires` of losses, in addition to those of its default loss."""

    spectral_norm: bool = Field(False, description="spectral normalization of discriminators")

    @classmethod
    def named(cls, name: str) -> type["GAN"]:
        """Return the registered GAN with this name.

        Raises:
            UnknownName: no such GAN; the message suggests the closest name, or the plugin that failed to load.
        """
        return registry_of(GAN).named(name)

    def build(self, data: DataSpec) -> Networks:
        """Return the networks for training: those of `networks`, and additions from options.

        Raises:
            SizeError: the architecture does not support the image size; the message suggests sizes that work.
            OptionError: an option does not apply to these networks.
            ContractError: `networks` returns something else.
        """
        nets = self.networks(data)
        if not isinstance(nets, Networks):
            raise ContractError(f"{type(self).__name__}.networks() gives {type(nets).__name__}; expected Networks")
        if self.spectral_norm and not normalise_spectrally(nets):
            raise OptionError(f"'{self.name}' has no discriminator with layers for spectral normalization")
        return nets

    @property
    def scale_factor(self) -> int:
        """Ratio of the generated images' size to the sources'; their sides must be multiples of it."""
        return 1

    @abstractmethod
    def networks(self, data: DataSpec) -> Networks:
        """Return new networks for data of this shape.

        Raises:
            SizeError: the architecture does not support the image size; the message suggests sizes that work.
        """

    @abstractmethod
    def players(self) -> Sequence[Player]:
        """Return the players in the order of their steps within an iteration."""

    @abstractmethod
    def generate(self, nets: Networks, batch: Batch) -> Batch:
        """Add tensors shared by the players to the batch, above all the fakes; called once per iteration.

        The first player that backpropagates through them frees their graph; a later one calls `generate` again.
        """

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        """Generate images, N x C x H x W in [-1, 1], from a batch with only the `inputs`, `noise` and `step`."""
        return self.generate(nets, batch).fake

    def noise_shape(self) -> tuple[int, ...]:
        """Return the shape of one row of `batch.noise`; empty if it takes none."""
        return ()

    @property
    def codes(self) -> Sequence[Code]:
        """Named, meaningful parts of the noise, which `--codes NAME=VALUE` can set."""
        return ()

    def grid_noise(self, noise: Tensor) -> Tensor:
        """Return the noise of the sample grids during training, from at most 25 rows of it.

        A GAN with codes arranges them here, in as many rows as its grid takes (see `grid_columns`).
        """
        return noise

    @classmethod
    def allows(cls, loss: type[LossScheme]) -> bool:
        """Whether its discriminators have everything that a loss requires."""
        default = cls.model_fields["loss"].default if "loss" in cls.model_fields else None
        given = default.requires if isinstance(default, LossScheme) else frozenset[str]()
        return loss.requires <= cls.provides | given

    @model_validator(mode="after")
    def _loss_is_allowed(self) -> Self:
        loss = getattr(self, "loss", None)
        if isinstance(loss, LossScheme) and not self.allows(type(loss)):
            allowed = sorted(label for label, other in LossScheme.choices().items() if self.allows(other))
            reason = f": it takes a discriminator {' and '.join(sorted(loss.requires))}" if loss.requires else ""
            raise OptionError(
                f"option 'loss' cannot be '{loss.kind}' for '{self.name}'{reason}; losses that will do: "
                f"{', '.join(allowed)}"
            )
        return self

    @classmethod
    def family(cls) -> str:
        """Return the kind of GAN, by its inputs."""
        kinds = {"source": "image to image", "caption": "text to image", "label": "class to image"}
        return next((kind for field, kind in kinds.items() if field in cls.needs & cls.inputs), "noise to image")

    @classmethod
    def paper(cls) -> str:
        """Return the paper in parentheses in its module's docstring, with the year; empty if there is none."""
        found = PAPER.search(sys.modules[cls.__module__].__doc__ or "")
        return " ".join(found[1].split()) if found else ""

    @classmethod
    def year(cls) -> str:
        """Return the year of the paper; empty if there is none."""
        found = PAPER.search(sys.modules[cls.__module__].__doc__ or "")
        return found[2] if found else ""


class TwoPlayer(GAN):
    """GAN of one generator and one discriminator under a LossScheme, with any inputs."""

    real: ClassVar[str] = "image"
    """Field of a batch that the fakes imitate."""

    loss: Loss = Field(CrossEntropy(), description="losses from the discriminator's logits")
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of both players")
    n_critic: int = Field(1, ge=1, description="discriminator steps for each generator step")

    def condition(self, batch: Batch) -> tuple[Tensor, ...]:
        """Return the discriminator's inputs other than images: labels, source images, ..."""
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
        """Return images, N x C x H x W, real or fake, as passed to the discriminator."""
        return images

    def adapt(self, nets: Networks, real: Tensor, fake: Tensor) -> None:
        """Update from the discriminator's logits for real images and fakes, once per discriminator step."""

    def discriminate(self, nets: Networks, images: Tensor, batch: Batch) -> Tensor:
        """Return the discriminator's logits for images, real or fake, given the condition. Used for every image."""
        return nets.discriminator(self.augmented(nets, images), *self.condition(batch))

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        """Return the generator's loss; a subclass may add terms."""
        return self.generator_terms(nets, batch, self.discriminate(nets, batch.fake, batch))

    def discriminator_loss(self, nets: Networks, batch: Batch) -> Losses:
        """Return the discriminator's loss; a subclass may add terms."""
        real, fake = batch[self.real].detach(), batch.fake.detach()
        real.requires_grad_("real" in self.loss.slopes)
        fake.requires_grad_("fake" in self.loss.slopes)
        batch = batch.replace(**{self.real: real, "fake": fake})
        return self.discriminator_terms(
            nets, batch, self.discriminate(nets, real, batch), self.discriminate(nets, fake, batch)
        )

    def generator_terms(self, nets: Networks, batch: Batch, fake: Tensor) -> Losses:
        """Return the LossScheme's terms of the generator's loss, from the logits of the fakes."""
        real = self.discriminate(nets, batch[self.real], batch) if self.loss.needs_real else fake[:0]
        return {"adversarial": self.loss.generator(real, fake)}

    def discriminator_terms(self, nets: Networks, batch: Batch, real: Tensor, fake: Tensor) -> Losses:
        """Return the LossScheme's terms of the discriminator's loss, including penalties, from the logits of both.

        If the batch's own images require gradients, the logits must be those of these very tensors.
        """
        images = {"real": batch[self.real], "fake": batch.fake if batch.fake.is_leaf else batch.fake.detach()}
        known = [(images["real"], real), (images["fake"], fake)]

        def critic(images: Tensor) -> Tensor:
            if images.requires_grad:
                for judged, logits in known:
                    if images is judged:
                        return logits
            return self.discriminate(nets, images, batch)

        self.adapt(nets, real, fake)
        losses = {"adversarial": self.loss.discriminator(real, fake)}
        return losses | self.loss.penalties(critic, images["real"], images["fake"], batch.step)


class Adversarial(TwoPlayer):
    """Shorthand for noise to images with one generator, one discriminator and one LossScheme."""

    latent_dim: int = Field(64, gt=0, description="length of the noise vector")
    augment: AnyAugmentation = Field(NoAugmentation(), description="augmentation of the discriminator's inputs")
    r1: float = Field(
        0.0, ge=0, description="weight of R1, the discriminator's squared gradient at real images; 0: none"
    )
    r1_every: int = Field(8, gt=0, description="iterations between two steps of R1")

    def players(self) -> Sequence[Player]:
        players = super().players()
        if self.r1 != 0:  # sharing the optimizer keeps its weight relative to the adversarial loss
            return *players, Player("r1", self.r1_loss, ("discriminator",), every=self.r1_every)
        return players

    def r1_weight(self, pixels: int, batch_size: int) -> float:
        """Return the weight of R1, given pixels per image and batch size; a GAN may override it with a rule."""
        return self.r1

    def r1_loss(self, nets: Networks, batch: Batch) -> Losses:
        """Return R1, r1 / 2 x |grad D(x)|^2 at real images x (Mescheder et al., 2018, arXiv:1801.04406, eq. 9).

        It is computed lazily, on every `r1_every`-th iteration, with a weight as many times as large (Karras et al.,
        2019, arXiv:1912.04958, section 3.1). With `CrossEntropy`, which is the mean of its two terms and not their
        sum, a paper's weight counts twice.
        """
        real = batch[self.real].detach().requires_grad_()
        slope = gradient(self.discriminate(nets, real, batch), real)
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
            overfitting_signal = self.loss.overfitting_signal(real.detach(), fake.detach())
            cast("Augmenter", nets.augment).adapt(overfitting_signal, len(real) * rank_and_count()[1])

    def noise_shape(self) -> tuple[int, ...]:
        return (self.latent_dim,)

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(fake=nets.generator(batch.noise, *self.condition(batch)))


AnyGAN: TypeAlias = Annotated[GAN, Choice(GAN)]
"""Field that holds any registered GAN."""
