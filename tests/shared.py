"""What several tests share: tiers, the command line in this process and a folder of its own, small trained runs."""

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch
import torch.distributed as dist
from filelock import FileLock
from hypothesis import settings
from trained import TINY as RUN
from trained import Toy

import ganzoo
from ganzoo.cli import main
from ganzoo.plugins import ENVIRONMENT
from ganzoo.testing.plugin import Registers

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of processes that tests start, too
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"].split(",")[0]))
"""One thread: tiny networks gain nothing from another, and lose much where tests of other processes share the cores."""

settings.register_profile("ganzoo", derandomize=True, database=None, deadline=None)
settings.load_profile("ganzoo")

TIERS = {
    "process": {"together", "installed", "benchmarked"},
    "browser": {"browser"},
    "docs": {"desk"},
}
"""Tiers that a test is in because of a fixture that it uses; the others, and all else, by a mark that it bears."""

TINY = "--limit 8 --batch-size 4 --epochs 1 --precision fp32"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests with the tiers of their fixtures, and those with data workers, before `-m` selects."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for tier, fixtures in TIERS.items():
            if used & fixtures:
                item.add_marker(tier)
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and item.callspec.params.get("workers"):
            item.add_marker("process")


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


class Command(Protocol):
    def __call__(self, *words: str) -> Answer: ...


def run_command(*words: str) -> Answer:
    """`ganzoo WORDS`, as the installed command would run it; what would be a traceback is let through."""
    out, err, status, files = io.StringIO(), io.StringIO(), 0, os.environ.get(ENVIRONMENT)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        finally:  # what `--plugin` left for processes that the command might have started
            os.environ.pop(ENVIRONMENT, None)
            if files is not None:
                os.environ[ENVIRONMENT] = files
    return Answer(status, out.getvalue(), err.getvalue())


def vouch(checkpoint: Path) -> None:
    """Makes a checkpoint's checksums those of its files as they are now: they find accidents, not forgeries."""
    sums = checkpoint / "SHA256SUMS"
    names = [line.partition("  ")[2] for line in sums.read_text().splitlines()]
    sums.write_text(
        "".join(f"{hashlib.sha256((checkpoint / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    )


class Together(Protocol):
    def __call__(self, function: Callable[..., Any], *arguments: object) -> list[Any]: ...


def _become(rank: int, port: int) -> None:
    place = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    os.environ.update(place, RANK=str(rank), WORLD_SIZE="2", LOCAL_RANK=str(rank))
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def together() -> Iterator[Together]:
    """Two processes as torchrun would start them: calls a function in both, at once, and gives both results."""
    stores, pools = [], list[ProcessPoolExecutor]()

    def call(function: Callable[..., Any], *arguments: object) -> list[Any]:
        if not pools:
            # Its types leave it out.
            store = dist.TCPStore("localhost", 0, is_master=True, wait_for_workers=False)  # type: ignore[attr-defined]
            stores.append(store)
            pools.extend(ProcessPoolExecutor(1, get_context("spawn"), _become, (rank, store.port)) for rank in range(2))
        try:
            return [future.result(120) for future in [pool.submit(function, *arguments) for pool in pools]]
        except BaseException:  # the other may wait for this one, for as long as gloo does
            for pool in pools:
                for process in list(pool._processes.values()):
                    process.kill()
                pool.shutdown()
            pools.clear()
            raise

    yield call
    for pool in pools:
        pool.shutdown()


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that is filled once, whichever of the processes that share the tests needs it first."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    done = folder.with_suffix(".done")
    with FileLock(folder.with_suffix(".lock")):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where data sets keep their files, instead of the user's cache."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session", autouse=True)
def not_the_users_own(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Data sets and caches in folders of the tests, wherever a test does not ask for others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_DATA", str(data_folder))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def place(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and lines wide enough for tables not to break."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANZOO_DATA", str(data_folder))
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


@pytest.fixture(autouse=True)
def no_other_python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test of the fast tier that starts another Python, which takes seconds: it belongs into `process`."""
    started: list[object] = []
    start = subprocess.Popen.__init__

    def note(self: "subprocess.Popen[Any]", args: Any, *rest: Any, **options: Any) -> None:
        words = [args] if isinstance(args, str | os.PathLike) else list(args)
        started.extend(word for word in words[:1] if Path(word).name.startswith("python"))
        start(self, args, *rest, **options)

    if not any(request.node.get_closest_marker(tier) for tier in (*TIERS, "slow", "learns")):
        monkeypatch.setattr(subprocess.Popen, "__init__", note)
    yield
    assert not started, f"mark it with @pytest.mark.process: it starts {started[0]}"


@pytest.fixture(autouse=True)
def exit_as_ever() -> Iterator[None]:
    """Puts back what Weights & Biases hooks into for good, in whichever test it is first asked for."""
    kept = sys.exit, sys.excepthook
    yield
    sys.exit, sys.excepthook = kept


@pytest.fixture(autouse=True)
def threads_as_ever() -> Iterator[None]:
    """Gives torch back the threads that a run, told of another number, took or left."""
    before = torch.get_num_threads()
    yield
    if torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched: all ways out lead where nobody listens."""
    for scheme in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")
    for scheme in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(scheme, raising=False)


@pytest.fixture
def wandb_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights & Biases without a network."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    pytest.importorskip("wandb").teardown()  # it reads the environment once


@pytest.fixture
def command(place: Path) -> Command:
    """The command line."""
    return run_command


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Path:
    """A folder with runs of two iterations: `dcgan` and `text2image` (16x16), `pix2pix` (32x32). Not to be changed."""

    def train(folder: Path) -> None:
        for line in (
            f"dcgan --image-size 16 {TINY}",
            f"pix2pix --image-size 32 {TINY} --limit 4 --batch-size 2",
            f"text2image --data openmoji --image-size 16 {TINY}",
        ):
            words = line.split()
            answer = run_command("run", *words, "--data-dir", str(data_folder), "--out", str(folder / words[0]))
            assert answer.status == 0, answer.err
            (folder / f"{words[0]}.txt").write_text(answer.out)

    return once(tmp_path_factory, "runs", train)


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Path:
    """A run of `trained.Toy`, four iterations as trained.TINY says, to be copied and resumed. Not to be changed."""
    options = {**RUN, "epochs": 1, "data_dir": data_folder}
    return once(tmp_path_factory, "toy", lambda folder: ganzoo.run(Toy, out=folder / "run", **options)) / "run"


@pytest.fixture
def toy(ganzoo_zoo: Registers) -> type[Toy]:
    """Add `trained.Toy` to the zoo for one test: `ganzoo run toy`."""
    ganzoo_zoo(Toy)
    return Toy


from browser import *  # noqa: E402, F403 - its fixtures; it takes what is above
from documented import *  # noqa: E402, F403 - likewise
