"""A desk at which a reader of the documentation sits: what the pages speak of lies on it, and a shell."""

import ast
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from fake_hub import TOKEN, served
from fences import Block, Line, lines
from props import SMALL, Runs, download, furnish, typed
from shared import once, run_command

import ganzoo
from docs.building.links import ROOT

MANY, FEW = 10_000, 100
"""Numbers from MANY on, of images to be made most of them, are cut to FEW."""

DIRECT = build_opener(ProxyHandler({}))
"""Opens pages of this machine, whatever way to others was told when a page was opened first."""
SERVED: dict[tuple[str, ...], tuple[int, str, str]] = {}
"""What `ganzoo serve` said, which is slow to start."""


class Desk:
    """Where a page is worked through, from its first block to its last."""

    def __init__(self, place: Path, runs: Runs) -> None:
        self.place, self.runs = place, runs
        self.module = ModuleType("page")
        """What blocks of Python are executed in, as if it were imported."""
        self.text = ""
        self.failures: list[str] = []
        """What commands said that did not end well."""

    def lay_out(self, text: str) -> None:
        """Puts there what a page speaks of."""
        furnish(self.place, text)
        self.runs.put(text, self.place)
        self.text = text

    def is_script(self, name: str) -> bool:
        """Whether a command of the page runs that file."""
        return re.search(rf"(?:\bpython3?|pytest) {re.escape(name)}", self.text) is not None

    def execute(self, block: Block) -> None:
        """Python, in the names that the blocks before it left; large numbers in it are cut."""
        tree = ast.fix_missing_locations(_Cut().visit(ast.parse(block.text)))
        exec(compile(tree, f"<block of line {block.line}>", "exec"), vars(self.module))  # noqa: S102 - it is what is tested

    def type(self, block: Block) -> None:
        """Commands, one by one."""
        for line in lines(block):
            status, out, err = self.run(line)
            if status:
                self.failures.append(f"line {block.line}: {line.typed}\n{out}\n{err}")
            elif line.into:
                Path(line.into).expanduser().write_text(out, encoding="utf-8")

    def run(self, line: Line) -> tuple[int, str, str]:
        """One command, cut to a tiny size; its exit status and what it said."""
        match line.words:
            case ("ganzoo", "serve", *words):
                return self._served(tuple(words))
            case ("ganzoo", *words):
                answer = run_command(*_cut(words))
                return answer.status, answer.out, answer.err
            case ("python3", "-m", "venv", folder):  # pip is the slow part of it
                return _shell(f"python3 -m venv --without-pip {folder}")
            case ("pip", "install", *words):
                return _installed(tuple(words))
            case ("pytest" | "pre-commit" | ".ci/run", *_):
                return 1, "", "this would run all tests within a test: fence it as sh, with a title of what it needs"
            case _:
                return _shell(line.typed)

    def _served(self, words: tuple[str, ...]) -> tuple[int, str, str]:
        """The page of a run, until it answers; then Ctrl-C. The same is not served again for another page."""
        if words in SERVED:
            return SERVED[words]
        command = [sys.executable, "-m", "ganzoo", "serve", *words, "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = process.stdout.readline()
            try:
                if found := re.search(r"http://127\.0\.0\.1:\d+/", said):
                    DIRECT.open(found[0], timeout=60).close()
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
        SERVED[words] = 0 if found else 1, said + out, err
        return SERVED[words]


class _Cut(ast.NodeTransformer):
    """Makes large numbers small that functions are given."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [_small(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = _small(keyword.value)
        return self.generic_visit(node)


def _small(node: ast.expr) -> ast.expr:
    is_large = isinstance(node, ast.Constant) and type(node.value) is int and node.value >= MANY
    return ast.Constant(FEW) if is_large else node


def _cut(words: list[str]) -> list[str]:
    """A command as it was typed, with sizes behind it that win over what it says."""
    words = [str(FEW) if word.isdigit() and int(word) >= MANY else word for word in words]
    more: list[str] = []
    if "run" in words:
        streamed = any("shards:" in word for word in words)
        more = typed({name: value for name, value in SMALL.items() if not (streamed and name == "limit")})
    if "--evaluate-every" in words:
        more += ["--evaluate-every", "2", "--evaluate-samples", "70"]
    if "evaluate" in words and "--samples" not in words:
        more += ["--samples", str(FEW)]
    if "--interpolate" in words:
        more += ["--frames", "8"]
    if "bench" in words and not any(word.endswith(".json") for word in words[:2]) and "--table" not in words:
        more += ["--smoke"]
    if "report" in words[:1]:
        more += ["--device", "cpu"]
    return [*words, *more]


@cache
def _installed(words: tuple[str, ...]) -> tuple[int, str, str]:
    """What pip says of packages that are here already, without fetching or changing anything."""
    offline = ["--dry-run", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *words, *offline], capture_output=True, text=True, cwd=ROOT
    )
    wrong = "does not provide the extra" in done.stderr
    return done.returncode or int(wrong), done.stdout, done.stderr


def _shell(typed: str) -> tuple[int, str, str]:
    """Any other command."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", typed], capture_output=True, text=True, env={**os.environ, "PATH": path}
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="session")
def named_runs(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Runs:
    """Runs that pages name."""
    return Runs(once(tmp_path_factory, "named", lambda folder: None))


@pytest.fixture
def desk(place: Path, named_runs: Runs, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An empty desk: no network, a home of its own, and trainings that are cut to a tiny size."""
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import progress_bar_states

    whole = ganzoo.run

    def cut(gan: Any, **options: Any) -> Any:
        return whole(gan, **options | SMALL)

    download(data_folder)
    monkeypatch.setitem(progress_bar_states, "_global", False)
    monkeypatch.setattr(ganzoo, "run", cut)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the fake speaks Git LFS
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
    (place / "home").mkdir()
    for name, value in {"HOME": str(place / "home"), "HF_TOKEN": TOKEN, "WANDB_MODE": "offline"}.items():
        monkeypatch.setenv(name, value)
    with served() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.repositories.clear()
        desk = Desk(place, named_runs)
        monkeypatch.setitem(sys.modules, desk.module.__name__, desk.module)
        yield desk
