"""Checkpoints on the disk: whole or not at all, found out if damaged, old ones removed."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ganzoo.errors import RunFolderError
from ganzoo.runs import checkpoint

FILES = {"networks.safetensors": bytes(range(256)) * 4, "state.json": b'{"iteration": 5}'}
SHARED = {"frozen.safetensors": b"never changes"}


def taken(folder: Path) -> str:
    """The name of the checkpoint that a run would go on from."""
    found = checkpoint.newest(folder)
    assert found
    return found[0].name


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with the checkpoints 5 and 10."""
    for iteration in (5, 10):
        checkpoint.write(tmp_path, iteration, FILES, SHARED)
    return tmp_path


def test_what_is_written_is_read(two: Path) -> None:
    assert [path.name for path in checkpoint.checkpoints(two)] == ["00000005", "00000010"]
    assert checkpoint.newest(two) == (two / "00000010", {**FILES, **SHARED})
    assert checkpoint.read(two / "00000005", ("state.json",)) == {"state.json": FILES["state.json"]}


def test_there_is_none_in_an_empty_folder_or_none_at_all(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path) is None
    assert checkpoint.newest(tmp_path / "missing") is None


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_list_of_checksums_is_one_that_sha256sum_reads(two: Path) -> None:
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=two / "00000010", capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK") == 3


def test_iterations_of_more_digits_come_last(two: Path) -> None:
    checkpoint.write(two, 100_000_000, FILES, {})
    assert checkpoint.checkpoints(two)[-1].name == "100000000"


@pytest.mark.parametrize("file", ["networks.safetensors", "state.json", "SHA256SUMS"])
def test_one_that_is_cut_off_anywhere_is_passed_over(file: str, two: Path, caplog: pytest.LogCaptureFixture) -> None:
    damaged = two / "00000010" / file
    content = damaged.read_bytes()
    for sixteenth in range(16):
        damaged.write_bytes(content[: len(content) * sixteenth // 16])
        caplog.clear()
        assert taken(two) == "00000005", sixteenth
        which, instead = (record.getMessage() for record in caplog.records)
        assert which.startswith("the checkpoint 00000010 is damaged: ")
        assert file in which or file == "SHA256SUMS"
        assert instead == "the checkpoint 00000005 is taken instead"


def test_flipped_bits_are_found(two: Path) -> None:
    draw, flips = random.Random(7), 0  # noqa: S311 - it keeps no secret
    for file in sorted((two / "00000010").iterdir()):
        content = file.read_bytes()
        for _ in range(50):
            place = draw.randrange(len(content))
            flipped = bytearray(content)
            flipped[place] ^= 1 << draw.randrange(8)
            file.write_bytes(flipped)
            assert taken(two) == "00000005", (file, place)
            flips += 1
        file.write_bytes(content)
    assert flips == 150
    assert taken(two) == "00000010"


def test_a_missing_file_is_named(two: Path, caplog: pytest.LogCaptureFixture) -> None:
    (two / "00000010" / "state.json").unlink()
    checkpoint.newest(two)
    assert "state.json cannot be read (No such file" in caplog.text


def test_where_all_are_damaged_it_says_so(two: Path) -> None:
    for saved in checkpoint.checkpoints(two):
        (saved / "state.json").write_bytes(b"")
    said = (
        rf"no checkpoint in .* is whole: .*00000010/state\.json is not what was .*; remove {two} to begin the run anew$"
    )
    with pytest.raises(RunFolderError, match=said):
        checkpoint.newest(two)
    with pytest.raises(RunFolderError, match=r"differs; take another$"):
        checkpoint.newest(two, advice="take another")


def test_shared_files_lie_there_once_are_mended_and_go_with_the_last_that_needs_them(two: Path) -> None:
    (shared,) = two.glob("frozen.*.safetensors")
    shared.write_bytes(b"damaged")
    checkpoint.write(two, 15, FILES, SHARED)
    assert shared.read_bytes() == SHARED["frozen.safetensors"]
    checkpoint.write(two, 20, FILES, {"frozen.safetensors": b"others"})
    checkpoint.prune(two, 2, None, None)
    assert len(list(two.glob("frozen.*"))) == 2
    checkpoint.prune(two, 1, None, None)
    (left,) = two.glob("frozen.*")
    assert left.read_bytes() == b"others"


def test_the_last_the_best_and_every_so_many_stay(tmp_path: Path) -> None:
    for iteration in range(1, 13):
        checkpoint.write(tmp_path, iteration, FILES, {})
        checkpoint.prune(tmp_path, 2, 4, 3)
    assert names(tmp_path) == ["00000003", "00000004", "00000008", "00000011", "00000012"]


def test_one_that_cannot_be_written_leaves_those_before_it(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, calls = names(two), []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.write(two, 15, FILES, {})
    assert names(two) == before


def test_a_list_of_checksums_cannot_point_elsewhere(two: Path) -> None:
    sums = two / "00000010" / "SHA256SUMS"
    for path in ("../../secret.txt", "/etc/passwd", "../00000005/state.json", "a/b.json"):
        sums.write_text(f"{'0' * 64}  {path}\n")
        with pytest.raises(checkpoint.DamagedCheckpoint, match="no list of checksums"):
            checkpoint.read(two / "00000010")


def test_those_after_an_iteration_are_set_aside(two: Path) -> None:
    checkpoint.quarantine_after(two, 5)
    assert [path.name for path in checkpoint.checkpoints(two)] == ["00000005"]
    assert (two / "damaged-00000010" / "state.json").is_file()


def test_one_that_is_written_again_is_there_whenever_that_is_ended(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, calls = Path.replace, list[Path]()

    def ended(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == 2:  # the old one is out of the way, and the new one is to come
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", ended)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(two, 10, {"state.json": b"new"}, {})
    monkeypatch.undo()
    assert taken(two) == "00000010"
    assert not list(two.glob(".*"))


def test_nothing_is_removed_but_drafts(two: Path) -> None:
    mine = [".ssh", ".00000003", ".00000003.txt", ".1.2"]
    for name in mine:
        (two / name).mkdir()
    drafts = [".00000015.77", ".00000004.0", f".frozen.{'0' * 64}.safetensors.12"]
    for name in drafts:
        (two / name).mkdir()
    checkpoint.remove_drafts(two)
    assert {path.name for path in two.glob(".*")} == set(mine)
