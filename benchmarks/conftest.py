"""What the benchmarks share beside ganzoo's own suite: their goals, the reference's process, and where results are."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ganzoo_bench.measure import Measure
from pytest_benchmark.utils import get_commit_info

from benchmarks.processes import processes
from benchmarks.table import goal

pytest_plugins = ["ganzoo_bench.fixtures"]

HERE = Path(__file__).parent
ENVIRONMENT = pytest.StashKey[dict[str, str]]()
"""Environment variables as they were before the engine changed any."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ENVIRONMENT] = dict(os.environ)
    if config.option.benchmark_storage == "file://./.benchmarks":  # where pytest-benchmark would make a folder
        config.option.benchmark_storage = f"file://{HERE / 'results'}"


@pytest.hookimpl(tryfirst=True)  # pytest-benchmark's own names the branch
def pytest_benchmark_generate_commit_info() -> dict[str, Any]:
    """The commit, and no name of a folder or of a branch."""
    info = get_commit_info("ganzoo")
    return {name: info[name] for name in ("id", "time", "dirty")}


@pytest.fixture
def measure(measure: Measure) -> Measure:
    """The clock, with the goal of what is measured beside it."""
    measure.record(goal=goal(measure.benchmark.name, measure.setting.device.type))
    return measure


@pytest.fixture(scope="session")
def reference_process(pytestconfig: pytest.Config) -> Iterator[ProcessPoolExecutor]:
    """Where the reference loops run, as in a program that knows nothing of ganzoo's allocator and other switches."""
    with processes(1, pytestconfig.stash[ENVIRONMENT]) as pools:
        yield pools[0]
