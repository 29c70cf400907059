"""`--callback mlflow`: a run in MLflow, on a server or in a local database, as MLFLOW_TRACKING_URI says."""

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
"""What says, in the run folder, which run of MLflow goes on with it."""
MOST = 100
"""Parameters that MLflow takes at once."""
LONGEST = 6000
"""Characters that one may have."""


class MLflow(ganzoo.CallbackConfig):
    """A run in MLflow, where MLFLOW_TRACKING_URI says; pip install 'ganzoo[mlflow]'."""

    kind = "mlflow"

    experiment: str = Field("ganzoo", min_length=1, description="the experiment that it is a run of")
    grids: Grids = Field(1)

    def build(self) -> ganzoo.Callback:
        if find_spec("mlflow") is None:
            raise ganzoo.UserError("--callback mlflow needs a package: pip install 'ganzoo[mlflow]'")
        return MLflowLogger(self)


class MLflowLogger(ganzoo.Callback):
    """Writes metrics, sample grids and the options; a run that is continued is the same run there.

    All is written at once, whatever MLFLOW_ENABLE_ASYNC_LOGGING says: what MLflow has for waiting until all is written
    waits for the run of `mlflow.start_run()`, and starts one.
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
        # Parameters are never changed, and a run that goes on may be told some anew: this is how it is now.
        self.client.log_dict(self.run_id, trainer.options.model_dump(mode="json"), "config.json")

    def _begun(self, folder: ganzoo.RunFolder, experiment: str) -> str:
        """The run that goes on, if this experiment has it."""
        file = folder.path / FILE
        kept = str(folder.read(file).get("run_id")) if file.is_file() else ""
        if not re.fullmatch(r"\w{1,64}", kept):
            return ""
        try:
            same = self.client.get_run(kept).info.experiment_id == experiment
        except self.mlflow.exceptions.MlflowException:  # begun in another store
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
