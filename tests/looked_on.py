"""What tests of loggers share: a short run, and figures that are measured as it goes by."""

from pathlib import Path
from typing import Any

from trained import TINY

import ganzoo
from ganzoo.files import append_line

OPTIONS: dict[str, Any] = {**TINY, "epochs": 3, "precision": "fp32"}
"""12 iterations: metrics at 2, 4, 6, 8, 10, 12, grids at 3, 6, 9, 12, checkpoints at 5, 10, 12."""
PROTOCOL = {"extractor": "pixels", "samples": 8, "split": "test"}


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
