"""Trial runs of GANs for checks: random data, on the CPU and in float32."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzoo.base.rng import seeded
from ganzoo.config import validate
from ganzoo.contract.gan import GAN
from ganzoo.data.dataset import DataRequest, Dataset, InMemoryData
from ganzoo.data.load import load
from ganzoo.data.plan import FEW
from ganzoo.data.text import encode
from ganzoo.options.run import RunOptions
from ganzoo.training.trainer import Trainer

ROWS = 12
BATCH = 4
CLASSES = tuple("abcde")
CAPTION = 32
"""Bytes per caption."""


def made_up(needs: frozenset[str]) -> Dataset:
    """Return an unregistered data set of random rows with all fields that a GAN needs."""

    class MadeUp(Dataset):
        """Random numbers."""

        name = "made-up"
        licence = "none: nobody made it"
        provides = (needs - {FEW}) | ({"image", "label"} if FEW in needs else frozenset())
        classes = CLASSES if "label" in needs else ()
        shapes = {"label": (), "caption": (CAPTION,)}

        def load(self, request: DataRequest) -> InMemoryData:
            rows = torch.tensor(request.rows(ROWS))
            return InMemoryData({name: _column(name, request)[rows] for name in sorted(request.fields)}, self.classes)

    return MadeUp()


def _column(name: str, request: DataRequest) -> Tensor:
    if name == "label":
        return torch.arange(ROWS) % len(CLASSES)
    if name == "caption":
        return encode([f"number {row}" for row in range(ROWS)], CAPTION)
    pixels = torch.randint(256, (ROWS, *request.shape), generator=seeded("made up", name), dtype=torch.uint8)
    return pixels.contiguous()


def trial(gan: GAN, shape: tuple[int, int, int], **changes: Any) -> Trainer:
    """Set up a run of a GAN on images of this shape, the same every time.

    Args:
        gan: configuration of the GAN.
        shape: channels, height and width.
        changes: options of the run.
    """
    options = {
        "gan": gan,
        "data": made_up(gan.needs),
        "image_size": shape[1:],
        "channels": shape[0],
        "batch_size": BATCH,
        "workers": 0,
        "device": "cpu",
        "precision": "fp32",
        "keep_memory": False,
    }
    resolved = validate(RunOptions, options | changes)
    return Trainer.build(resolved, load(resolved, gan.needs, gan.streams, scale_factor=gan.scale_factor))


def rhythm(trainer: Trainer) -> Iterator[int]:
    """Yield the first iteration of each set of players that move together."""
    engine, seen = trainer.engine, set[tuple[str, ...]]()
    for iteration in (start + number for start in engine.phases for number in range(engine.cycle)):
        due = tuple(player.name for player in engine.players if player.is_due(iteration))
        if due not in seen:
            seen.add(due)
            yield iteration


def covering(trainer: Trainer) -> list[int]:
    """A few first iterations in which every player moves at least once: one, if all move together at some time."""
    engine, left, chosen = trainer.engine, {player.name for player in trainer.engine.players}, list[int]()
    moves = {start: {each.name for each in engine.players if each.is_due(start)} for start in rhythm(trainer)}
    while left and (best := max(moves, key=lambda start: len(moves[start] & left))) not in chosen:
        chosen.append(best)
        left -= moves[best]
    return sorted(chosen)
