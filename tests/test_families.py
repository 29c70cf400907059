"""The contract, proven on a toy of every family that the zoo is meant for: each trains, and moves only what it says.

The networks are as small as they can be; the data flow, the players and the engine are the real ones.
"""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganzoo
from ganzoo import Adam, Batch, DataSpec, Engine, Losses, Networks, Player, Speed
from ganzoo.blocks import ReplayPool
from ganzoo.data.batches import Batches
from ganzoo.data.load import Data, DataOptions, load
from ganzoo.engine.graph import WARM_UP, Graphs
from ganzoo.engine.tape import Tape
from ganzoo.losses import CrossEntropy, Relativistic, Softmax, WassersteinGP

SIZE, LATENT, CLASSES, WORDS, BATCH = 8, 4, 3, 6, 4
PIXELS = SIZE * SIZE


class ToyGenerator(ganzoo.Generator):
    """Vectors to grey images."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 16), nn.LeakyReLU(0.2), nn.Linear(16, PIXELS), nn.Tanh())

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.layers(torch.cat(inputs, 1)).view(-1, 1, SIZE, SIZE)


class ToyTranslator(ganzoo.Generator):
    """Grey images to grey images."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1), nn.Tanh())

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class ToyDiscriminator(ganzoo.Discriminator):
    """Images, and vectors beside them, to one logit each."""

    def __init__(self, condition: int = 0) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(PIXELS + condition, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def forward(self, images: Tensor, *condition: Tensor) -> Tensor:
        return self.layers(torch.cat([images.flatten(1), *condition], 1))


class ToyClassifier(ganzoo.Discriminator):
    """Images to a logit and to one for each class."""

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.trunk = nn.Linear(PIXELS, 16)
        self.score, self.classes = nn.Linear(16, 1), nn.Linear(16, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = F.leaky_relu(self.trunk(images.flatten(1)), 0.2)
        return self.score(features), self.classes(features)


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


class ToyData(ganzoo.Dataset):
    """Random images with every field there is; what is labelled is scarce, and targets are fewer than sources."""

    name = "toy"
    channels = 1
    classes = ("a", "b", "c")
    provides = frozenset({"image", "source", "target", "labelled_image", "label", "caption"})

    def load(self, request: ganzoo.Request) -> ganzoo.Table:
        images = torch.randint(256, (24, *request.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
        labelled = 6 if "labelled_image" in request.fields else 24
        every = {
            "image": images,
            "source": images.flip(3),
            "target": images[:15] if "image" not in request.fields and self.unpaired else images,
            "labelled_image": images[:labelled],
            "label": torch.arange(labelled) % CLASSES,
            "caption": torch.randint(97, 123, (24, 5), dtype=torch.uint8),
        }
        return ganzoo.Table({name: every[name] for name in request.fields}, self.classes)

    unpaired: bool = False


def toy_data(gan: ganzoo.GAN) -> Data:
    """What the GAN asks for, by the way that all data comes."""
    options = DataOptions(data=ToyData(unpaired=bool(gan.streams)), image_size=(SIZE, SIZE), batch_size=BATCH)
    return load(options, gan.needs, gan.streams)


def trained(gan: ganzoo.GAN, iterations: int, speed: Speed | None = None) -> tuple[Engine, dict[str, Tensor], Losses]:
    """An engine after some iterations, the weights before them, and the last losses of every term."""
    data = toy_data(gan)
    torch.manual_seed(0)
    engine = Engine(gan, gan.build(data.spec), speed=speed or Speed.plain())
    before = {name: value.clone() for name, value in engine.nets.state_dict().items()}
    batches = Batches(data.streams, BATCH, gan.noise_shape())
    losses: Losses = {}
    for iteration in range(iterations):
        losses |= engine.step(batches[iteration])
    return engine, before, losses


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_trains_and_moves_only_what_it_says(gan: ganzoo.GAN) -> None:
    engine, before, losses = trained(gan, 10)
    assert all(torch.isfinite(value) for value in losses.values()), losses
    assert {name.split("/")[0] for name in losses} == {player.name for player in gan.players()}
    moved = {name for player in gan.players() for name in player.networks}
    changed = {
        name.split(".")[0] for name, value in engine.nets.named_parameters() if not torch.equal(value, before[name])
    }
    assert changed == moved


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_trains_with_every_speed_switch_on(gan: ganzoo.GAN) -> None:
    engine, before, losses = trained(gan, 10, Speed(device="cpu", precision="bf16"))
    assert all(torch.isfinite(value) and value.dtype == torch.float32 for value in losses.values()), losses
    assert any(not torch.equal(value, before[name]) for name, value in engine.nets.named_parameters())


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_trains_alike_when_its_iterations_are_recorded(gan: ganzoo.GAN) -> None:
    engines, rows, data = [], [], toy_data(gan)
    for recorder in (None, Tape()):
        torch.manual_seed(0)
        batches = Batches(data.streams, BATCH, gan.noise_shape())
        speed = Speed(device="cpu", precision="fp32")
        engine = Engine(gan, gan.build(data.spec), speed=speed, assemble=batches.assemble)
        engine.graphs = Graphs(recorder, engine.device, engine.state) if recorder else None
        rows.append([engine.step(batches.draw(iteration)) for iteration in range((WARM_UP + 3) * engine.cycle)])
        engines.append(engine)
    assert engines[1].graphs is not None
    assert not engines[1].graphs.refusal
    assert rows[1] == rows[0]


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_makes_images_from_its_inputs_alone(gan: ganzoo.GAN) -> None:
    engine, _, _ = trained(gan, 1)
    given = (gan.needs & gan.inputs) | {"noise", "step"}
    batch = Batches(toy_data(gan).streams, BATCH, gan.noise_shape())[0]
    inputs = Batch(**{name: value for name, value in batch.items() if name in given})
    assert engine.sample(inputs).shape == (BATCH, 1, SIZE, SIZE)


def test_a_family_is_named_for_what_its_images_are_made_from() -> None:
    families = {gan.name: gan.family() for gan in FAMILIES}
    assert families["toy-cycle"] == families["toy-perceptual"] == "image to image"
    assert families["toy-semi"] == families["toy"] == "noise to image"
    assert families["toy-classes"] == "class to image"
    assert families["toy-captions"] == "text to image"


def test_a_family_that_makes_a_plain_mistake_is_told() -> None:
    class Reuses(AnothersNetworks):
        """Differentiates through fakes whose graph the generator's turn used up."""

        def information_loss(self, nets: Networks, batch: Batch) -> Losses:
            return {"information": nets.recogniser(batch.fake.flatten(1)).square().mean()}

    with pytest.raises(ganzoo.ContractError, match="call generate"):
        trained(Reuses(), 1)


def test_a_lazy_regulariser_shares_the_optimizer_of_the_networks_it_moves() -> None:
    engine, _, _ = trained(LazyRegulariser(), 8)
    assert list(engine.optimizers) == ["generator", "discriminator"]
    steps = [int(state["step"]) for state in engine.optimizers["discriminator"].state.values()]
    assert max(steps) == 8 + 2


def test_a_frozen_network_stays_in_evaluation_mode() -> None:
    engine, before, _ = trained(Perceptual(), 3)
    features = engine.nets.features
    assert not features.training
    assert all(torch.equal(value, before[f"features.{name}"]) for name, value in features.state_dict().items())
    engine.sample(Batches(toy_data(engine.gan).streams, BATCH)[0])
    assert not features.training
    assert engine.nets.generator.training


def test_clipping_holds_after_every_move() -> None:
    engine, _, _ = trained(Clipped(), 3)
    assert max(weight.abs().max().item() for weight in engine.nets.discriminator.parameters()) <= 0.01


def test_a_pool_gives_back_what_it_was_given() -> None:
    engine, _, _ = trained(TwoGenerators(), 6)
    pool = engine.nets.target_pool
    assert isinstance(pool, ReplayPool)
    assert pool.images.abs().sum(dim=(1, 2, 3)).gt(0).all()


def test_critic_steps_come_before_the_generators() -> None:
    engine, before, _ = trained(GradientPenalty(), 4)
    assert torch.equal(engine.nets.state_dict()["generator.layers.0.weight"], before["generator.layers.0.weight"])
    engine, before, _ = trained(GradientPenalty(), 5)
    assert not torch.equal(engine.nets.state_dict()["generator.layers.0.weight"], before["generator.layers.0.weight"])


def test_an_unconditional_player_can_have_its_own_optimizer_for_shared_networks() -> None:
    class Apart(LazyRegulariser):
        """Says that its regulariser has an optimizer of its own."""

        def players(self) -> Sequence[Player]:
            *others, lazy = super().players()
            return *others, Player("r1", lazy.loss, trains=lazy.trains, every=lazy.every, optimizer=Adam(lr=1e-3))

    engine, _, _ = trained(Apart(), 4)
    assert list(engine.optimizers) == ["generator", "discriminator", "r1"]


def test_the_loss_is_a_choice_of_the_family() -> None:
    assert ToyAdversarial.model_validate({"loss": "hinge"}).loss.kind == "hinge"
    assert ToyAdversarial().loss == CrossEntropy()
