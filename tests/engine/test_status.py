"""What a run says of itself in status.json, however it ends, and what is made of it."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from shared import TINY
from trained import started

import ganzoo
from ganzoo.contract.callback import Callback
from ganzoo.errors import Diverged, UserError
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.listing import find_runs, inspect_run
from ganzoo.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("toy")

OPTIONS: dict[str, Any] = {"image_size": 16, "limit": 8, "batch_size": 4, "precision": "fp32", "log_every": 1}


def status(run: Path) -> dict[str, Any]:
    return json.loads((run / "status.json").read_text())


class Looks(Callback):
    """What a listing says while the run trains."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int | None]] = []

    def on_log(self, trainer: Trainer, row: dict[str, float]) -> None:
        (found,) = find_runs(Path())
        self.seen.append((found.state, found.iteration, found.iterations))


class Ends(Callback):
    """Ends a run at its second iteration."""

    def __init__(self, how: BaseException | int) -> None:
        self.how = how

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.engine.iteration == 2:
            if isinstance(self.how, int):
                signal.raise_signal(self.how)
            else:
                raise self.how


def test_a_run_says_that_it_runs_and_that_it_finished(place: Path) -> None:
    looks = Looks()
    ganzoo.run("toy", epochs=2, out="run", callback=looks, **OPTIONS)
    assert looks.seen == [("running", iteration, 4) for iteration in (1, 2, 3, 4)]
    said = status(place / "run")
    assert said.pop("when").endswith("+00:00")
    assert said == {"state": "finished", "iteration": 4, "iterations": 4, "reason": ""}
    ganzoo.run("toy", epochs=2, out="run", **OPTIONS)  # there is nothing left to do
    assert status(place / "run")["state"] == "finished"
    ganzoo.run("toy", epochs=3, out="run", **OPTIONS)
    assert status(place / "run") | {"when": ""} == said | {"iteration": 6, "iterations": 6, "when": ""}


@pytest.mark.parametrize(
    ("how", "state", "reason"),
    [
        (signal.SIGTERM, "stopped", "stopped by SIGTERM and saved at iteration 2"),
        (KeyboardInterrupt(), "stopped", "stopped at once"),
        (Diverged("training diverged:\nthe loss is NaN"), "failed", "training diverged: the loss is NaN"),
        (RuntimeError("a mistake " + "x" * 1000), "failed", f"RuntimeError: a mistake {'x' * 476}"),
    ],
)
def test_a_run_says_why_it_ended(how: BaseException | int, state: str, reason: str, place: Path) -> None:
    with pytest.raises(KeyboardInterrupt if isinstance(how, int) else type(how)):
        ganzoo.run("toy", epochs=2, out="run", callback=Ends(how), **OPTIONS)
    said = status(place / "run")
    assert (said["state"], said["reason"], said["iteration"], said["iterations"]) == (state, reason, 2, 4)
    found = inspect_run(place / "run")
    assert (found.state, found.note) == (state, reason)


@pytest.mark.process
def test_a_run_that_was_killed_does_not_run(place: Path) -> None:
    line = f"run dcgan --image-size 16 {TINY} --epochs 100000 --log-every 1 --checkpoint-every 2 --out run"
    with started(*line.split()) as run:
        assert run.stdout is not None
        for said in run.stdout:
            if "iteration 3/" in said:
                break
        else:
            pytest.fail("it ended before its third iteration")
        found = inspect_run(place / "run")
        assert (found.state, found.iterations, found.note) == ("running", 200000, "")
        assert found.iteration >= 3
        run.kill()
    assert status(place / "run")["state"] == "running"
    found = inspect_run(place / "run")
    assert found.state == "failed"
    assert found.note == f"it was killed; `ganzoo resume {place / 'run'}` goes on"


def test_looking_neither_takes_the_lock_nor_writes(runs: Path, place: Path) -> None:
    shutil.copytree(runs / "dcgan", place / "run")
    folder = RunFolder(place / "run")
    assert not folder.is_locked
    with folder.locked():
        assert folder.is_locked
    assert not folder.is_locked
    folder.lock.unlink()
    assert not folder.is_locked
    assert not folder.lock.exists()
    folder.lock.symlink_to(place / "elsewhere")
    assert not folder.is_locked
    assert not (place / "elsewhere").exists()


def test_a_status_that_cannot_be_written_is_said_before_training(runs: Path, place: Path) -> None:
    shutil.copytree(runs / "dcgan", place / "run")
    (place / "run/status.json").unlink()
    (place / "run/status.json").mkdir()
    with pytest.raises(UserError, match="run cannot be written to"):
        ganzoo.run("dcgan", epochs=2, out="run", **OPTIONS | {"log_every": 50})


def test_a_status_that_is_a_link_is_refused(runs: Path, place: Path) -> None:
    shutil.copytree(runs / "dcgan", place / "run")
    (place / "precious").write_text("mine")
    (place / "run/status.json").unlink()
    (place / "run/status.json").symlink_to(place / "precious")
    with pytest.raises(UserError, match=r"status\.json is a link"):
        ganzoo.run("dcgan", epochs=2, out="run", **OPTIONS | {"log_every": 50})
    assert (place / "precious").read_text() == "mine"


def test_status_changes_no_weight(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ganzoo.run("toy", epochs=1, out="a", **OPTIONS)
    monkeypatch.setattr("ganzoo.runs.status._write", lambda *_: None)
    second = ganzoo.run("toy", epochs=1, out="b", **OPTIONS)
    for (name, one), (_, other) in zip(first.nets.state_dict().items(), second.nets.state_dict().items(), strict=True):
        assert torch.equal(one, other), name
    assert not (place / "b/status.json").exists()
