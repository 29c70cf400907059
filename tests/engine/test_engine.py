"""The engine against a loop written by hand, and what it asks of players."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from engines import BATCH, LATENT, SHAPE, SPEC, batches, dcgan, engine_after
from torch import Tensor, nn
from torch.nn import functional as F

import ganzoo
from ganzoo import Batch, DataSpec, Engine, Losses, Networks, PerformanceOptions, Player
from ganzoo.blocks import StridedDiscriminator, UpsampleGenerator
from ganzoo.engine.cuda_graphs import CUDAGraphCache
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.testing.cpu_recorder import CPURecorder


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

    chapter = dcgan(
        architecture="chapter", optimizer={"kind": "adam", "lr": 1e-3, "betas": (0.9, 0.999)}, initialization="torch"
    )
    nets = engine_after(20, PerformanceOptions.plain(), chapter).nets
    assert difference(nets.generator, generator) == 0.0
    assert difference(nets.discriminator, discriminator) == 0.0


def test_weights_are_the_same_with_samples_every_iteration_and_with_none() -> None:
    without, with_samples = (
        engine_after(6, PerformanceOptions.plain()),
        engine_after(6, PerformanceOptions.plain(), sample_every=1),
    )
    assert difference(without.nets, with_samples.nets) == 0.0


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
        engine_after(1, PerformanceOptions.plain().model_copy(update={"fused": fused}), Stale())


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
    engine = Engine(gan, gan.build(SPEC), speed=PerformanceOptions.plain())
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
            "no time": Player("third", generator.loss, trains=("generator",), after=3, until=3),
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
        ("no time", "moves after 3 and until 3 iterations"),
        ("nothing moved", "do not depend on what it moves"),
    ],
)
def test_players_that_cannot_play_are_refused_by_name(mistake: str, message: str) -> None:
    with pytest.raises(ganzoo.ContractError, match=message):
        engine_after(1, PerformanceOptions.plain(), Wrong(mistake=mistake))


def test_no_player_of_a_run_is_lost_to_another_of_its_name() -> None:
    options = resolve(Wrong, {"mistake": "same name"})
    with pytest.raises(ganzoo.ContractError, match=r"it gives \['generator', 'discriminator', 'generator'\]"):
        options.players()


def test_a_player_moves_on_every_nth_iteration() -> None:
    gan = dcgan(n_critic=3)
    engine, data = Engine(gan, gan.build(SPEC), speed=PerformanceOptions.plain()), batches()
    terms = [set(engine.step(data[iteration])) for iteration in range(6)]
    assert ["generator/adversarial" in names for names in terms] == [False, False, True, False, False, True]
    assert all("discriminator/adversarial" in names for names in terms)


class Warmed(type(dcgan())):  # type: ignore[misc]  # the class is only known to the registry
    """Its generator imitates means for three iterations; then both play, the discriminator on every second one."""

    name = "warmed"

    def players(self) -> Sequence[Player]:
        def means(nets: Networks, batch: Batch) -> Losses:
            return {"means": F.mse_loss(batch.fake.mean(0), batch.image.mean(0))}

        generator, discriminator = super().players()
        return (
            Player("warm_up", means, trains=("generator",), optimizer="generator", until=3),
            replace(generator, after=3),
            replace(discriminator, after=3, every=2),
        )


def warmed(speed: PerformanceOptions | None = None) -> Engine:
    torch.manual_seed(0)
    gan = Warmed()
    return Engine(gan, gan.build(SPEC), speed=speed or PerformanceOptions.plain())


def test_players_may_begin_late_and_end_early() -> None:
    engine, data = warmed(), batches()
    assert engine.phases == [0, 3]
    judged = copy.deepcopy(engine.nets.discriminator.state_dict())
    moved = [{name.partition("/")[0] for name in engine.step(data[iteration])} for iteration in range(3)]
    assert moved == [{"warm_up"}] * 3
    # It was not even run: running means would show it.
    for name, value in engine.nets.discriminator.state_dict().items():
        assert torch.equal(value, judged[name]), name
    moved = [{name.partition("/")[0] for name in engine.step(data[iteration])} for iteration in range(3, 6)]
    assert moved == [{"generator", "discriminator"}, {"generator"}, {"generator", "discriminator"}]
    assert list(engine.optimizers) == ["generator", "discriminator"], "one optimizer trains the generator throughout"
    assert engine.optimizers.state()["generator/0/step"] == 6


def test_a_run_taken_up_between_two_phases_goes_on_in_the_next() -> None:
    first, second, data = warmed(), warmed(), batches()
    for iteration in range(3):
        first.step(data[iteration])
    second.nets.load_state_dict(first.nets.state_dict())
    second.load_optimizer_state({name: value.clone() for name, value in first.optimizers.state().items()})
    second.iteration = first.iteration
    for engine in (first, second):
        torch.manual_seed(1)  # of dropout
        for iteration in range(3, 5):
            engine.step(data[iteration])
    assert difference(first.nets, second.nets) == 0.0


def test_iterations_of_every_phase_are_recorded_and_replayed_alike() -> None:
    ended = []
    for recorder in (None, CPURecorder()):
        engine, data = warmed(PerformanceOptions(device="cpu", precision="fp32")), batches()
        engine.graphs = CUDAGraphCache(recorder, engine.device, engine.state) if recorder else None
        torch.manual_seed(1)
        for iteration in range(3):
            for start in engine.phases:
                for number in range(engine.cycle):
                    engine.iteration = start + number
                    engine.step(data[iteration])
        ended.append(engine)
    assert ended[1].graphs is not None
    assert not ended[1].graphs.refusal
    assert difference(ended[0].nets, ended[1].nets) == 0.0


@pytest.mark.parametrize(("iterations", "said"), [(None, False), (4, False), (3, True)])
def test_a_player_that_would_begin_after_the_end_is_warned_of(
    iterations: int | None, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    gan = Warmed()
    Engine(gan, gan.build(SPEC), speed=PerformanceOptions.plain(), iterations=iterations)
    assert ("the player 'discriminator' begins after 3 iterations, and the whole run has 3" in caplog.text) == said


def test_players_that_all_come_to_an_end_are_refused() -> None:
    gan = dcgan()
    players = [replace(player, until=3) for player in gan.players()]
    with pytest.raises(ganzoo.ContractError, match="every player comes to an end"):
        Engine(gan, gan.build(SPEC), players, speed=PerformanceOptions.plain())


def test_loss_terms_are_logged_by_player_and_detached() -> None:
    gan = zoo().gan("wgan-gp").model_validate({"n_critic": 1})
    losses = Engine(gan, gan.build(SPEC), speed=PerformanceOptions.plain()).step(batches()[0])
    assert list(losses) == ["generator/adversarial", "discriminator/adversarial", "discriminator/gradient_penalty"]
    assert not any(value.requires_grad for value in losses.values())


def test_sampling_uses_no_dropout_and_running_statistics() -> None:
    engine = engine_after(2, PerformanceOptions.plain())
    once, twice = engine.sample(batches()[0]), engine.sample(batches()[0])
    assert torch.equal(once, twice)
    torch.testing.assert_close(engine.sample(batches()[0]), once)
    assert engine.nets.generator.training
    assert F.mse_loss(engine.nets.generator(batches()[0].noise), once) > 0


def test_networks_that_were_trained_can_be_trained_by_another_engine() -> None:
    first = engine_after(1, PerformanceOptions.plain())
    assert all(weight.requires_grad for weight in first.nets.parameters())
    second = Engine(first.gan, first.nets, speed=PerformanceOptions.plain())
    assert [len(weights) for weights in second.weights.values()] == [len(weights) for weights in first.weights.values()]


def test_a_frozen_part_of_a_trained_network_stays_in_evaluation_mode() -> None:
    gan = dcgan(architecture="chapter")
    nets = gan.networks(SPEC)
    frozen = next(module for module in nets.discriminator.modules() if isinstance(module, nn.BatchNorm2d))
    frozen.requires_grad_(False)
    engine = Engine(gan, nets, speed=PerformanceOptions.plain())
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
    engine = Engine(gan, gan.build(SPEC), speed=PerformanceOptions.plain())
    assert torch.equal(engine.sample(batches()[0]), engine.sample(batches()[0]))


def test_everyone_moves_when_asked() -> None:
    gan = dcgan(n_critic=5)
    engine = Engine(gan, gan.build(SPEC), speed=PerformanceOptions.plain())
    expected = {"generator/adversarial", "discriminator/adversarial"}
    assert set(engine.step(batches()[0], everyone=True)) == expected
    assert set(warmed().step(batches()[0], everyone=True)) == expected, "those of the last phase"
