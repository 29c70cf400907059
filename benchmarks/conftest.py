"""What the benchmarks share: their options, their device, their clock, and what goes into their results."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from pytest_benchmark.utils import get_commit_info

from benchmarks.measure import Measure, now
from benchmarks.processes import processes
from benchmarks.setting import Setting
from benchmarks.table import goal, line
from ganzoo.engine.speed import Speed
from ganzoo.engine.training import Training
from ganzoo.environment import environment
from ganzoo.plugins import zoo

HERE = Path(__file__).parent
ENVIRONMENT = pytest.StashKey[dict[str, str]]()
"""Environment variables as they were before the engine changed any."""
LINES = pytest.StashKey[list[str]]()
"""What to print at the end."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ENVIRONMENT] = dict(os.environ)
    if config.option.benchmark_storage == "file://./.benchmarks":  # where pytest-benchmark would make a folder
        config.option.benchmark_storage = f"file://{HERE / 'results'}"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ganzoo")
    group.addoption("--smoke", action="store_true", help="tiny sizes and one round: try everything, measure nothing")
    group.addoption("--device", default="auto", help="cpu, cuda, cuda:1, ...; auto: CUDA if there is one")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every benchmark is timed by the clock that waits for the GPU, and shown in the table of its kind."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.benchmark(timer=now, group=item.name.partition("[")[0].removeprefix("test_")))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What takes a `training` is done for every GAN of the registry."""
    if "training" in metafunc.fixturenames:
        metafunc.parametrize("training", sorted(zoo().gans), indirect=True, scope="module")


def pytest_benchmark_generate_machine_info() -> dict[str, str]:
    """Versions and devices, and not the name of the machine."""
    return environment()


def pytest_benchmark_generate_commit_info() -> dict[str, Any]:
    """The commit, and no name of a folder or of a branch."""
    info = get_commit_info("ganzoo")
    return {name: info[name] for name in ("id", "time", "dirty")}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What pytest-benchmark's own tables do not show."""
    for text in config.stash.get(LINES, []):
        terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def setting(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    device = Speed(device=pytestconfig.getoption("--device")).place()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return Setting(device, tmp_path_factory.mktemp("data"), pytestconfig.getoption("--smoke"))


@pytest.fixture
def measure(benchmark: BenchmarkFixture, setting: Setting, pytestconfig: pytest.Config) -> Iterator[Measure]:
    if benchmark.disabled:
        pytest.skip("benchmarks are disabled")
    measure = Measure(benchmark, setting)
    measure.record(
        device=str(setting.device), smoke=setting.smoke or None, goal=goal(benchmark.name, setting.device.type)
    )
    yield measure
    if facts := line(benchmark.extra_info):
        pytestconfig.stash.setdefault(LINES, []).append(f"{benchmark.name}: {facts}")


@pytest.fixture(scope="module")
def training(request: pytest.FixtureRequest, setting: Setting) -> Training:
    """Each GAN in turn, at its own size and batch."""
    return setting.training(request.param)


@pytest.fixture(scope="session")
def reference_process(pytestconfig: pytest.Config) -> Iterator[ProcessPoolExecutor]:
    """Where the reference loops run, as in a program that knows nothing of ganzoo's allocator and other switches."""
    with processes(1, pytestconfig.stash[ENVIRONMENT]) as pools:
        yield pools[0]
