"""What only a GPU can show: captured iterations are the eager ones, none waits, and data is where it is used."""

from pathlib import Path

import pytest
import torch
from families import FAMILIES
from toys import BATCH, SIZE, ToyData

import ganzoo
from ganzoo import Engine, Losses, PerformanceOptions
from ganzoo.data.in_memory import InMemoryLoader
from ganzoo.data.load import DataOptions, load
from ganzoo.engine.cuda_graphs import WARM_UP
from ganzoo.errors import OutOfMemory
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.training.run import dry_run

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

GANS = [*FAMILIES, *(gan() for gan in zoo().gans.values())]
EACH = pytest.mark.parametrize("gan", GANS, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")


def toy_batches(gan: ganzoo.GAN) -> tuple[InMemoryLoader, ganzoo.DataSpec]:
    """Batches on the GPU, and what the networks must know of them."""
    size = SIZE if gan in FAMILIES else 32
    options = DataOptions(data=ToyData(unpaired=bool(gan.streams)), image_size=(size, size), batch_size=BATCH)
    data = load(options, gan.needs, gan.streams)
    return InMemoryLoader(
        data.streams, BATCH, gan.noise_shape(), device=PerformanceOptions(device="cuda").resolve_device()
    ), data.spec


def trained(gan: ganzoo.GAN, speed: PerformanceOptions, *, samples: bool = False) -> tuple[Engine, list[Losses]]:
    """An engine that has recorded all it can and replayed it twice, and the losses of every iteration."""
    torch.manual_seed(0)
    batches, spec = toy_batches(gan)
    engine = Engine(gan, gan.build(spec), speed=speed, collate=batches.collate)
    rows = []
    for iteration in range((WARM_UP + 3) * engine.cycle):
        rows.append(engine.step(batches.draw(iteration)))
        if samples:
            engine.sample(batches[0])
    return engine, rows


@EACH
def test_a_captured_run_is_the_eager_one(gan: ganzoo.GAN) -> None:
    runs = [
        trained(gan, PerformanceOptions(device="cuda", precision="fp32", graphs=graphs)) for graphs in (False, True)
    ]
    (_, expected), (engine, found) = runs
    assert engine.graphs is not None
    assert not engine.graphs.refusal
    rhythm = [player.every for player in engine.players]
    sets = {tuple(n % every == 0 for every in rhythm) for n in range(1, engine.cycle + 1)}
    assert len(engine.graphs._recordings) == len(sets)
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)


@EACH
def test_no_iteration_waits_for_the_gpu(gan: ganzoo.GAN) -> None:
    engine, _ = trained(gan, PerformanceOptions(device="cuda"))
    batches, _ = toy_batches(gan)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for iteration in range(engine.iteration, engine.iteration + 5):
            engine.step(batches.draw(iteration))
    finally:
        torch.cuda.set_sync_debug_mode("default")


class Impatient(ganzoo.Adversarial):
    """Looks at a number in the middle of an iteration."""

    name = "impatient"

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return zoo().gan("wgan-gp")().networks(data)

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Losses:
        losses = super().generator_loss(nets, batch)
        return losses if losses["adversarial"].item() < 1e6 else {}


def test_an_iteration_that_waits_is_made_as_usual_and_the_line_is_named() -> None:
    engine, losses = trained(Impatient(), PerformanceOptions(device="cuda", precision="fp32"))
    assert engine.graphs is not None
    assert "test_cuda.py waits for the GPU" in engine.graphs.refusal
    assert all(torch.isfinite(value) for row in losses for value in row.values())


class Breaking(ganzoo.Adversarial):
    """Does what a capture forbids and no warning tells of: it waits while, and only while, it is captured."""

    name = "breaking"

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return zoo().gan("dcgan")().networks(data)

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Losses:
        if torch.cuda.is_current_stream_capturing():
            torch.cuda.synchronize()
        return super().generator_loss(nets, batch)


def test_training_goes_on_after_a_capture_that_broke_off_dropout_and_all() -> None:
    engine, losses = trained(Breaking(), PerformanceOptions(device="cuda", precision="fp32"))
    assert engine.graphs is not None
    assert engine.graphs.refusal
    _, expected = trained(Breaking(), PerformanceOptions(device="cuda", precision="fp32", graphs=False))
    torch.testing.assert_close(losses, expected, rtol=2e-3, atol=2e-3)
    held = torch.cuda.memory_reserved()
    batches, _ = toy_batches(Breaking())
    for iteration in range(50):
        engine.step(batches.draw(iteration))
    assert torch.cuda.memory_reserved() <= held + 2**26


def test_an_engine_that_takes_up_a_state_records_anew_and_goes_on_alike() -> None:
    gan, speed = zoo().gan("dcgan")(), PerformanceOptions(device="cuda", precision="fp32")
    (one, _), (other, _) = trained(gan, speed), trained(gan, speed)
    other.nets.load_state_dict({name: value.cpu() for name, value in one.nets.state_dict().items()})
    other.load_optimizer_state({name: value.cpu() for name, value in one.optimizers.state().items()})
    assert other.graphs is not None
    assert not other.graphs._recordings
    batches, _ = toy_batches(gan)
    rows: list[list[Losses]] = []
    for engine in (one, other):
        torch.manual_seed(3)
        rows.append([engine.step(batches.draw(iteration)) for iteration in range(WARM_UP + 4)])
    assert other.graphs._recordings
    torch.testing.assert_close(rows[1], rows[0], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", sorted(zoo().gans))
@pytest.mark.filterwarnings("default")  # the compiler's own
def test_compiled_networks_are_captured(name: str) -> None:
    gan = zoo().gan(name)()
    engine, losses = trained(gan, PerformanceOptions(device="cuda", compile=True))
    assert engine.graphs is not None
    assert not engine.graphs.refusal
    assert all(torch.isfinite(value) for row in losses for value in row.values())


def test_samples_between_replays_change_nothing() -> None:
    (_, expected), (_, found) = (
        trained(zoo().gan("dcgan")(), PerformanceOptions(device="cuda", precision="fp32"), samples=samples)
        for samples in (False, True)
    )
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)


def test_data_too_large_for_the_device_stays_with_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8)
    near = InMemoryLoader([{"image": images}], 8, (4,), device="cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 1000))
    far = InMemoryLoader([{"image": images}], 8, (4,), device="cuda")
    assert (near.on_device, far.on_device) == (True, False)
    for iteration in range(10):
        for field, value in near[iteration].items():
            assert torch.equal(value, far[iteration][field])
            assert value.is_cuda


@pytest.mark.parametrize("name", ["dcgan", "wgan-gp"])
def test_a_gpus_largest_batch_is_found_and_fits(name: str, data_folder: Path) -> None:
    free, _ = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(min(1.0, 4 * 2**30 / free))
    try:
        options = resolve(zoo().gan(name), {"device": "cuda", "batch_size": 30_000, "image_size": "64"})
        with pytest.raises(OutOfMemory, match="the largest batch that fits is about") as error:
            dry_run(options, data_dir=data_folder)
        fits = int(str(error.value).rpartition(" ")[2])
        assert dry_run(options.model_copy(update={"batch_size": fits}), data_dir=data_folder).images_per_second > 0
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
