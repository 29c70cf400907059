"""The engine against loops written by hand, and against itself under every switch that should not matter."""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganzoo
from ganzoo import Batch, DataSpec, Engine, Losses, Networks, Player, Speed
from ganzoo.blocks import StridedDiscriminator, UpsampleGenerator
from ganzoo.data.batches import Batches
from ganzoo.options import resolve
from ganzoo.plugins import zoo

SHAPE = (1, 16, 16)
SPEC = DataSpec(dataset="random", shapes={"image": SHAPE})
BATCH, LATENT = 8, 64


def batches(seed: int = 0) -> Batches:
    images = torch.randint(256, (64, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(7))
    return Batches([{"image": images}], BATCH, (LATENT,), seed)


def dcgan(**fields: object) -> ganzoo.GAN:
    return zoo().gan("dcgan").model_validate(fields)


def engine_after(
    iterations: int,
    speed: Speed,
    gan: ganzoo.GAN | None = None,
    sample_every: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Engine:
    gan = gan or dcgan()
    torch.manual_seed(0)
    engine, data = Engine(gan, gan.build(SPEC).to(dtype), speed=speed), batches()
    for iteration in range(iterations):
        batch = data[iteration]
        engine.step(batch.replace(image=batch.image.to(dtype), noise=batch.noise.to(dtype)))
        if sample_every and iteration % sample_every == 0:
            engine.sample(data[0])
    return engine


def difference(first: nn.Module, second: nn.Module) -> float:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return max((one.double() - other.double()).abs().max().item() for one, other in pairs)


def test_twenty_iterations_of_dcgan_are_those_of_the_chapters_loop_written_by_hand() -> None:
    torch.manual_seed(0)
    generator = UpsampleGenerator(LATENT, SHAPE, initialization="torch")
    discriminator = StridedDiscriminator(SHAPE, initialization="torch")
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.9, 0.999), foreach=False)
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.9, 0.999), foreach=False)
    loss = nn.BCEWithLogitsLoss()
    data = batches()
    for iteration in range(20):
        real, noise = data[iteration].image, data[iteration].noise
        ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

        generator_optimizer.zero_grad()
        fake = generator(noise)
        loss(discriminator(fake), ones).backward()
        generator_optimizer.step()

        discriminator_optimizer.zero_grad()
        real_loss = loss(discriminator(real), ones)
        fake_loss = loss(discriminator(fake.detach()), zeros)
        ((real_loss + fake_loss) / 2).backward()
        discriminator_optimizer.step()

    chapter = dcgan(optimizer={"kind": "adam", "lr": 1e-3, "betas": (0.9, 0.999)}, initialization="torch")
    nets = engine_after(20, Speed.plain(), chapter).nets
    assert difference(nets.generator, generator) == 0.0
    assert difference(nets.discriminator, discriminator) == 0.0


def test_weights_are_the_same_with_samples_every_iteration_and_with_none() -> None:
    without, with_samples = engine_after(6, Speed.plain()), engine_after(6, Speed.plain(), sample_every=1)
    assert difference(without.nets, with_samples.nets) == 0.0


@pytest.mark.parametrize("switches", [["fused"], ["channels_last"], ["fused", "channels_last"]])
def test_a_speed_switch_does_not_change_the_numbers(switches: list[str]) -> None:
    # In float64, where another order of additions cannot look like another result; fakes and scores, not weights, for
    # a bias before BatchNorm changes nothing and its gradient is rounding alone.
    results = []
    for speed in (Speed.plain(), Speed.plain().model_copy(update=dict.fromkeys(switches, True))):
        engine = engine_after(4, speed, dtype=torch.float64)
        with engine.evaluating():
            fake = engine.nets.generator(batches()[9].noise.double())
            results.append((fake, engine.nets.discriminator(fake)))
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=1e-9)


def test_a_gradient_in_another_memory_order_moves_the_right_weights() -> None:
    moved = []
    for speed in (Speed.plain(), Speed(device="cpu", precision="fp32")):
        engine = engine_after(1, speed, dtype=torch.float64)
        weights = engine.weights["generator"]
        gradients = [torch.arange(1.0, weight.numel() + 1).view(weight.shape).sin().double() for weight in weights]
        engine.move(engine.players[0], gradients)
        moved.append(engine.nets.state_dict()["generator.layers.3.weight"])
    torch.testing.assert_close(*moved, rtol=0, atol=1e-9)


def test_bf16_stays_near_float32_and_gives_float32() -> None:
    speed = Speed(device="cpu", precision="bf16")
    engine = engine_after(1, speed)
    sample = engine.sample(batches()[0])
    assert sample.dtype == torch.float32
    assert engine.nets.discriminator(sample).dtype == torch.float32
    reference = engine_after(1, Speed.plain()).sample(batches()[0])
    assert 0 < (sample - reference).abs().mean() < 0.02


class Stale(ganzoo.Adversarial):
    """Its second player differentiates through weights that the first has moved."""

    name = "stale"

    def networks(self, data: DataSpec) -> Networks:
        # Two layers: the gradient of the first needs the weights of the second as they were.
        layers = nn.Sequential(nn.Linear(LATENT, 8), nn.Linear(8, 256), nn.Unflatten(1, SHAPE))
        return Networks(generator=layers, discriminator=nn.Sequential(nn.Flatten(), nn.Linear(256, 1)))

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        fake = nets.generator(batch.noise)
        return batch.replace(fake=fake, score=nets.discriminator(fake))

    def players(self) -> Sequence[Player]:
        def discriminator(nets: Networks, batch: Batch) -> Losses:
            return {
                "adversarial": nets.discriminator(batch.image).mean() + nets.discriminator(batch.fake.detach()).mean()
            }

        def generator(nets: Networks, batch: Batch) -> Losses:
            return {"adversarial": -batch.score.mean()}

        return Player("discriminator", discriminator), Player("generator", generator)


@pytest.mark.parametrize("fused", [False, True])
def test_a_graph_through_moved_weights_is_an_error_fused_or_not(fused: bool) -> None:
    with pytest.raises(ganzoo.ContractError, match="the player 'generator' differentiates through"):
        engine_after(1, Speed.plain().model_copy(update={"fused": fused}), Stale())


def test_the_discriminators_weights_get_no_gradient_in_the_generators_turn() -> None:
    seen: list[bool] = []

    class Watching(ganzoo.LossScheme):
        """Notes whether the logits in the generator's turn lead to the discriminator's weights."""

        kind = "watching"

        def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
            return real.mean() - fake.mean()

        def generator(self, real: Tensor, fake: Tensor) -> Tensor:
            seen.append(next(engine.nets.discriminator.parameters()).requires_grad)
            return fake.mean()

    gan = dcgan(loss=Watching())
    engine = Engine(gan, gan.build(SPEC), speed=Speed.plain())
    engine.step(batches()[0])
    assert seen == [False]
    assert all(weight.grad is None for weight in engine.nets.parameters())


class Wrong(ganzoo.Adversarial):
    """Players that do not fit, one kind a time."""

    name = "wrong"
    mistake: str

    def networks(self, data: DataSpec) -> Networks:
        return Networks(
            generator=UpsampleGenerator(LATENT, SHAPE), discriminator=StridedDiscriminator(SHAPE), flat=nn.Flatten()
        )

    def players(self) -> Sequence[Player]:
        generator, discriminator = super().players()
        wrong = {
            "unknown network": Player("nobody", generator.loss),
            "no parameters": Player("flat", generator.loss),
            "same name": generator,
            "never": Player("third", generator.loss, trains=("generator",), every=0),
            "unknown optimizer": Player("third", generator.loss, trains=("generator",), optimizer="nobody"),
            "others' optimizer": Player("third", generator.loss, trains=("generator",), optimizer="discriminator"),
            "no scalar": Player(
                "third", lambda nets, batch: {"term": nets.generator(batch.noise)}, trains=("generator",)
            ),
            "a float": Player("third", lambda nets, batch: {"term": 1.0}, trains=("generator",)),  # type: ignore[dict-item]
            "a path": Player("a/path", generator.loss, trains=("generator",)),
            "nothing moved": Player("third", lambda nets, batch: {"term": batch.image.mean()}, trains=("generator",)),
        }
        return generator, discriminator, wrong[self.mistake]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("unknown network", "trains 'nobody', which is no network"),
        ("no parameters", "have no parameters that can move"),
        ("same name", "each of its own name"),
        ("never", "must be 1 or more"),
        ("unknown optimizer", "shares the optimizer of 'nobody'"),
        ("others' optimizer", "moves other networks"),
        ("no scalar", "expected one number"),
        ("a float", "expected a tensor"),
        ("a path", "expected letters, digits and '_'"),
        ("nothing moved", "do not depend on what it moves"),
    ],
)
def test_players_that_cannot_play_are_refused_by_name(mistake: str, message: str) -> None:
    with pytest.raises(ganzoo.ContractError, match=message):
        engine_after(1, Speed.plain(), Wrong(mistake=mistake))


def test_no_player_of_a_run_is_lost_to_another_of_its_name() -> None:
    options = resolve(Wrong, {"mistake": "same name"})
    with pytest.raises(ganzoo.ContractError, match=r"it gives \['generator', 'discriminator', 'generator'\]"):
        options.players()


def test_a_player_moves_on_every_nth_iteration() -> None:
    gan = dcgan(n_critic=3)
    engine, data = Engine(gan, gan.build(SPEC), speed=Speed.plain()), batches()
    terms = [set(engine.step(data[iteration])) for iteration in range(6)]
    assert ["generator/adversarial" in names for names in terms] == [False, False, True, False, False, True]
    assert all("discriminator/adversarial" in names for names in terms)


def test_loss_terms_are_logged_by_player_and_detached() -> None:
    gan = zoo().gan("wgan-gp").model_validate({"n_critic": 1})
    losses = Engine(gan, gan.build(SPEC), speed=Speed.plain()).step(batches()[0])
    assert list(losses) == ["generator/adversarial", "discriminator/adversarial", "discriminator/gradient_penalty"]
    assert not any(value.requires_grad for value in losses.values())


def test_sampling_uses_no_dropout_and_running_statistics() -> None:
    engine = engine_after(2, Speed.plain())
    once, twice = engine.sample(batches()[0]), engine.sample(batches()[0])
    assert torch.equal(once, twice)
    torch.testing.assert_close(engine.sample(batches()[0]), once)
    assert engine.nets.generator.training
    assert F.mse_loss(engine.nets.generator(batches()[0].noise), once) > 0


class Outputs(NamedTuple):
    """What a discriminator with two answers may give."""

    logits: Tensor
    classes: Tensor


def test_bf16_leaves_every_kind_of_output_as_it_was_but_float32() -> None:
    class Two(nn.Linear):
        """Gives a named tuple, in a list, in a dictionary."""

        def forward(self, input: Tensor) -> Any:  # noqa: A002 - torch's name for it
            answer = super().forward(input)
            return {"answers": [Outputs(answer, answer.argmax(1))]}

    nets = Networks(two=Two(4, 3))
    Speed(device="cpu", precision="bf16").apply(nets, torch.device("cpu"))
    outputs = nets.two(torch.ones(2, 4))["answers"][0]
    assert isinstance(outputs, Outputs)
    assert outputs.logits.dtype == torch.float32
    assert outputs.classes.dtype == torch.int64


def test_a_copy_of_a_bf16_network_computes_with_its_own_weights() -> None:
    engine = engine_after(1, Speed(device="cpu", precision="bf16"))
    copied = copy.deepcopy(engine.nets)
    for weight in copied.generator.parameters():
        nn.init.zeros_(weight)
    assert copied.generator(batches()[0].noise).abs().max() == 0
    assert engine.nets.generator(batches()[0].noise).abs().max() > 0


def test_bf16_leaves_alone_what_has_no_weights() -> None:
    nets = Networks(flat=nn.Flatten(), two=nn.Linear(4, 3))
    Speed(device="cpu", precision="bf16").apply(nets, torch.device("cpu"))
    assert nets.two(nets.flat(torch.ones(2, 2, 2))).shape == (2, 3)


def test_networks_of_a_bf16_engine_compute_in_float32_for_the_next_one_that_says_so() -> None:
    first = engine_after(1, Speed(device="cpu", precision="bf16"))
    plain = dcgan().networks(SPEC)
    plain.load_state_dict(first.nets.state_dict())
    noise = batches()[0].noise
    second = Engine(first.gan, first.nets, speed=Speed.plain())
    reference = Engine(first.gan, plain, speed=Speed.plain())
    with second.evaluating(), reference.evaluating():
        torch.testing.assert_close(second.nets.generator(noise), reference.nets.generator(noise), rtol=0, atol=1e-5)


def test_networks_that_were_trained_can_be_trained_by_another_engine() -> None:
    first = engine_after(1, Speed.plain())
    assert all(weight.requires_grad for weight in first.nets.parameters())
    second = Engine(first.gan, first.nets, speed=Speed.plain())
    assert [len(weights) for weights in second.weights.values()] == [len(weights) for weights in first.weights.values()]


def test_a_frozen_part_of_a_trained_network_stays_in_evaluation_mode() -> None:
    gan = dcgan()
    nets = gan.networks(SPEC)
    frozen = next(module for module in nets.discriminator.modules() if isinstance(module, nn.BatchNorm2d))
    frozen.requires_grad_(False)
    engine = Engine(gan, nets, speed=Speed.plain())
    engine.step(batches()[0])
    engine.sample(batches()[0])
    assert not frozen.training
    assert not any(weight.requires_grad for weight in frozen.parameters())
    assert engine.nets.discriminator.training


def test_a_generator_that_draws_noise_of_its_own_gives_the_same_samples_for_the_same_weights() -> None:
    class Noisy(type(dcgan())):  # type: ignore[misc]  # the class is only known to the registry
        """Adds noise to its fakes."""

        def generate(self, nets: Networks, batch: Batch) -> Batch:
            batch = super().generate(nets, batch)
            return batch.replace(fake=batch.fake + torch.randn_like(batch.fake))

    gan = Noisy()
    engine = Engine(gan, gan.build(SPEC), speed=Speed.plain())
    assert torch.equal(engine.sample(batches()[0]), engine.sample(batches()[0]))


def test_everyone_moves_when_asked() -> None:
    gan = dcgan(n_critic=5)
    engine = Engine(gan, gan.build(SPEC), speed=Speed.plain())
    assert set(engine.step(batches()[0], everyone=True)) == {"generator/adversarial", "discriminator/adversarial"}
