"""`--callback tensorboard`: event files in the run folder, for `tensorboard --logdir runs`."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import Field

import ganzoo
from ganzoo.callbacks import Grids, is_due

FOLDER = "tensorboard"


class TensorBoard(ganzoo.CallbackConfig):
    """Writes event files into the run folder, for `tensorboard --logdir runs`; pip install 'ganzoo[tensorboard]'."""

    kind = "tensorboard"

    grids: Grids = Field(1)

    def build(self) -> ganzoo.Callback:
        if find_spec("tensorboard") is None:
            raise ganzoo.UserError("--callback tensorboard needs a package: pip install 'ganzoo[tensorboard]'")
        return TensorBoardLogger(self)


class TensorBoardLogger(ganzoo.Callback):
    """Writes scalars, sample grids and options into RUN/tensorboard."""

    def __init__(self, config: TensorBoard) -> None:
        self.config = config

    def on_train_start(self, trainer: ganzoo.Trainer, folder: ganzoo.RunFolder) -> None:
        self.folder = folder.path / FOLDER
        self._open(trainer.start_iteration)
        options = json.dumps(trainer.options.model_dump(mode="json"), indent=4)
        indented = "\n".join(f"    {line}" for line in options.splitlines())  # code block in Markdown
        self.writer.add_text("options", indented, trainer.start_iteration)

    def _open(self, iteration: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import, and an extra

        # Readers drop earlier entries of later steps, which will be made again.
        purge = iteration + 1 if self.folder.exists() else None
        self.writer = SummaryWriter(str(self.folder), purge_step=purge)

    def on_log(self, trainer: ganzoo.Trainer, row: dict[str, float]) -> None:
        for name, value in row.items():
            if name != "iteration":
                self.writer.add_scalar(name if "/" in name else f"progress/{name}", value, trainer.engine.iteration)

    def on_sample(self, trainer: ganzoo.Trainer, file: Path) -> None:
        if is_due(trainer, self.config.grids):
            with Image.open(file) as picture:
                pixels = np.asarray(picture)
            form = "HW" if pixels.ndim == 2 else "HWC"
            self.writer.add_image("samples", pixels, trainer.engine.iteration, dataformats=form)

    def on_evaluate(self, trainer: ganzoo.Trainer, line: dict[str, Any]) -> None:
        for name, value in line["figures"].items():
            if value is not None:
                self.writer.add_scalar(f"evaluation/{name}", value, line["iteration"])
        self.writer.add_text("evaluation/protocol", json.dumps(line["protocol"]), line["iteration"])

    def on_rollback(self, trainer: ganzoo.Trainer) -> None:
        self.writer.close()
        self._open(trainer.engine.iteration)

    def teardown(self, trainer: ganzoo.Trainer, error: BaseException | None) -> None:
        self.writer.close()


@ganzoo.hookimpl
def register_callbacks(register: ganzoo.Register) -> None:
    register(TensorBoard)
