"""`ganzoo runs prune`: what it removes, and what it leaves alone."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest
from folders import everything, listed, make_run, saved
from shared import Command

from ganzoo.runs.checkpoint import checkpoints, read


@pytest.mark.parametrize(
    ("words", "stay"),
    [
        ([], [10, 30, 40]),
        (["--keep", "2"], [10, 30, 40]),
        (["--keep", "3"], [10, 20, 30, 40]),
        (["--milestones"], [10, 40]),
        (["--milestones", "--keep", "9"], [5, 10, 20, 30, 40]),
    ],
)
def test_prune_leaves_the_newest_the_best_and_milestones(
    words: list[str], stay: list[int], command: Command, place: Path
) -> None:
    folder = make_run(place / "runs/a", saved=[5, 10, 20, 30, 40], best=10, keep_every=30)
    if words == ["--milestones", "--keep", "9"]:
        assert command("runs", "prune", *words, "--yes").out.startswith("there is nothing to remove")
    else:
        answer = command("runs", "prune", *words, "--yes")
        assert (answer.status, answer.err) == (0, "")
        assert "freed " in answer.out
    assert saved(folder) == stay
    assert all(read(path) for path in checkpoints(folder.checkpoints))  # shared files are there
    assert (folder.samples / "00000010.png").exists()
    assert command("runs", "prune", *words, "--yes").out.startswith("there is nothing to remove")


def test_prune_counts_whole_checkpoints_only(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a", saved=[10, 20, 30, 40])
    (folder.checkpoints / "00000040/networks.safetensors").write_bytes(b"damaged")
    assert command("runs", "prune", "--yes").status == 0
    assert saved(folder) == [30, 40]
    (folder.checkpoints / "00000030/networks.safetensors").write_bytes(b"damaged")
    answer = command("runs", "prune", "--yes")
    assert "is whole, and none of them is removed" in answer.out
    assert saved(folder) == [30, 40]


def test_prune_removes_what_was_damaged_or_half_written(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a", saved=[40])
    for name in ("damaged-00000030", ".00000020.123", "notes"):
        (folder.checkpoints / name).mkdir()
        (folder.checkpoints / name / "file").write_bytes(bytes(500))
    (row,) = json.loads(command("runs", "prune", "--json", "--yes").out)
    assert (sorted(row["removes"]), row["bytes"]) == (
        ["checkpoints/.00000020.123", "checkpoints/damaged-00000030"],
        1000,
    )
    assert sorted(path.name for path in folder.checkpoints.iterdir() if path.is_dir()) == ["00000040", "notes"]


def test_prune_asks_first(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(place / "runs/a", saved=[10, 20])
    answer = command("runs", "prune")
    assert (answer.status, saved(folder)) == (2, [10, 20])
    assert "there is no terminal to ask on, and nothing was removed; add --yes" in answer.err
    assert "checkpoint 10" in command("runs", "prune", "--dry-run").out
    assert command("runs", "prune", "--json").status == 2
    assert saved(folder) == [10, 20]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for word, left in (("n", [10, 20]), ("", [10, 20]), ("y", [20])):
        monkeypatch.setattr("rich_click.confirm", lambda text, word=word: word == "y" and "from 1 run, 1" in text)
        assert command("runs", "prune").status == 0
        assert saved(folder) == left


def test_prune_leaves_a_run_that_is_running_alone(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a", "running", saved=[10, 20])
    before = everything(place)
    with folder.locked():
        answer = command("runs", "prune", "--yes", "--failed")
        assert "left alone: runs/a: it is running" in answer.out
        assert before.keys() | {str(folder.lock)} == everything(place).keys()
    assert listed(command("runs", "--json"))["a"]["state"] == "failed"  # and once it was killed:
    assert command("runs", "prune", "--yes").status == 0
    assert saved(folder) == [20]


def lock_a(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing in a folder called `a` can be moved."""
    whole = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if "a" in path.parts:
            raise PermissionError(13, "Permission denied")
        return whole(path, target)

    monkeypatch.setattr(Path, "replace", replace)


def test_json_tells_what_was_removed(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        make_run(place / "runs" / name, saved=[10, 20])
    lock_a(monkeypatch)
    answer = command("runs", "prune", "--yes", "--json")
    rows = {row["run"]: row for row in json.loads(answer.out)}
    assert (answer.status, rows["runs/a"]["removes"], rows["runs/a"]["bytes"]) == (2, [], 0)
    assert "Permission denied" in rows["runs/a"]["note"]
    assert (rows["runs/b"]["removes"], rows["runs/b"]["note"]) == (["checkpoints/00000010"], "")


def test_prune_does_not_remove_what_has_begun_since(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(place / "runs/a", saved=[10, 20])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    with contextlib.ExitStack() as stack:
        monkeypatch.setattr("rich_click.confirm", lambda _: stack.enter_context(folder.locked()) is None)
        answer = command("runs", "prune")
    assert answer.status == 2
    assert "runs/a is being trained by now; nothing of it was removed" in answer.err
    assert saved(folder) == [10, 20]


def test_prune_failed_removes_runs_without_a_checkpoint_wholly(command: Command, place: Path) -> None:
    make_run(place / "runs/lost", "failed")
    make_run(place / "runs/killed", "running")
    make_run(place / "runs/stopped", "stopped")
    kept = make_run(place / "runs/kept", "failed", saved=[10])
    mine = make_run(place / "runs/mine", "failed")
    (mine.path / "notes.txt").write_text("mine")
    assert command("runs", "prune", "--yes").out.startswith("there is nothing to remove")
    answer = command("runs", "prune", "--yes", "--failed")
    assert answer.status == 0, answer.err
    assert sorted(path.name for path in (place / "runs").iterdir()) == ["kept", "mine", "stopped"]
    assert "left alone: runs/mine: it is not removed, as it holds 'notes.txt', which is not ganzoo's own" in answer.out
    assert saved(kept) == [10]


def test_a_run_that_cannot_be_pruned_does_not_keep_others_from_it(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [make_run(place / "runs" / name, saved=[10, 20]) for name in "ab"]
    lock_a(monkeypatch)
    answer = command("runs", "prune", "--yes")
    assert (answer.status, "runs/a cannot be pruned: Permission denied" in answer.err) == (2, True)
    assert [saved(folder) for folder in folders] == [[10, 20], [20]]


def test_a_pruned_run_goes_on_and_generates(command: Command, place: Path, runs: Path) -> None:
    shutil.copytree(runs / "dcgan", place / "runs/a")
    assert command("resume", "runs/a", "--epochs", "3", "--checkpoint-every", "2", "--keep-last", "9").status == 0
    assert len(checkpoints(place / "runs/a/checkpoints")) == 3
    assert command("runs", "prune", "--yes").status == 0
    assert [int(path.name) for path in checkpoints(place / "runs/a/checkpoints")] == [6]
    assert command("generate", "runs/a", "-n", "1", "-o", "one.png").status == 0
    assert command("resume", "runs/a", "--epochs", "4").status == 0
    assert listed(command("runs", "--json"))["a"]["iteration"] == 8
