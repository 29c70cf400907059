"""`--callback wandb`: a run on Weights & Biases, https://wandb.ai."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import Field

import ganzoo
from ganzoo.callbacks import Grids, is_due

FILE = "wandb.json"
"""File in the run folder with the ID of the W&B run."""


class WandB(ganzoo.CallbackConfig):
    """Logs to a run on Weights & Biases; pip install 'ganzoo[wandb]', then `wandb login`, or set WANDB_MODE=offline."""

    kind = "wandb"

    project: str = Field("ganzoo", min_length=1, description="name of the project")
    entity: str | None = Field(None, description="user or team that owns the project (default: your own)")
    grids: Grids = Field(1)

    def build(self) -> ganzoo.Callback:
        if find_spec("wandb") is None:
            raise ganzoo.UserError("--callback wandb needs a package: pip install 'ganzoo[wandb]'")
        import wandb

        online = wandb.setup().settings.mode not in ("offline", "disabled")
        if online and not wandb.login(prompt=False, verify=False):
            raise ganzoo.UserError(
                "--callback wandb: you are not logged in to Weights & Biases; type `wandb login`, or set "
                "WANDB_MODE=offline and send the run later, by `wandb sync`"
            )
        return WandBLogger(self)


class WandBLogger(ganzoo.Callback):
    """Logs metrics, sample grids and options; a resumed run continues the same W&B run."""

    def __init__(self, config: WandB) -> None:
        self.config = config

    def on_train_start(self, trainer: ganzoo.Trainer, folder: ganzoo.RunFolder) -> None:
        import wandb

        self.wandb = wandb
        self.run = wandb.init(
            project=self.config.project,
            entity=self.config.entity,
            name=folder.path.resolve().name,
            config=trainer.options.model_dump(mode="json"),
            dir=folder.path,
            id=self._id(folder),
            resume="allow",
            reinit="create_new",
            settings=wandb.Settings(console="off"),  # it would interfere with progress bars
        )
        # Rollbacks decrease the iteration, and W&B's steps only increase, so the iteration is a value like others.
        self.run.define_metric("iteration")
        self.run.define_metric("*", step_metric="iteration")
        kept = {"id": self.run.id, "project": self.config.project, "entity": self.config.entity, "url": self.run.url}
        folder.write(folder.path / FILE, kept)

    def _id(self, folder: ganzoo.RunFolder) -> str | None:
        """Return the ID of the W&B run to continue, or None if this project has none."""
        file = folder.path / FILE
        kept = folder.read(file) if file.is_file() else {}
        same = kept.get("project") == self.config.project and kept.get("entity") == self.config.entity
        return str(kept["id"]) if same and re.fullmatch(r"[\w-]{1,64}", str(kept.get("id"))) else None

    def on_log(self, trainer: ganzoo.Trainer, row: dict[str, float]) -> None:
        self.run.log(row)

    def on_sample(self, trainer: ganzoo.Trainer, file: Path) -> None:
        if is_due(trainer, self.config.grids):
            with Image.open(file) as picture:
                self.run.log({"iteration": trainer.engine.iteration, "samples": self.wandb.Image(picture)})

    def on_evaluate(self, trainer: ganzoo.Trainer, line: dict[str, Any]) -> None:
        figures = {f"evaluation/{name}": value for name, value in line["figures"].items() if value is not None}
        self.run.log({"iteration": line["iteration"], **figures})
        self.run.summary["evaluation/protocol"] = line["protocol"]

    def teardown(self, trainer: ganzoo.Trainer, error: BaseException | None) -> None:
        self.run.finish(exit_code=0 if error is None else 1)


@ganzoo.hookimpl
def register_callbacks(register: ganzoo.Register) -> None:
    register(WandB)
