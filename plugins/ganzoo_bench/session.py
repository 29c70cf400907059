"""The suite under pytest, as `ganzoo bench` runs it: with pytest-benchmark, and nothing of the user's.

Neither conftest.py, ini files nor plugins of the folder it is called in change what is measured, nor do variables such
as PYTEST_ADDOPTS.
"""

import io
import os
import re
import shlex
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from ganzoo import GAN
from ganzoo.base.io import parse_json
from ganzoo.config import cli_name
from ganzoo.errors import GanzooError
from ganzoo.options import RunOptions
from ganzoo_bench import fixtures, suite
from ganzoo_bench.results import UNVERSIONED
from ganzoo_bench.setting import Asked, Given

SUITE = Path(str(suite.__file__))
OURS = (
    f"--config-file={os.devnull}",
    f"--rootdir={SUITE.parent}",
    "--noconftest",
    "--collect-in-virtualenv",
    "--import-mode=importlib",
    "--assert=plain",
    "--capture=no",
    "--benchmark-quiet",
    *(f"-pno:{plugin}" for plugin in ("cacheprovider", "logging", "warnings")),
    "-ppytest_benchmark.plugin",
)
"""What keeps pytest to itself: warnings and logs are seen as ever, what pytest says is not."""


@dataclass(frozen=True)
class Failure:
    """What of a GAN could not be measured, and why."""

    gan: str
    work: str
    error: BaseException
    given: Given = ()
    """The options that the session was given."""

    def __str__(self) -> str:
        """For the user."""
        if isinstance(self.error, GanzooError):
            return f"{self.gan} could not be measured ({self.work}): {as_asked(str(self.error), GAN.named(self.gan))}"
        last = traceback.extract_tb(self.error.__traceback__)[-1]
        reason = f"{type(self.error).__name__}: {' '.join(str(self.error).split())}"
        where = f"{Path(last.filename).name}, line {last.lineno}"
        hint = f"`{shlex.join(self.command())}` shows more"
        return f"{self.gan} could not be measured ({self.work}): {reason} ({where}); {hint}"

    def command(self) -> list[str]:
        """How the same GAN is tried as a run, with the plugins and the options of the session."""
        files = [file for file in os.environ.get("GANZOO_PLUGINS", "").split(os.pathsep) if file]
        plugins = [word for file in files for word in ("--plugin", file)]
        options = [word for name, value in self.given for word in _as_flag(name, str(value))]
        return ["ganzoo", "run", *plugins, self.gan, *options, "--dry-run"]


def as_asked(advice: str, gan: type[GAN]) -> str:
    """What an error advises for a run as it is typed for a measurement: `try -O image_size=64x64`."""
    options = {*gan.model_fields, *RunOptions.model_fields} - {"device", "processes"}  # these are none of `-O`
    known = "|".join(sorted(cli_name(name).replace("_", "-") for name in options))

    def option(found: re.Match[str]) -> str:
        return f"-O {found[1].replace('-', '_')}"

    with_values = re.sub(rf"(?:(?<=try )|(?<=or ))--({known}) (?=\w)", lambda found: f"{option(found)}=", advice)
    return re.sub(rf"(?<!\S)--({known})(?![\w.-])", option, with_values)


def _as_flag(name: str, value: str) -> tuple[str, ...]:
    flag, switch = name.replace("_", "-"), RunOptions.model_fields.get(name)
    if switch is not None and bool in (switch.annotation, *get_args(switch.annotation)):
        return (f"--{flag}" if value.lower() in ("true", "1", "yes", "on") else f"--no-{flag}",)
    return f"--{flag}", value


@dataclass
class Onlooker:
    """A plugin of pytest: says what is to be measured, and sees what happens."""

    asked: Asked
    tell: Callable[[str, str], object]
    """Is told the GAN and what will be measured of it next."""
    failures: dict[str, Failure] = field(default_factory=dict)
    """Of each GAN the first."""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[fixtures.ASKED] = self.asked

    @pytest.hookimpl(tryfirst=True)
    def pytest_benchmark_generate_commit_info(self) -> Mapping[str, Any]:
        """What is measured is an installed package: the folder that it is measured in has no say in it."""
        return {"id": UNVERSIONED, "time": None, "dirty": False}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        gan, work = _what(item)
        if gan in self.failures:
            pytest.skip("an earlier part of it failed")
        self.tell(gan, work)

    def pytest_benchmark_update_json(self, output_json: dict[str, Any]) -> None:
        """What failed once the clock had stopped, as networks do that have become no numbers, is not kept."""
        failed = {f"test_{failure.work}[{failure.gan}]" for failure in self.failures.values()}
        output_json["benchmarks"] = [entry for entry in output_json["benchmarks"] if entry["name"] not in failed]

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            gan, work = _what(item)
            self.failures.setdefault(gan, Failure(gan, work, call.excinfo.value, self.asked.given))


@dataclass(frozen=True)
class Measured:
    """What a session came to."""

    content: Mapping[str, Any] | None
    """Of the file of results, as pytest-benchmark writes it; None: nothing could be measured."""
    failures: tuple[Failure, ...]
    interrupted: bool


def run(asked: Asked, tell: Callable[[str, str], object]) -> Measured:
    """Measures, as it was asked.

    Args:
        asked: which GANs, on what.
        tell: is told the GAN and what will be measured of it next, while no clock runs.

    Raises:
        RuntimeError: pytest did not get as far as to measure, which is no mistake of the user's.
    """
    onlooker, said = Onlooker(asked, tell), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, _without_settings():
        file = Path(folder) / "result.json"
        places = [f"--benchmark-json={file}", f"--benchmark-storage=file://{folder}", f"--basetemp={folder}/made"]
        with redirect_stdout(said):
            status = pytest.main([*OURS, *places, str(SUITE)], plugins=[fixtures, onlooker])
        content = parse_json(file.read_bytes()) if file.exists() and file.stat().st_size else None
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise RuntimeError(f"pytest ended with {status!r}:\n{said.getvalue()}")
    return Measured(content, tuple(onlooker.failures.values()), status == pytest.ExitCode.INTERRUPTED)


@contextmanager
def _without_settings() -> Iterator[None]:
    """Within, no variable tells pytest anything, and none of its installed plugins is loaded by itself."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTEST_")}
    for name in kept:
        del os.environ[name]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("PYTEST_")]:
            del os.environ[name]
        os.environ.update(kept)


def _what(item: pytest.Item) -> tuple[str, str]:
    """The GAN and the work that a test measures."""
    work, _, gan = item.name.partition("[")
    return gan.removesuffix("]"), work.removeprefix("test_")
