"""Folders with a run in them: trained in by one process only, on the data it began with, and written nowhere else."""

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from chance import Drawing
from PIL import Image
from trained import TINY, rows

import ganzoo
from ganzoo import DataSpec, Networks
from ganzoo.runs.folder import RunFolder
from ganzoo.training.run_log import RunLog

pytestmark = pytest.mark.usefixtures("toy")

HOLD = """
import sys, pathlib
from ganzoo.runs.folder import RunFolder
with RunFolder(pathlib.Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder() -> Callable[[Path], AbstractContextManager["subprocess.Popen[str]"]]:
    """Starts a process that holds a folder's lock until its input ends."""

    def start(folder: Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process

    return start


@pytest.mark.process
def test_a_second_run_in_a_folder_is_refused_and_a_dead_ones_lock_is_none(
    toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: Callable[[Path], "subprocess.Popen[str]"]
) -> None:
    monkeypatch.setattr("ganzoo.runs.folder.PATIENCE", 0.2)
    shutil.copytree(toy_run, tmp_path / "run")
    before = rows(tmp_path / "run")
    with holder(tmp_path / "run") as process:
        with pytest.raises(ganzoo.UserError, match="another run is training in"):
            ganzoo.run("toy", out=tmp_path / "run", epochs=2, **TINY)
        assert rows(tmp_path / "run") == before
        process.kill()
    ganzoo.run("toy", out=tmp_path / "run", epochs=2, **TINY)
    assert len(rows(tmp_path / "run")) == 2 * len(before)


def test_a_run_that_another_process_began_meanwhile_is_not_trained_over(tmp_path: Path) -> None:
    class Overtaken(Drawing):
        """Begins the same run in another process, as it were, while this one is being prepared."""

        name = "overtaken"

        def networks(self, data: DataSpec) -> Networks:
            if not (tmp_path / "run").exists():
                RunFolder(tmp_path / "run").create()
                (tmp_path / "run" / "config.json").write_text("{}")
            return super().networks(data)

    with pytest.raises(ganzoo.UserError, match="another process has begun a run"):
        ganzoo.run(Overtaken, out=tmp_path / "run", epochs=1, **TINY)
    assert (tmp_path / "run" / "config.json").read_text() == "{}"


@pytest.mark.parametrize("change", ["more", "other shapes"])
def test_other_data_than_it_began_with_is_refused(change: str, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(8):
        Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    options: dict[str, Any] = {**TINY, "limit": None, "data": f"folder:{folder}"}
    ganzoo.run("toy", out=tmp_path / "run", epochs=1, **options)
    if change == "more":
        Image.new("L", (8, 8)).save(folder / "more.png")
        said = "the data has 9 images, and had 8 when the run was saved: put it back"
    else:
        data = json.loads((tmp_path / "run" / "data.json").read_text())
        (tmp_path / "run" / "data.json").write_text(json.dumps({**data, "shapes": {"image": [1, 16, 16]}}))
        said = r"had the shapes .*, and now has .*: put it back"
    before = (tmp_path / "run" / "data.json").read_text()
    with pytest.raises(ganzoo.UserError, match=said):
        ganzoo.run("toy", out=tmp_path / "run", epochs=2, **options)
    assert (tmp_path / "run" / "data.json").read_text() == before


@pytest.mark.parametrize("name", ["checkpoints", "samples", "log.txt", "metrics.jsonl"])
def test_a_folder_that_would_have_a_run_write_elsewhere_is_refused(name: str, toy_run: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_run, tmp_path / "run")
    home = tmp_path / "home"
    (tmp_path / "run" / name).rename(home)
    before = sorted(path.relative_to(home) for path in home.rglob("*"))
    (tmp_path / "run" / name).symlink_to(home)
    with pytest.raises(ganzoo.UserError, match=rf"{name} is a link"):
        ganzoo.run("toy", out=tmp_path / "run", epochs=2, **TINY)
    assert sorted(path.relative_to(home) for path in home.rglob("*")) == before


def test_a_sample_that_is_a_link_is_replaced_and_not_followed(toy_run: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_run, tmp_path / "run")
    victim, link = tmp_path / "victim", tmp_path / "run" / "samples" / "00000006.png"
    victim.write_text("mine")
    link.symlink_to(victim)
    ganzoo.run("toy", out=tmp_path / "run", epochs=2, **TINY)
    assert victim.read_text() == "mine"
    assert not link.is_symlink()


def test_what_is_said_before_there_is_a_folder_is_in_its_log_too(tmp_path: Path) -> None:
    for broken in range(2):
        Image.new("L", (8, 8), broken).save(tmp_path / f"{broken}.png")
    (tmp_path / "2.png").write_bytes(b"broken")
    options: dict[str, Any] = {
        **TINY,
        "limit": None,
        "batch_size": 2,
        "data": {"name": "folder", "path": tmp_path, "skip": 1},
    }
    ganzoo.run("toy", out=tmp_path / "run", epochs=1, **options)
    lines = (tmp_path / "run" / "log.txt").read_text().splitlines()
    assert "2.png" in lines[0]
    assert "begun at iteration 0" in lines[1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
def test_a_log_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    with RunLog() as logbook:
        logbook.open(Path("/dev/full"))
        logging.getLogger("ganzoo.test").warning("nobody can write this down")
