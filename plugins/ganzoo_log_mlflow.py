"""`--callback mlflow`: a run in MLflow, on a server or in a local database, according to MLFLOW_TRACKING_URI."""

import re
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import Field

import ganzoo
from ganzoo.callbacks import Grids, is_due

FILE = "mlflow.json"
"""File in the run folder with the ID of the MLflow run."""
MOST = 100
"""Largest number of parameters per request to MLflow."""
LONGEST = 6000
"""Largest number of characters in a parameter."""


class MLflow(ganzoo.CallbackConfig):
    """Logs to a run in MLflow, according to MLFLOW_TRACKING_URI; pip install 'ganzoo[mlflow]'."""

    kind = "mlflow"

    experiment: str = Field("ganzoo", min_length=1, description="name of the experiment")
    grids: Grids = Field(1)

    def build(self) -> ganzoo.Callback:
        if find_spec("mlflow") is None:
            raise ganzoo.UserError("--callback mlflow needs a package: pip install 'ganzoo[mlflow]'")
        return MLflowLogger(self)


class MLflowLogger(ganzoo.Callback):
    """Logs metrics, sample grids and options; a resumed run continues the same MLflow run.

    Requests are synchronous, regardless of MLFLOW_ENABLE_ASYNC_LOGGING: MLflow can flush only the run of
    `mlflow.start_run()`, and would start one.
    """

    def __init__(self, config: MLflow) -> None:
        self.config = config

    def on_train_start(self, trainer: ganzoo.Trainer, folder: ganzoo.RunFolder) -> None:
        import mlflow

        self.mlflow, self.client = mlflow, mlflow.MlflowClient()
        found = self.client.get_experiment_by_name(self.config.experiment)
        experiment = found.experiment_id if found else self.client.create_experiment(self.config.experiment)
        self.run_id = self._begun(folder, experiment)
        if self.run_id:
            self.client.update_run(self.run_id, status="RUNNING")
        else:
            self.run_id = self._new(trainer, folder, experiment)
        # Parameters are immutable, and a resumed run may have new options: this file has the current ones.
        self.client.log_dict(self.run_id, trainer.options.model_dump(mode="json"), "config.json")

    def _begun(self, folder: ganzoo.RunFolder, experiment: str) -> str:
        """Return the ID of the MLflow run to continue, if this experiment has it, or an empty string."""
        file = folder.path / FILE
        kept = str(folder.read(file).get("run_id")) if file.is_file() else ""
        if not re.fullmatch(r"\w{1,64}", kept):
            return ""
        try:
            same = self.client.get_run(kept).info.experiment_id == experiment
        except self.mlflow.exceptions.MlflowException:  # in another store
            return ""
        return kept if same else ""

    def _new(self, trainer: ganzoo.Trainer, folder: ganzoo.RunFolder, experiment: str) -> str:
        run_id: str = self.client.create_run(experiment, run_name=folder.path.resolve().name).info.run_id
        values = trainer.options.flat().items()
        options = [self.mlflow.entities.Param(name, str(value)[:LONGEST]) for name, value in values]
        for start in range(0, len(options), MOST):
            self.client.log_batch(run_id, params=options[start : start + MOST], synchronous=True)
        folder.write(folder.path / FILE, {"run_id": run_id, "experiment": self.config.experiment})
        return run_id

    def on_log(self, trainer: ganzoo.Trainer, row: dict[str, float]) -> None:
        self._log({name: value for name, value in row.items() if name != "iteration"}, trainer.engine.iteration)

    def on_sample(self, trainer: ganzoo.Trainer, file: Path) -> None:
        if is_due(trainer, self.config.grids):
            with Image.open(file) as picture:
                now = trainer.engine.iteration
                self.client.log_image(self.run_id, picture, key="samples", step=now, synchronous=True)

    def on_evaluate(self, trainer: ganzoo.Trainer, line: dict[str, Any]) -> None:
        figures = {f"evaluation/{name}": value for name, value in line["figures"].items() if value is not None}
        self._log(figures, line["iteration"])
        self.client.log_dict(self.run_id, line["protocol"], f"protocols/{line['iteration']:08}.json")

    def _log(self, values: dict[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        metrics = [self.mlflow.entities.Metric(name, value, now, step) for name, value in values.items()]
        self.client.log_batch(self.run_id, metrics=metrics, synchronous=True)

    def teardown(self, trainer: ganzoo.Trainer, error: BaseException | None) -> None:
        stopped = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        self.client.set_terminated(self.run_id, stopped if error else "FINISHED")


@ganzoo.hookimpl
def register_callbacks(register: ganzoo.Register) -> None:
    register(MLflow)
