"""bf16 changes the numbers, so what it must not change is what is learnt: shown on digits, against float32."""

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo import DataSpec, Engine, Networks, PerformanceOptions
from ganzoo.data.in_memory import InMemoryLoader, fixed_latents, to_float
from ganzoo.data.load import Data, DataOptions, load
from ganzoo.metrics.sets import FrechetDistance

pytestmark = pytest.mark.learns

SIZE, LATENT, BATCH, ITERATIONS = 8, 16, 64, 150


class SmallGAN(ganzoo.Adversarial):
    """Two fully connected networks: small enough for a processor that must imitate bf16."""

    name = "small"
    latent_dim: int = LATENT
    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=2e-3, betas=(0.5, 0.999))

    def networks(self, data: DataSpec) -> Networks:
        generator = nn.Sequential(
            nn.Linear(LATENT, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, SIZE * SIZE), nn.Tanh()
        )
        return Networks(
            generator=nn.Sequential(*generator, nn.Unflatten(1, data.shape)),
            discriminator=nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)),
        )


@pytest.fixture(scope="module")
def digits() -> Data:
    options = DataOptions.model_validate({"data": "mnist", "image_size": SIZE, "batch_size": BATCH})
    return load(options, frozenset({"image"}))


def distance_after(iterations: int, precision: str, seed: int, digits: Data) -> float:
    gan = SmallGAN()
    torch.manual_seed(seed)
    batches = InMemoryLoader(digits.streams, BATCH, gan.noise_shape(), seed)
    speed = PerformanceOptions.plain().model_copy(update={"precision": precision, "fused": True})
    engine = Engine(gan, gan.build(digits.spec), speed=speed, collate=batches.collate)
    for iteration in range(iterations):
        engine.step(batches.draw(iteration))
    fakes = engine.sample(ganzoo.Batch(noise=fixed_latents(2000, (LATENT,), 1), step=torch.tensor(0)))
    real = to_float(digits.streams[0]["image"][:5000])
    return FrechetDistance().measure(real.flatten(1), fakes.flatten(1))


def test_bf16_learns_as_well_as_float32(digits: Data) -> None:
    untrained = distance_after(0, "fp32", 0, digits)
    found = {
        precision: sorted(distance_after(ITERATIONS, precision, seed, digits) for seed in range(3))
        for precision in ("fp32", "bf16")
    }
    assert found["fp32"][1] < untrained / 3, (untrained, found)
    assert found["bf16"][1] <= 1.25 * found["fp32"][-1], (untrained, found)
