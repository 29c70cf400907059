"""What is kept of a session: enough to judge it, nothing that says whose machine it was, and fit to be compared."""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def run(*words: str | Path) -> str:
    """What a module says that is run as a command, from the top of the repository."""
    command = [sys.executable, "-m", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that a session of one benchmark leaves."""
    file = tmp_path_factory.mktemp("result") / "result.json"
    chosen = ("benchmarks/test_zoo.py", "-k", "test_training and dcgan", "--smoke", "--device", "cpu")
    run("pytest", *chosen, f"--benchmark-json={file}")
    return file


def strings(content: Any) -> list[str]:
    """All strings of a JSON document, keys among them."""
    if isinstance(content, dict):
        return [text for pair in content.items() for part in pair for text in strings(part)]
    if isinstance(content, list):
        return [text for part in content for text in strings(part)]
    return [content] if isinstance(content, str) else []


def assert_anonymous(file: Path) -> None:
    folders = ("/", str(ROOT), str(Path.home()), tempfile.gettempdir())
    for text in strings(json.loads(file.read_text(encoding="utf-8"))):
        assert platform.node() not in text.split("."), f"{file} names this machine"
        assert not text.startswith(folders), f"{file} names a folder: {text}"
        assert str(ROOT) not in text, f"{file} names a folder: {text}"


def test_a_result_says_what_was_measured_on_what(result: Path) -> None:
    content = json.loads(result.read_text(encoding="utf-8"))
    assert content["machine_info"].keys() >= {"cpu", "cpu threads", "torch", "python", "cuda"}
    (benchmark,) = content["benchmarks"]
    facts = benchmark["extra_info"]
    cycle = 8  # iterations of a round: R1 moves in every eighth
    assert facts["images_per_second"] == pytest.approx(4 * cycle / benchmark["stats"]["median"])
    assert facts["device"] == "cpu"
    assert facts["precision"] in ("fp32", "bf16")
    if Path("/proc/self/clear_refs").exists():
        assert 50 < facts["peak_memory_mib"] < 5000


def test_a_result_names_no_machine_and_no_folder(result: Path) -> None:
    assert_anonymous(result)


def test_the_results_that_are_kept_name_no_machine_and_no_folder() -> None:
    for file in (ROOT / "benchmarks" / "results").glob("*.json"):
        assert_anonymous(file)


def test_a_comparison_shows_what_became_slower(result: Path) -> None:
    content = json.loads(result.read_text(encoding="utf-8"))
    stats = content["benchmarks"][0]["stats"]
    for name in ("min", "max", "mean", "median"):
        stats[name] *= 2
    (result.parent / "slower.json").write_text(json.dumps(content), encoding="utf-8")
    compare = ("pytest_benchmark", f"--storage={result.parent}", "compare", "--between=median")
    assert "+100.0%" in run(*compare, "result", "slower")
