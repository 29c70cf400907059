"""Runs in MLflow, read back by its own client from a database in a file."""

from pathlib import Path
from typing import Any

import pytest
from looked_on import OPTIONS, Evaluates
from PIL import Image
from trained import Stop
from trained import rows as metrics

import ganzoo
from ganzoo.plugins import zoo

mlflow = pytest.importorskip("mlflow")
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),  # MLflow's own, in SQLAlchemy's words
    pytest.mark.usefixtures("toy"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "mlflow.db"


@pytest.fixture
def client(store: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    monkeypatch.chdir(store.parent)
    return mlflow.MlflowClient()


def found(client: Any, experiment: str = "ganzoo") -> list[Any]:
    number = client.get_experiment_by_name(experiment).experiment_id
    return list(client.search_runs([number]))


def steps(client: Any, run: Any, name: str) -> list[tuple[int, float]]:
    return [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, name)]


@pytest.mark.slow
def test_a_run_that_was_stopped_is_the_same_run_when_it_goes_on(client: Any, store: Path, tmp_path: Path) -> None:
    config, folder = zoo().callbacks["mlflow"](), tmp_path / "run"
    logger = config.build()
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run("toy", out=folder, callback=[logger, Evaluates(logger), Stop(8)], **OPTIONS)
    [run] = found(client)
    assert (run.info.status, run.info.run_name) == ("KILLED", "run")
    assert run.data.params["gan.name"] == "toy"
    assert run.data.params["batch_size"] == "4"
    assert steps(client, run, "evaluation/fid") == [(3, 20.0), (6, 10.0)]
    ganzoo.run("toy", out=folder, callback=config, **{**OPTIONS, "epochs": 4})
    [run] = found(client)
    assert run.info.status == "FINISHED"
    rows = metrics(folder)
    values = dict(steps(client, run, "generator/adversarial"))
    assert values == {row["iteration"]: pytest.approx(row["generator/adversarial"]) for row in rows}
    artifacts = store.parent / "mlruns" / run.info.experiment_id / run.info.run_id / "artifacts"
    [grid] = artifacts.glob("images/samples*step*16*timestamp*.png")
    saved = Image.open(folder / "samples" / "00000016.png")
    assert Image.open(grid).convert("RGB").tobytes() == saved.convert("RGB").tobytes()
    assert mlflow.artifacts.load_dict(str(artifacts / "config.json"))["epochs"] == 4
    assert mlflow.active_run() is None
    assert list(client.search_runs(["0"])) == [], "the experiment of runs that name none"


def test_a_run_that_another_store_has_begins_anew(client: Any, tmp_path: Path) -> None:
    options = {**OPTIONS, "epochs": 1, "sample_every": 99}
    (tmp_path / "mlflow.json").write_text('{"run_id": "0123456789abcdef"}')
    ganzoo.run("toy", out=tmp_path / "run", callback="mlflow:faces,grids=0", **options)
    (tmp_path / "mlflow.json").replace(tmp_path / "run" / "mlflow.json")
    ganzoo.run("toy", out=tmp_path / "run", callback="mlflow:faces,grids=0", **options)
    assert len(found(client, "faces")) == 2


def test_a_run_that_diverges_has_failed(client: Any, tmp_path: Path) -> None:
    with pytest.raises(ganzoo.GanzooError):
        ganzoo.run("toy", out=tmp_path / "run", callback="mlflow:hasty", **{**OPTIONS, "lr": 1e30})
    assert [run.info.status for run in found(client, "hasty")] == ["FAILED"]


def test_a_server_that_is_away_stops_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:9")  # the port that discards: nothing answers
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    ganzoo.run("toy", out=tmp_path / "run", callback="mlflow", **{**OPTIONS, "epochs": 1})
    text = (tmp_path / "run" / "log.txt").read_text()
    assert "the callback 'mlflow' failed at iteration 1 and is told no more, training goes on" in text
    assert "finished at iteration 4" in text
