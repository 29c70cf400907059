"""A plugin of pytest: what benchmarks share, which is options, device, clock, and what goes into results."""

from collections.abc import Iterator

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from ganzoo import GAN, PerformanceOptions, Trainer
from ganzoo.base.environment import environment
from ganzoo_bench.measure import Measure, now
from ganzoo_bench.setting import Asked, Setting
from ganzoo_bench.tables import line

ASKED = pytest.StashKey[Asked]()
"""What the session is to measure, if not what its command line says."""
LINES = pytest.StashKey[list[str]]()
"""What to print at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ganzoo")
    group.addoption("--smoke", action="store_true", help="tiny sizes and one round: try everything, measure nothing")
    group.addoption("--device", default="auto", help="cpu, cuda, cuda:1, ...; auto: CUDA if there is one")


def asked(config: pytest.Config) -> Asked:
    """What the session is to measure."""
    by_flags = Asked(device=config.getoption("--device"), smoke=config.getoption("--smoke"))
    return config.stash.get(ASKED, by_flags)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every benchmark is timed by the clock that waits for the GPU, and shown in the table of its kind."""
    for item in items:
        if "measure" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.benchmark(timer=now, group=item.name.partition("[")[0].removeprefix("test_")))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat what takes a `trainer` for every GAN that was asked for."""
    if "trainer" in metafunc.fixturenames:
        gans = asked(metafunc.config).gans
        metafunc.parametrize("trainer", sorted(GAN.choices()) if gans is None else gans, indirect=True, scope="module")


@pytest.hookimpl(tryfirst=True)  # pytest-benchmark's own names the machine
def pytest_benchmark_generate_machine_info() -> dict[str, str]:
    """Versions and devices, and not the name of the machine."""
    return environment()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What pytest-benchmark's own tables do not show."""
    for text in config.stash.get(LINES, []):
        terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def setting(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """What the session runs on."""
    told = asked(pytestconfig)
    device = PerformanceOptions(device=told.device).resolve_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return Setting(device, told.data or tmp_path_factory.mktemp("data"), told.smoke, told.given)


@pytest.fixture
def measure(benchmark: BenchmarkFixture, setting: Setting, pytestconfig: pytest.Config) -> Iterator[Measure]:
    """The clock, and where facts are written down."""
    if benchmark.disabled:
        pytest.skip("benchmarks are disabled")
    measure = Measure(benchmark, setting)
    measure.record(device=str(setting.device), smoke=setting.smoke or None)
    yield measure
    if facts := line(benchmark.extra_info):
        pytestconfig.stash.setdefault(LINES, []).append(f"{benchmark.name}: {facts}")


@pytest.fixture(scope="module")
def trainer(request: pytest.FixtureRequest, setting: Setting) -> Trainer:
    """Each GAN in turn, at its own size and batch."""
    return setting.training(request.param)
