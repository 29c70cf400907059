"""What tests of loggers share: a short run, and figures that are measured as it goes by."""

import json
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

import ganzoo
from ganzoo.engine import checkpoint
from ganzoo.engine.files import append_line

OPTIONS: dict[str, Any] = {
    "image_size": 16,
    "limit": 16,
    "batch_size": 4,
    "epochs": 3,
    "log_every": 2,
    "sample_every": 3,
    "checkpoint_every": 5,
    "precision": "fp32",
}
"""12 iterations: metrics at 2, 4, 6, 8, 10, 12, grids at 3, 6, 9, 12, checkpoints at 5, 10, 12."""
PROTOCOL = {"extractor": "pixels", "samples": 8, "split": "test"}


class Stop(ganzoo.Callback):
    """Stops a run in the middle, as a crash would."""

    def __init__(self, at: int) -> None:
        self.at = at

    def iterated(self, training: ganzoo.Training) -> None:
        if training.engine.iteration == self.at:
            raise KeyboardInterrupt


class Evaluates(ganzoo.Callback):
    """Tells a logger of figures, as what evaluates does, at iterations 3 and 6."""

    def __init__(self, logger: ganzoo.Callback) -> None:
        self.logger = logger

    def started(self, training: ganzoo.Training, folder: ganzoo.RunFolder) -> None:
        self.folder = folder

    def sampled(self, training: ganzoo.Training, file: Path) -> None:
        iteration = training.engine.iteration
        if iteration <= 6:
            figures = {"fid": 60.0 / iteration, "broken": None} | ({"late": 2.5} if iteration > 3 else {})
            line = {"iteration": iteration, "when": "2026-11-23", "protocol": PROTOCOL, "figures": figures}
            append_line(self.folder.evaluations, line)
            self.logger.evaluated(training, line)


def metrics(folder: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def tensors(folder: Path) -> dict[str, Tensor]:
    """All that the last checkpoint holds."""
    last = checkpoint.checkpoints(folder / "checkpoints")[-1]
    return {
        f"{file.name}/{name}": tensor
        for file in sorted(last.glob("*.safetensors"))
        for name, tensor in safetensors.torch.load(file.read_bytes()).items()
    }
