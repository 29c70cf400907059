"""A toy of every family that the zoo is meant for.

The networks are as small as they can be; the data flow, the players and the engine are the real ones.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from toys import CLASSES, LATENT, PIXELS, SIZE, WORDS, ToyClassifier, ToyDiscriminator, ToyGenerator, ToyTranslator

import ganzoo
from ganzoo import Batch, DataSpec, Losses, Networks, Player
from ganzoo.blocks import ReplayPool
from ganzoo.losses import Relativistic, Softmax, WassersteinGP


class TwoGenerators(ganzoo.GAN):
    """CycleGAN's shape: two generators in one player, two discriminators that see pools, images unpaired."""

    name = "toy-cycle"
    needs = frozenset({"source", "target"})
    streams = (frozenset({"target"}),)

    def networks(self, data: DataSpec) -> Networks:
        return Networks(
            forward_generator=ToyTranslator(),
            backward_generator=ToyTranslator(),
            source_discriminator=ToyDiscriminator(),
            target_discriminator=ToyDiscriminator(),
            source_pool=ReplayPool((1, SIZE, SIZE), 8),
            target_pool=ReplayPool((1, SIZE, SIZE), 8),
        )

    def players(self) -> Sequence[Player]:
        return (
            Player("generators", self.generators_loss, trains=("forward_generator", "backward_generator")),
            Player("source_discriminator", self.source_loss),
            Player("target_discriminator", self.target_loss),
        )

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(
            fake=nets.forward_generator(batch.source), fake_source=nets.backward_generator(batch.target)
        )

    def sample(self, nets: Networks, batch: Batch) -> Tensor:
        return nets.forward_generator(batch.source)

    def generators_loss(self, nets: Networks, batch: Batch) -> Losses:
        scores = nets.target_discriminator(batch.fake), nets.source_discriminator(batch.fake_source)
        round_trip = nets.backward_generator(batch.fake)
        return {
            "adversarial": sum(((score - 1).square().mean() for score in scores), start=torch.zeros(())),
            "cycle": F.l1_loss(round_trip, batch.source),
        }

    def source_loss(self, nets: Networks, batch: Batch) -> Losses:
        return self.against_pool(nets.source_discriminator, batch.source, nets.source_pool(batch.fake_source.detach()))

    def target_loss(self, nets: Networks, batch: Batch) -> Losses:
        return self.against_pool(nets.target_discriminator, batch.target, nets.target_pool(batch.fake.detach()))

    @staticmethod
    def against_pool(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Losses:
        return {"adversarial": (discriminator(real) - 1).square().mean() + discriminator(fake).square().mean()}


class ToyAdversarial(ganzoo.Adversarial):
    """One generator, one discriminator: what the shorthand makes of toys."""

    name = "toy"
    latent_dim: int = LATENT

    def networks(self, data: DataSpec) -> Networks:
        return Networks(generator=ToyGenerator(self.latent_dim), discriminator=ToyDiscriminator())


class GradientPenalty(ToyAdversarial):
    """WGAN-GP's shape: five critic steps, a penalty that differentiates twice."""

    name = "toy-penalty"
    loss: ganzoo.Loss = WassersteinGP()
    n_critic: int = 5


class FadingRelativistic(Relativistic):
    """R3GAN's loss, its penalties fading: what depends on time reads the tensor."""

    kind = "toy-fading"

    def penalties(self, critic, real, fake, step) -> Losses:  # type: ignore[no-untyped-def]  # as a stranger may write it
        terms = super().penalties(critic, real, fake, step)
        return {name: torch.exp(-step / 100) * term for name, term in terms.items()}


class RelativisticPair(ToyAdversarial):
    """Real logits in the generator's loss, two penalties that fade with the step."""

    name = "toy-r3"
    loss: ganzoo.Loss = FadingRelativistic()


class SoftmaxToy(ToyAdversarial):
    """A loss that sees the whole batch at once."""

    name = "toy-softmax-gan"
    loss: ganzoo.Loss = Softmax()


class Clipped(ToyAdversarial):
    """WGAN's shape: RMSprop, and weights clipped after each move."""

    name = "toy-clipped"
    loss: ganzoo.Loss = WassersteinGP(penalty=0.0)
    optimizer: ganzoo.AnyOptimizer = ganzoo.RMSprop(lr=5e-3)

    def players(self) -> Sequence[Player]:
        generator, critic = super().players()
        return generator, Player(critic.name, critic.loss, optimizer=self.optimizer, constrain=self.clip)

    @staticmethod
    def clip(nets: Networks) -> None:
        for weight in nets.discriminator.parameters():
            weight.clamp_(-0.01, 0.01)


class AnothersNetworks(ToyAdversarial):
    """InfoGAN's shape: a third player moves the generator and a network of its own, and needs the fakes again."""

    name = "toy-info"

    def networks(self, data: DataSpec) -> Networks:
        return Networks(
            generator=ToyGenerator(LATENT), discriminator=ToyDiscriminator(), recogniser=nn.Linear(PIXELS, CLASSES)
        )

    def players(self) -> Sequence[Player]:
        information = Player("information", self.information_loss, trains=("generator", "recogniser"))
        return *super().players(), information

    def information_loss(self, nets: Networks, batch: Batch) -> Losses:
        codes = batch.noise[:, :CLASSES].argmax(1)  # uniform, for the three are alike
        fake = self.generate(nets, batch).fake
        return {"information": F.cross_entropy(nets.recogniser(fake.flatten(1)), codes)}


class LazyRegulariser(ToyAdversarial):
    """StyleGAN2's shape: R1 every fourth iteration, the optimizer shared; mapping and synthesis apart."""

    name = "toy-lazy"

    def networks(self, data: DataSpec) -> Networks:
        return Networks(mapping=nn.Linear(LATENT, 6), synthesis=ToyGenerator(6), discriminator=ToyDiscriminator())

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(fake=nets.synthesis(nets.mapping(batch.noise)))

    def players(self) -> Sequence[Player]:
        return (
            Player("generator", self.generator_loss, trains=("mapping", "synthesis")),
            Player("discriminator", self.discriminator_loss),
            Player("r1", self.r1_loss, trains=("discriminator",), every=4),
        )

    def r1_loss(self, nets: Networks, batch: Batch) -> Losses:
        real = batch.image.detach().requires_grad_()
        slope = ganzoo.gradient(nets.discriminator(real), real)
        return {"r1": 4 * slope.square().flatten(1).sum(1).mean()}


class WithClasses(ToyAdversarial):
    """ACGAN's shape: labels go into the generator, the discriminator answers twice."""

    name = "toy-classes"
    needs = frozenset({"image", "label"})

    def networks(self, data: DataSpec) -> Networks:
        return Networks(generator=ToyGenerator(LATENT + len(data.classes)), discriminator=ToyClassifier())

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        classes = batch.label[:, None] == torch.arange(CLASSES, device=batch.label.device)
        return batch.replace(fake=nets.generator(batch.noise, classes.float()))

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        score, classes = nets.discriminator(batch.fake)
        return {"adversarial": self.loss.generator(score[:0], score), "class": F.cross_entropy(classes, batch.label)}

    def discriminator_loss(self, nets: Networks, batch: Batch) -> Losses:
        real, classes = nets.discriminator(batch.image)
        fake, _ = nets.discriminator(batch.fake.detach())
        return {"adversarial": self.loss.discriminator(real, fake), "class": F.cross_entropy(classes, batch.label)}


class FewLabels(ToyAdversarial):
    """The semi-supervised shape: a small labelled set beside a large one, each in an order of its own."""

    name = "toy-semi"
    needs = frozenset({"image", "labelled_image", "label"})
    inputs = frozenset()
    streams = (frozenset({"labelled_image", "label"}),)

    def networks(self, data: DataSpec) -> Networks:
        return Networks(generator=ToyGenerator(LATENT), discriminator=ToyClassifier(CLASSES + 1))

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        return {"adversarial": self.loss.generator(batch.fake[:0], nets.discriminator(batch.fake)[0])}

    def discriminator_loss(self, nets: Networks, batch: Batch) -> Losses:
        real, fake = nets.discriminator(batch.image)[0], nets.discriminator(batch.fake.detach())[0]
        _, classes = nets.discriminator(batch.labelled_image)
        return {"adversarial": self.loss.discriminator(real, fake), "class": F.cross_entropy(classes, batch.label)}


class Captions(ToyAdversarial):
    """GAN-CLS's shape: an encoder of captions as a player, a discriminator that also sees wrong captions."""

    name = "toy-captions"
    needs = frozenset({"image", "caption"})

    def networks(self, data: DataSpec) -> Networks:
        return Networks(
            text=nn.EmbeddingBag(256, WORDS),
            generator=ToyGenerator(LATENT + WORDS),
            discriminator=ToyDiscriminator(WORDS),
        )

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        meaning = nets.text(batch.caption.int())
        return batch.replace(meaning=meaning, fake=nets.generator(batch.noise, meaning))

    def players(self) -> Sequence[Player]:
        generator, discriminator = super().players()
        return generator, Player("discriminator", discriminator.loss, trains=("discriminator", "text"))

    def condition(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch.meaning,)

    def discriminator_loss(self, nets: Networks, batch: Batch) -> Losses:
        meaning = nets.text(batch.caption.int())  # once more: the generator's turn used up the one in the batch
        wrong = nets.discriminator(batch.image, meaning.roll(1, 0))
        right = nets.discriminator(batch.image, meaning)
        fake = nets.discriminator(batch.fake.detach(), meaning)
        return {"adversarial": self.loss.discriminator(right, torch.cat([fake, wrong]))}


class Perceptual(ganzoo.TwoPlayer):
    """SRGAN's shape: a frozen network measures the distance; BatchNorm shows if it is left in training."""

    name = "toy-perceptual"
    needs = frozenset({"source", "target"})
    real = "target"

    def networks(self, data: DataSpec) -> Networks:
        features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
        return Networks(generator=ToyTranslator(), discriminator=ToyDiscriminator(), features=features)

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(fake=nets.generator(batch.source))

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        distance = F.mse_loss(nets.features(batch.fake), nets.features(batch.target))
        return {**super().generator_loss(nets, batch), "perceptual": distance}


FAMILIES = [
    ToyAdversarial(),
    ToyAdversarial(n_critic=2),
    TwoGenerators(),
    GradientPenalty(),
    RelativisticPair(),
    SoftmaxToy(),
    Clipped(),
    AnothersNetworks(),
    LazyRegulariser(),
    WithClasses(),
    FewLabels(),
    Captions(),
    Perceptual(),
]
