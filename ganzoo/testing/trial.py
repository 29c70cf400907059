"""What a GAN is tried on: a run of random data, made ready as any run is, on the CPU and in float32."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzoo.config import build
from ganzoo.data.batches import seeded
from ganzoo.data.dataset import Dataset, Request, Table
from ganzoo.data.load import load
from ganzoo.data.plan import FEW
from ganzoo.data.text import encode
from ganzoo.engine.training import Training
from ganzoo.engine.training import build as build_training
from ganzoo.gan import GAN
from ganzoo.options import RunOptions

ROWS = 12
BATCH = 4
CLASSES = tuple("abcde")
CAPTION = 32
"""Bytes of a caption."""


def made_up(needs: frozenset[str]) -> Dataset:
    """A data set with all that a GAN needs, which nobody registers: what needs it again will not find it."""

    class MadeUp(Dataset):
        """Random numbers."""

        name = "made-up"
        licence = "none: nobody made it"
        provides = (needs - {FEW}) | ({"image", "label"} if FEW in needs else frozenset())
        classes = CLASSES if "label" in needs else ()
        shapes = {"label": (), "caption": (CAPTION,)}

        def load(self, request: Request) -> Table:
            rows = torch.tensor(request.rows(ROWS))
            return Table({name: _column(name, request)[rows] for name in sorted(request.fields)}, self.classes)

    return MadeUp()


def _column(name: str, request: Request) -> Tensor:
    if name == "label":
        return torch.arange(ROWS) % len(CLASSES)
    if name == "caption":
        return encode([f"number {row}" for row in range(ROWS)], CAPTION)
    pixels = torch.randint(256, (ROWS, *request.shape), generator=seeded("made up", name), dtype=torch.uint8)
    return pixels.contiguous()


def trial(gan: GAN, shape: tuple[int, int, int], **changes: Any) -> Training:
    """A run of that GAN on images of that shape, ready to begin; the same every time.

    Args:
        gan: the configuration.
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
    resolved = build(RunOptions, options | changes)
    return build_training(resolved, load(resolved, gan.needs, gan.streams, shrinks=gan.shrinks))


def rhythm(training: Training) -> Iterator[int]:
    """For each set of players that move together the first iteration that they are due in: no two are alike."""
    engine, seen = training.engine, set[tuple[str, ...]]()
    for iteration in (start + number for start in engine.phases for number in range(engine.cycle)):
        due = tuple(player.name for player in engine.players if player.is_due(iteration))
        if due not in seen:
            seen.add(due)
            yield iteration


def covering(training: Training) -> list[int]:
    """A few first iterations in which every player moves at least once: one, if all move together at some time."""
    engine, left, chosen = training.engine, {player.name for player in training.engine.players}, list[int]()
    moves = {start: {each.name for each in engine.players if each.is_due(start)} for start in rhythm(training)}
    while left and (best := max(moves, key=lambda start: len(moves[start] & left))) not in chosen:
        chosen.append(best)
        left -= moves[best]
    return sorted(chosen)
