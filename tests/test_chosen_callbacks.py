"""How callbacks are chosen by name: with their options, once each, and refused before anything is written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shared import Command

from ganzoo.config import validate
from ganzoo.options.checkpoint import CheckpointOptions
from ganzoo.plugins import zoo


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("csv", {"kind": "csv"}),
        ("wandb", {"kind": "wandb", "project": "ganzoo", "entity": None, "grids": 1}),
        ("wandb:faces", {"kind": "wandb", "project": "faces", "entity": None, "grids": 1}),
        ("wandb:faces,entity=we,grids=0", {"kind": "wandb", "project": "faces", "entity": "we", "grids": 0}),
        ("wandb:entity=we", {"kind": "wandb", "project": "ganzoo", "entity": "we", "grids": 1}),
    ],
)
def test_its_options_stand_behind_a_colon(typed: str, values: dict[str, object]) -> None:
    assert validate(CheckpointOptions, {"callback": typed}).model_dump(mode="json")["callback"] == [values]
    assert (
        validate(CheckpointOptions, {"callback": [typed, "tensorboard"]}).model_dump(mode="json")["callback"][0]
        == values
    )
    assert validate(CheckpointOptions, {"callback": [values]}).model_dump(mode="json")["callback"] == [values]


def test_none_of_them_is_said_by_a_word() -> None:
    assert (
        validate(CheckpointOptions, {}).callback == validate(CheckpointOptions, {"callback": ["none"]}).callback == ()
    )


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("wnadb", "no callback is called 'wnadb'; did you mean 'wandb'?"),
        ("", "no callback is called ''; there are: csv, mlflow, tensorboard, wandb"),
        ("csv,tensorboard", "no callback is called 'csv,tensorboard'; did you mean"),
        ("csv:kind=wandb", "option 'callback' cannot be 'csv:kind=wandb': write csv:NAME=VALUE"),
        ("wandb:=7", "option 'callback' cannot be 'wandb:=7': write wandb:NAME=VALUE"),
        ("csv:7", "the callback 'csv' takes no '7': it has no options"),
        ("wandb:grid=1", "no option of the callback 'wandb' is called 'grid'; did you mean 'grids'?"),
        ("wandb:grids=-1", "option 'callback.grids' cannot be '-1': it must be at least 0"),
        ("tensorboard:many", "option 'callback.grids' cannot be 'many': it must be a whole number"),
        ("wandb:project=", "option 'callback.project' cannot be ''"),
    ],
)
def test_a_wrong_one_is_refused_before_anything_is_written(
    typed: str, complaint: str, command: Command, place: Path
) -> None:
    answer = command("run", "dcgan", "--limit", "8", "--callback", typed, "--out", "run")
    assert answer.status == 2
    assert complaint in answer.err
    assert not (place / "run").exists()


def test_one_may_be_chosen_once_only(command: Command, place: Path) -> None:
    line = "run dcgan --limit 8 --callback csv --callback tensorboard --callback csv --out run"
    answer = command(*line.split())
    assert answer.status == 2
    assert "option 'callback' names 'csv' twice; leave one out" in answer.err
    assert not (place / "run").exists()


@pytest.mark.parametrize("extra", ["mlflow", "tensorboard", "wandb"])
@pytest.mark.parametrize("trial", [[], ["--dry-run"]])
def test_a_missing_package_is_said_before_anything_is_written(
    extra: str, trial: list[str], command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, extra, None)
    answer = command("run", "dcgan", "--limit", "8", "--callback", extra, "--out", "run", *trial)
    assert answer.status == 2
    assert f"--callback {extra} needs a package: pip install 'ganzoo[{extra}]'" in answer.err
    assert not (place / "run").exists()


def test_help_and_a_table_name_those_that_there_are(command: Command) -> None:
    text = command("run", "dcgan", "--help").out
    assert all(name in text for name in ("csv,", "mlflow[:EXPERIMENT]", "tensorboard[:GRIDS]", "wandb[:PROJECT]"))
    assert "--callback" in command("resume", "--help").out
    rows = json.loads(command("callbacks", "--json").out)
    assert [row["name"].partition("[")[0] for row in rows] == sorted(zoo().callbacks)
    assert all(row["from"] == "built-in" for row in rows)


@pytest.mark.process
def test_no_logger_is_imported_unless_asked_for() -> None:
    program = (
        "import sys; from ganzoo.cli import main\n"
        "try: main(['callbacks'])\n"
        "except SystemExit: pass\n"
        "print('loaded', {'wandb', 'mlflow', 'tensorboard', 'IPython'} & sys.modules.keys())"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "wandb" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "loaded set()"
