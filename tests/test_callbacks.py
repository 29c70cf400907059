"""Callbacks that a run has by name: when they are told what, and that they spoil no run."""

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from looked_on import OPTIONS
from shared import Command
from trained import Stop, tensors

import ganzoo
from ganzoo.api import Looking
from ganzoo.callbacks import is_due
from ganzoo.errors import ContractError, OptionError
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder

pytestmark = pytest.mark.usefixtures("toy")

ONCE = {**OPTIONS, "epochs": 1}
METHODS = (
    "on_train_start",
    "on_step_end",
    "on_log",
    "on_sample",
    "on_evaluate",
    "on_rollback",
    "on_train_end",
    "teardown",
)


class Recorder(ganzoo.Callback):
    """Remembers what it was told, and fails at what it was told to fail at."""

    def __init__(self, fails_at: str = "", error: type[Exception] = OSError) -> None:
        self.told: list[str] = []
        self.fails_at, self.error = fails_at, error
        self.ending: BaseException | None = None

    def hear(self, name: str, *arguments: Any) -> None:
        if self.told[-1:] != [name]:
            self.told.append(name)
        if name == "teardown":
            self.ending = arguments[1]
        if name == self.fails_at:
            raise self.error("the disk is full")


def told_of(name: str) -> Callable[..., None]:
    return lambda self, *arguments: self.hear(name, *arguments)


for method in METHODS:
    setattr(Recorder, method, told_of(method))


class Recording(ganzoo.CallbackConfig):
    """Gives a recorder that was made before."""

    kind = "recording"
    recorders: ClassVar[list[Recorder]] = []

    number: int = 0

    def build(self) -> ganzoo.Callback:
        return self.recorders[self.number]


class RecordingToo(Recording):
    """Another, as a run has one of a kind only."""

    kind = "recording-too"


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    made = [Recorder() for _ in range(2)]
    monkeypatch.setattr(Recording, "recorders", made)
    return made


BOTH = (Recording(), RecordingToo(number=1))
WHOLE = [
    "on_train_start",
    "on_step_end",
    "on_log",
    "on_step_end",
    "on_sample",
    "on_step_end",
    "on_log",
    "on_sample",
    "on_train_end",
    "teardown",
]
"""What is told of four iterations, in its order."""


def test_they_are_told_from_the_beginning_to_the_end(recorders: list[Recorder], tmp_path: Path) -> None:
    own = Recorder()
    ganzoo.run("toy", out=tmp_path / "run", callback=[*BOTH, own], **ONCE)
    for recorder in (own, *recorders):
        assert recorder.told == WHOLE
        assert recorder.ending is None


def test_they_are_told_of_the_end_when_a_run_is_stopped(recorders: list[Recorder], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as stopped:
        ganzoo.run("toy", out=tmp_path / "run", callback=[Stop(4), *BOTH], **OPTIONS)
    assert [recorder.ending for recorder in recorders] == [stopped.value] * 2
    assert "on_train_end" not in recorders[0].told


@pytest.mark.parametrize("method", ["on_train_start", "on_step_end", "on_log", "on_sample", "on_train_end", "teardown"])
def test_one_that_fails_is_set_aside_and_training_goes_on(
    method: str, recorders: list[Recorder], tmp_path: Path
) -> None:
    recorders[0].fails_at = method
    ganzoo.run("toy", out=tmp_path / "run", callback=BOTH, **ONCE)
    before = WHOLE[: WHOLE.index(method) + 1]
    assert recorders[0].told == (before if method in ("on_train_start", "teardown") else [*before, "teardown"])
    assert recorders[1].told == WHOLE
    text = (tmp_path / "run" / "log.txt").read_text()
    assert len(re.findall(r"WARNING the callback 'recording' failed .*: OSError: the disk is full", text)) == 1
    assert "Traceback" in text


def test_one_that_means_to_end_the_run_does(recorders: list[Recorder], tmp_path: Path) -> None:
    recorders[1].fails_at, recorders[1].error = "on_log", ContractError
    with pytest.raises(ContractError, match="the disk is full"):
        ganzoo.run("toy", out=tmp_path / "run", callback=BOTH, **OPTIONS)
    assert [type(recorder.ending) for recorder in recorders] == [ContractError] * 2


def test_what_the_program_itself_looks_on_with_may_raise_anything(recorders: list[Recorder], tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        ganzoo.run("toy", out=tmp_path / "run", callback=[Recorder("on_log", ZeroDivisionError), *BOTH], **OPTIONS)
    assert [type(recorder.ending) for recorder in recorders] == [ZeroDivisionError] * 2


def test_all_are_told_of_the_end_even_if_one_raises(recorders: list[Recorder], tmp_path: Path) -> None:
    first, second = Recorder("teardown", ZeroDivisionError), Recorder()
    with pytest.raises(ZeroDivisionError):
        ganzoo.run("toy", out=tmp_path / "run", callback=[first, second, *BOTH], **ONCE)
    assert [recorder.told[-1] for recorder in (first, second, *recorders)] == ["teardown"] * 4


class Draws(ganzoo.Callback):
    """Draws random numbers wherever it can."""

    def on_step_end(self, trainer: ganzoo.Trainer) -> None:
        torch.rand(7)

    def on_log(self, trainer: ganzoo.Trainer, row: dict[str, float]) -> None:
        row.clear()
        torch.manual_seed(1)


class Drawing(ganzoo.CallbackConfig):
    """One that draws."""

    kind = "drawing"

    def build(self) -> ganzoo.Callback:
        return Draws()


@pytest.mark.usefixtures("wandb_offline")
def test_nobody_who_looks_on_changes_what_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # which takes seconds less to make than a database
    monkeypatch.chdir(tmp_path)
    ganzoo.run("toy", out=tmp_path / "alone", **ONCE)
    everyone: list[Looking] = [Drawing(), *sorted(zoo().callbacks)]
    ganzoo.run("toy", out=tmp_path / "watched", callback=everyone, **ONCE)
    alone, watched = tensors(tmp_path / "alone"), tensors(tmp_path / "watched")
    assert alone.keys() == watched.keys()
    assert all(torch.equal(alone[key], watched[key]) for key in alone)
    assert "WARNING" not in (tmp_path / "watched" / "log.txt").read_text()


def test_it_may_change_on_resume_and_is_no_part_of_what_a_run_is(command: Command, place: Path) -> None:
    words = ["run", "toy", "--image-size", "16", "--limit", "8", "--batch-size", "4", "--epochs", "1", "--out", "run"]
    assert command(*words, "--callback", "csv", "--callback", "tensorboard:0").status == 0
    assert command(*words).status == 0
    assert RunFolder(place / "run").read(place / "run" / "config.json")["callback"] == []
    config = json.loads((place / "run" / "config.json").read_text())
    (place / "run" / "config.json").write_text(json.dumps({**config, "callback": [{"kind": "strange"}]}))
    answer = command("resume", "run", "--epochs", "2")
    assert answer.status == 2
    assert "run has a callback that is not there: no callback is called 'strange'" in answer.err
    assert "or go on without by --callback none" in answer.err
    assert command("resume", "run", "--epochs", "2", "--callback", "none").status == 0


def test_a_link_in_place_of_a_file_of_theirs_is_refused(command: Command, place: Path) -> None:
    words = ["run", "toy", "--image-size", "16", "--limit", "8", "--batch-size", "4", "--epochs", "1", "--out", "run"]
    assert command(*words).status == 0
    (place / "mine.csv").write_text("precious")
    (place / "run" / "metrics.csv").symlink_to(place / "mine.csv")
    answer = command(*words, "--callback", "csv")
    assert answer.status == 2
    assert "metrics.csv is a link" in answer.err
    assert (place / "mine.csv").read_text() == "precious"


def test_grids_are_thinned_and_the_last_is_kept(tmp_path: Path) -> None:
    seen: dict[int, list[int]] = {every: [] for every in (0, 1, 2, 3)}

    class Grids(ganzoo.Callback):
        def on_sample(self, trainer: ganzoo.Trainer, file: Path) -> None:
            for every, iterations in seen.items():
                if is_due(trainer, every):
                    iterations.append(trainer.engine.iteration)

    ganzoo.run("toy", out=tmp_path / "run", callback=Grids(), **OPTIONS)
    assert seen == {0: [], 1: [3, 6, 9, 12], 2: [6, 12], 3: [9, 12]}


def test_python_takes_what_the_command_line_takes(tmp_path: Path) -> None:
    several: list[Looking] = ["csv", {"kind": "csv"}, zoo().callbacks["csv"]()]
    for number, given in enumerate([*several, several[:1]]):
        run = tmp_path / str(number)
        ganzoo.run("toy", out=run, callback=given, **ONCE)
        assert (run / "metrics.csv").is_file()
    with pytest.raises(OptionError, match="give the name of a callback"):
        ganzoo.run("toy", out=tmp_path / "bad", callback=[7], **OPTIONS)  # type: ignore[list-item]  # what is refused
    assert not (tmp_path / "bad").exists()


DOCS = (Path(__file__).parent.parent / "docs" / "logging.md").read_text(encoding="utf-8")


def test_the_logger_of_the_page_on_logging_works(command: Command, place: Path) -> None:
    program = next(
        text for text in re.findall(r"```python[^\n]*\n(.*?)```", DOCS, re.DOTALL) if "register_callbacks" in text
    )
    (place / "mailbox.py").write_text(program, encoding="utf-8")
    words = ["--plugin", "mailbox.py", "run", "dcgan", "--image-size", "16", "--limit", "8", "--batch-size", "4"]
    answer = command(*words, "--epochs", "1", "--callback", "mailbox:letters")
    assert answer.status == 0, answer.err
    assert "generator/adversarial" in json.loads((place / "letters" / "2.json").read_text())
    assert "option 'callback.folder' is needed" in command(*words, "--callback", "mailbox").err


def test_the_page_on_logging_knows_every_method() -> None:
    for name in METHODS:
        arguments = ", ".join(list(inspect.signature(getattr(ganzoo.Callback, name)).parameters)[1:])
        assert f"| `{name}({arguments})` |" in DOCS
    assert set(METHODS) == {name for name in vars(ganzoo.Callback) if not name.startswith("_")}
    assert "`register_callbacks(register)`" in DOCS
