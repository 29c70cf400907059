"""Engines that have made some iterations of a small dcgan, and the batches that they saw."""

import torch

import ganzoo
from ganzoo import DataSpec, Engine, PerformanceOptions
from ganzoo.data.in_memory import InMemoryLoader
from ganzoo.plugins import zoo

SHAPE = (1, 16, 16)
SPEC = DataSpec(dataset="random", shapes={"image": SHAPE})
BATCH, LATENT = 8, 64


def batches(seed: int = 0) -> InMemoryLoader:
    images = torch.randint(256, (64, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(7))
    return InMemoryLoader([{"image": images}], BATCH, (LATENT,), seed)


def dcgan(**fields: object) -> ganzoo.GAN:
    return zoo().gan("dcgan").model_validate(fields)


def engine_after(
    iterations: int,
    speed: PerformanceOptions,
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
