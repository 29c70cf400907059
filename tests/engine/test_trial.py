"""Trials: time and memory told before a run, and the largest batch that fits."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganzoo.base.system import MIB
from ganzoo.training import dry_run
from ganzoo.training.dry_run import largest_reckoned, largest_tried, stopwatch

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the memory of a process")


@pytest.mark.parametrize("fits", [0, 1, 2, 7, 100, 511])
def test_the_largest_batch_is_found_by_trying(fits: int) -> None:
    tried: list[int] = []

    def used(batch: int) -> int | None:
        tried.append(batch)
        return batch if batch <= fits else None

    found = largest_tried(512, used)
    assert found <= fits <= found + max(1, found / dry_run.EXACT)
    assert len(tried) == len(set(tried)) <= 14


@pytest.mark.parametrize("room", [3000, 20_000])
def test_the_largest_batch_is_reckoned_from_small_ones(room: int) -> None:
    tried: list[int] = []

    def used(batch: int) -> int:
        tried.append(batch)
        return (100 + 5 * batch) * MIB

    found = largest_reckoned(10**6, used, room * MIB)
    assert found == pytest.approx((dry_run.SHARE * room - 100) / 5, abs=1)
    assert max(tried) < found, "it stays away from what does not fit"
    assert largest_reckoned(40, used, room * MIB) == 39, "what was asked for did not fit"


def test_where_two_images_fill_half_of_the_memory_no_more_are_tried() -> None:
    assert largest_reckoned(512, {2: 600 * MIB}.__getitem__, 1000 * MIB) == 2


def test_no_batch_is_named_where_not_even_two_images_fit() -> None:
    assert largest_reckoned(512, lambda batch: None, 1000 * MIB) == 0


def test_a_stopwatch_runs_until_it_is_left() -> None:
    with stopwatch(torch.device("cpu")) as seconds:
        assert 0 <= seconds() <= seconds()
    assert seconds() == seconds() > 0


@pytest.mark.process
@LINUX
def test_out_of_memory_names_a_batch_that_fits_and_leaves_nothing(place: Path) -> None:
    def ganzoo(batch: int, *words: str) -> subprocess.CompletedProcess[str]:
        line = f"ulimit -d 2000000; exec {sys.executable} -m ganzoo run dcgan --batch-size {batch}"
        options = ["--limit 20000", "--image-size 32", "--precision fp32", *words]
        return subprocess.run(["bash", "-c", " ".join([line, *options])], capture_output=True, text=True, timeout=300)

    done = ganzoo(20_000, "--epochs", "1", "--out", "new")
    assert done.returncode == 2, done.stderr
    assert not (place / "new").exists()
    advice, error = done.stderr.splitlines()
    assert advice.endswith("looking for the largest batch that fits")
    found = re.fullmatch(
        "Error: there is not enough memory for a batch of 20000 images of 32x32 and dcgan's networks; "
        r"the largest batch that fits is about (\d+): --batch-size \1",
        error,
    )
    assert found, error
    assert int(found[1]) > 64
    done = ganzoo(int(found[1]), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert f"batch {found[1]}, works" in done.stdout
