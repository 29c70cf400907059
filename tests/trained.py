"""What tests of training share: a toy and a short run, how it is stopped or started elsewhere, and what it left."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
from pydantic import Field
from torch import Tensor, nn

import ganzoo
from ganzoo.blocks import COMPACT_RECIPES
from ganzoo.runs import checkpoint

TINY: dict[str, Any] = {
    "image_size": 16,
    "limit": 16,
    "batch_size": 4,
    "log_every": 2,
    "sample_every": 3,
    "checkpoint_every": 5,
}
"""Four iterations an epoch."""


class Painter(ganzoo.Generator):
    """Two layers, with BatchNorm between them."""

    def __init__(self, latent_dim: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(latent_dim, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2))
        self.layers.extend([nn.Linear(8, math.prod(shape)), nn.Tanh(), nn.Unflatten(1, shape)])

    def forward(self, noise: Tensor) -> Tensor:
        return self.layers(noise)


class Critic(ganzoo.Discriminator):
    """Two layers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class Toy(ganzoo.Adversarial):
    """A GAN for tests of all but GANs: options of a run as DCGAN has them, and a tenth of its time."""

    name = "toy"
    recipes = COMPACT_RECIPES
    latent_dim: int = Field(64, gt=0, description="length of the noise")

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(generator=Painter(self.latent_dim, data.shape), discriminator=Critic(data.shape))


class Stop(ganzoo.Callback):
    """Stops a run in the middle, as a crash would."""

    def __init__(self, at: int) -> None:
        self.at = at

    def on_step_end(self, trainer: ganzoo.Trainer) -> None:
        if trainer.engine.iteration == self.at:
            raise KeyboardInterrupt


class Send(ganzoo.Callback):
    """Sends this process signals in the middle of a run; SIGTERM asks it to stop."""

    def __init__(self, at: int, *numbers: int) -> None:
        self.at, self.numbers = at, numbers

    def on_step_end(self, trainer: ganzoo.Trainer) -> None:
        if trainer.engine.iteration == self.at:
            for number in self.numbers:
                os.kill(os.getpid(), number)


@contextmanager
def started(*words: str) -> Iterator["subprocess.Popen[str]"]:
    """`ganzoo WORDS` in a process of its own, which does not outlive the block."""
    command = [sys.executable, "-m", "ganzoo", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def tensors(folder: Path) -> dict[str, Tensor]:
    """All that the last checkpoint holds."""
    last = checkpoint.checkpoints(folder / "checkpoints")[-1]
    return {
        f"{file.name}/{name}": tensor
        for file in sorted(last.glob("*.safetensors"))
        for name, tensor in safetensors.torch.load(file.read_bytes()).items()
    }


def rows(folder: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
