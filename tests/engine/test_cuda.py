"""What only a GPU can show: captured iterations are the eager ones, none waits, and data is where it is used."""

import math

import pytest
import torch
from test_families import BATCH, FAMILIES, SIZE, ToyData

import ganzoo
from ganzoo import Engine, Losses, Speed
from ganzoo.data.batches import Batches
from ganzoo.data.load import DataOptions, load
from ganzoo.engine.graph import WARM_UP
from ganzoo.engine.run import dry_run
from ganzoo.errors import OutOfMemory
from ganzoo.options import resolve
from ganzoo.plugins import zoo

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

GANS = [*FAMILIES, *(gan() for gan in zoo().gans.values())]
EACH = pytest.mark.parametrize("gan", GANS, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")


def toy_batches(gan: ganzoo.GAN) -> tuple[Batches, ganzoo.DataSpec]:
    """Batches on the GPU, and what the networks must know of them."""
    size = SIZE if gan in FAMILIES else 32
    options = DataOptions(data=ToyData(unpaired=bool(gan.streams)), image_size=(size, size), batch_size=BATCH)
    data = load(options, gan.needs, gan.streams)
    return Batches(data.streams, BATCH, gan.noise_shape(), device=Speed(device="cuda").place()), data.spec


def trained(gan: ganzoo.GAN, speed: Speed, *, samples: bool = False) -> tuple[Engine, list[Losses]]:
    """An engine that has recorded all it can and replayed it twice, and the losses of every iteration."""
    torch.manual_seed(0)
    batches, spec = toy_batches(gan)
    engine = Engine(gan, gan.networks(spec), speed=speed, assemble=batches.assemble)
    cycle, rows = math.lcm(*(player.every for player in engine.players)), []
    for iteration in range((WARM_UP + 2) * cycle):
        rows.append(engine.step(batches.draw(iteration)))
        if samples:
            engine.sample(batches[0])
    return engine, rows


@EACH
def test_a_captured_run_is_the_eager_one(gan: ganzoo.GAN) -> None:
    runs = [trained(gan, Speed(device="cuda", precision="fp32", graphs=graphs)) for graphs in (False, True)]
    (_, expected), (engine, found) = runs
    assert engine.graphs is not None
    assert not engine.graphs.refusal
    assert engine.graphs._recordings
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)


@EACH
def test_no_iteration_waits_for_the_gpu(gan: ganzoo.GAN) -> None:
    engine, _ = trained(gan, Speed(device="cuda"))
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
    engine, losses = trained(Impatient(), Speed(device="cuda", precision="fp32"))
    assert engine.graphs is not None
    assert "test_cuda.py waits for the GPU" in engine.graphs.refusal
    assert all(torch.isfinite(value) for row in losses for value in row.values())


def test_samples_between_replays_change_nothing() -> None:
    (_, expected), (_, found) = (
        trained(zoo().gan("dcgan")(), Speed(device="cuda", precision="fp32"), samples=samples)
        for samples in (False, True)
    )
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)


def test_data_too_large_for_the_device_stays_with_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8)
    near = Batches([{"image": images}], 8, (4,), device="cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 1000))
    far = Batches([{"image": images}], 8, (4,), device="cuda")
    assert (near.on_device, far.on_device) == (True, False)
    for iteration in range(10):
        for field, value in near[iteration].items():
            assert torch.equal(value, far[iteration][field])
            assert value.is_cuda


def test_a_gpus_largest_batch_is_found() -> None:
    free, _ = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(min(1.0, 4 * 2**30 / free))
    try:
        with pytest.raises(OutOfMemory, match=r"the largest batch that fits is about \d+: --batch-size"):
            dry_run(resolve(zoo().gan("dcgan"), {"device": "cuda", "batch_size": 30_000, "image_size": "64"}))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
