"""What tests of training share: a short run, how it is stopped in the middle or started elsewhere, and what it left."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

import ganzoo
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
