"""`ganzoo bench` on GANs of a loose file: what it measures, keeps, shows and refuses."""

import json
import platform
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ganzoo_bench import session
from ganzoo_bench.session import Failure, Measured
from ganzoo_bench.setting import Setting
from shared import Answer, Command, run_command

from ganzoo.base import io
from ganzoo.errors import SizeError

PLUGIN = ("--plugin", str(Path(__file__).with_name("small_gan.py")))
WORK = ["training", "generation", "saving", "resuming"]


@pytest.fixture(scope="module")
def benchmarked(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> tuple[Path, Answer]:
    """The result of a smoke pass over one GAN that can be measured and two that cannot, in a folder full of traps."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "conftest.py").write_text("raise RuntimeError('the user\\'s conftest.py is read')")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTEST_ADDOPTS", "--no-such-option-either")
        patch.setenv("COLUMNS", "300")
        gans = ("small-gan", "diverging-gan", "broken-gan")
        places = ("--data-dir", str(data_folder), "-o", "result.json")
        answer = run_command("bench", *PLUGIN, *gans, "--smoke", "--device", "cpu", "-O", "latent-dim=5", *places)
    assert {path.name for path in folder.iterdir()} == {"conftest.py", "pytest.ini", "result.json"}, "nothing else"
    return folder / "result.json", answer


def measured(file: Path) -> dict[str, dict[str, Any]]:
    """What a file holds of the GAN that can be measured, by its work."""
    return {entry["group"]: entry for entry in json.loads(file.read_text())["benchmarks"]}


def as_measured(file: Path, to: Path) -> Path:
    """The same result as if it were no smoke pass."""
    content = json.loads(file.read_text())
    for entry in content["benchmarks"]:
        del entry["extra_info"]["smoke"]
    to.write_text(json.dumps(content))
    return to


def test_the_result_holds_what_was_measured_of_what(benchmarked: tuple[Path, Answer]) -> None:
    file, _ = benchmarked
    found = measured(file)
    assert list(found) == WORK
    assert {entry["param"] for entry in found.values()} == {"small-gan"}, "what failed is not kept"
    for entry in found.values():
        facts = entry["extra_info"]
        assert (facts["gan"], facts["from"], facts["data"]) == ("small-gan", "small_gan.py", "mnist")
        assert (facts["device"], facts["size"], facts["batch_size"], facts["smoke"]) == ("cpu", "32x32", 4, True)
        assert facts["precision"] in ("fp32", "bf16")
        assert facts["options"] == {"latent_dim": "5"}
        assert entry["stats"]["rounds"] == 1
        if Path("/proc/self/clear_refs").exists():
            assert 50 < facts["peak_memory_mib"] < 5000
    for work in ("training", "generation"):
        entry = found[work]
        assert entry["extra_info"]["images_per_second"] == pytest.approx(4 / entry["stats"]["median"])
    assert found["saving"]["extra_info"]["checkpoint_mib"] > 0.1
    assert found["saving"]["stats"]["median"] > 2e-4, "a checkpoint is written each time that one is timed"
    machine = json.loads(file.read_text())["machine_info"]
    assert machine.keys() >= {"cpu", "cpu threads", "torch", "python", "ganzoo"}


def test_the_result_names_no_machine_no_folder_and_no_commit(benchmarked: tuple[Path, Answer]) -> None:
    file, _ = benchmarked
    text, content = file.read_text(), json.loads(file.read_text())
    assert content["commit_info"] == {"id": "unversioned", "time": None, "dirty": False}
    assert "node" not in content["machine_info"]
    for private in (str(file.parent), str(Path.home()) + "/", tempfile.gettempdir(), str(Path(__file__).parents[3])):
        assert private not in text
    assert f'"{platform.node()}"' not in text


def test_a_table_shows_median_spread_speed_and_memory(benchmarked: tuple[Path, Answer]) -> None:
    _, answer = benchmarked
    title, header, *rows, blank, legend = answer.out.splitlines()
    assert title.startswith("small-gan: 32x32, batch 4, latent_dim=5, on ")
    assert title.endswith("; a smoke pass, which measures nothing")
    assert header.split() == ["work", "median", "spread", "images/s", "memory", "note"]
    assert [row.split()[0] for row in rows] == ["training,", "making", "saving", "resuming"]
    assert " to " in rows[0]
    assert not blank
    assert legend.startswith("spread: ")


def test_what_cannot_be_measured_is_said_and_stops_no_other(benchmarked: tuple[Path, Answer]) -> None:
    _, answer = benchmarked
    assert answer.status == 2
    diverging, broken = answer.err.splitlines()
    assert diverging.startswith("Error: diverging-gan could not be measured (training): after ")
    assert "are no numbers any more" in diverging
    assert broken.startswith("broken-gan could not be measured (training): RuntimeError: ")
    tried = f"ganzoo run --plugin {PLUGIN[1]} broken-gan --latent-dim 5 --dry-run"
    assert broken.endswith(f"; `{tried}` shows more")


def test_kept_results_are_shown_again(command: Command, benchmarked: tuple[Path, Answer]) -> None:
    file, first = benchmarked
    answer = command("bench", str(file))
    assert (answer.status, answer.out) == (0, first.out)
    rows = json.loads(command("bench", str(file), "--json").out)
    assert [row["work"] for row in rows] == WORK
    for row, entry in zip(rows, measured(file).values(), strict=True):
        assert row["seconds"] == pytest.approx(entry["stats"]["median"])
        assert row["rounds"] == 1
        assert row["seconds_min"] == row["seconds_max"] == pytest.approx(row["seconds"])


def test_the_table_is_that_of_our_readme(command: Command, benchmarked: tuple[Path, Answer], place: Path) -> None:
    file = as_measured(benchmarked[0], place / "measured.json")
    text = command("bench", "--table", str(file)).out
    speeds = [measured(file)[work]["extra_info"]["images_per_second"] for work in WORK[:2]]
    assert "| GAN | images | " in text
    (row,) = [line for line in text.splitlines() if line.startswith("| `small-gan` |")]
    assert "| 32x32, batch 4, latent_dim=5 |" in row
    shown = [float(number.replace(",", "")) for number in row.split("|")[3].split(" / ")]
    assert shown == pytest.approx(speeds, rel=0.01)
    assert text.splitlines()[-1].startswith("Measured with torch ")
    assert text.splitlines()[-1].endswith(", small_gan.py.")
    readme = place / "README.md"
    readme.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n")
    answer = command("bench", str(file), "--into", "README.md")
    assert (answer.status, answer.out) == (0, ""), answer.err
    assert readme.read_text() == f"before\n<!-- benchmarks -->\n{text.rstrip()}\n<!-- /benchmarks -->\nafter\n"


REFUSED = {
    "bench no-such-gan": "no GAN is called 'no-such-gan'",
    "bench small-gan -o missing/result.json": "'missing/result.json' cannot be written: there is no folder 'missing'",
    "bench small-gan -o .": "'.' cannot be written: it is a folder",
    "bench missing.json": "'missing.json' cannot be read: No such file or directory",
    "bench broken.json": "broken.json is no result of pytest-benchmark",
    "bench hollow.json": "hollow.json is no result of pytest-benchmark",
    "bench odd.json": "odd.json is no result of pytest-benchmark",
    "bench zero.json": "zero.json is no result of pytest-benchmark",
    "bench huge.json": "huge.json is no result of pytest-benchmark",
    "bench roundless.json --json": "roundless.json is no result of pytest-benchmark",
    "bench bare.json --table": "bare.json is no result of pytest-benchmark",
    "bench one-sided.json": "one-sided.json is no result of pytest-benchmark",
    "bench broken.json --out result.json": "option '--out' is for what is measured: name a GAN",
    "bench small-gan --smoke --table": "option '--smoke' measures nothing that a table could show",
    "bench small-gan --json --table": "options '--json' and '--table' exclude each other",
    "bench small-gan --into broken.json": "broken.json has no <!-- benchmarks -->",
    "bench small-gan -O nothing=1": "no option is called 'nothing'",
    "bench small-gan -O batch_size": "option '--option' cannot be 'batch_size'; write NAME=VALUE",
    "bench small-gan -O batch_size=0": "option 'batch_size'",
    "bench small-gan -O device=cpu": "option '--option' cannot be 'device=cpu'; it is --device",
    "bench small-gan --device cuda:77": "option 'device' cannot be 'cuda:77'",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_measured(line: str, command: Command, place: Path) -> None:
    hollow = {"machine_info": {}, "commit_info": {"id": "1"}, "benchmarks": [{"name": "test_training[x]"}]}
    (place / "hollow.json").write_text(json.dumps(hollow))
    odd = {"gan": "x", "size": "1x1", "batch_size": 1, "device": "cpu", "precision": "fp32", "peak_memory_mib": "much"}
    stats = {"median": 1, "min": 1, "max": 1, "rounds": 9}
    entry = {"name": "test_saving[x]", "extra_info": odd, "stats": stats}
    (place / "odd.json").write_text(json.dumps({**hollow, "machine_info": {"cpu": "A"}, "benchmarks": [entry]}))
    (place / "broken.json").write_text("{")
    speed = {key: value for key, value in odd.items() if key != "peak_memory_mib"} | {"images_per_second": 3.0}
    sound = {"name": "test_training[x]", "extra_info": speed, "stats": stats}
    versions = {"cpu": "A", "torch": "2", "python": "3"}
    for name, other, machine in (
        ("zero", {"stats": {**stats, "median": 0}}, versions),
        ("huge", {"extra_info": {**speed, "seconds": 10**400}, "stats": {**stats, "median": 3}}, versions),
        ("roundless", {"stats": {key: value for key, value in stats.items() if key != "rounds"}}, versions),
        ("bare", {}, {"cpu": "A"}),
        ("one-sided", {"extra_info": {**speed, "ratio": 2.0}}, versions),
        ("sound", {}, versions),
    ):
        content = {**hollow, "machine_info": machine, "benchmarks": [{**sound, **other}]}
        (place / f"{name}.json").write_text(json.dumps(content))
    assert command("bench", "sound.json", "--table").status == 0, "but for what is wrong with it"
    answer = command(*line.split(), *PLUGIN)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"Error: {REFUSED[line]}")
    assert len(answer.err.splitlines()) == 1


def test_a_smoke_pass_makes_no_table(command: Command, benchmarked: tuple[Path, Answer]) -> None:
    answer = command("bench", "--table", str(benchmarked[0]))
    assert (answer.status, answer.err.partition(":")[2].strip()) == (
        2,
        "there is no table to make: no training was measured, nor images made",
    )


def measures(file: Path, *failures: Failure) -> Callable[..., Measured]:
    """A session that comes to what a file holds."""
    return lambda asked, tell: Measured(json.loads(file.read_text()), failures, interrupted=False)


def test_what_failed_is_told_where_there_is_no_table_either(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Failure("large-gan", "training", SizeError("it is too small; try --image-size 64x64 or --latent-dim 4"))
    monkeypatch.setattr(session, "run", lambda asked, tell: Measured(None, (failure,), interrupted=False))
    answer = command("bench", *PLUGIN, "large-gan", "--table")
    assert (answer.status, answer.out) == (2, "")
    advice = "try -O image_size=64x64 or -O latent_dim=4"
    assert answer.err == f"Error: large-gan could not be measured (training): it is too small; {advice}\n"


def test_what_was_measured_is_shown_even_if_it_cannot_be_kept(
    command: Command, benchmarked: tuple[Path, Answer], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_file = as_measured(benchmarked[0], place / "measured.json")
    readme = place / "README.md"
    readme.write_text("<!-- benchmarks -->\n<!-- /benchmarks -->\n")
    shown = command("bench", str(measured_file), "--table").out

    def write(file: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session, "run", measures(measured_file))
    monkeypatch.setattr(io, "write_atomically", write)
    answer = command("bench", *PLUGIN, "small-gan", "-o", "result.json")
    assert (answer.status, answer.out) == (2, command("bench", str(measured_file)).out)
    assert answer.err == ("Error: 'result.json' cannot be written: No space left on device; give another --out\n")
    answer = command("bench", *PLUGIN, "small-gan", "--into", "README.md")
    assert (answer.status, answer.out) == (2, shown)
    assert answer.err == "Error: 'README.md' cannot be written: No space left on device; give another --into\n"


def test_a_folder_that_may_not_be_searched(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_dir(self: Path) -> bool:  # as it is for everybody but root
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "is_dir", is_dir)
    answer = command("bench", "small-gan", "-o", "closed/result.json")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == "Error: 'closed/result.json' cannot be written: Permission denied; give another --out\n"


def test_a_smoke_pass_takes_what_it_is_told(place: Path, ganzoo_shards: Path) -> None:
    def options(**given: object) -> tuple[object, ...]:
        setting = Setting(torch.device("cpu"), place, smoke=True, given=tuple(given.items()))
        found = setting.options("lsgan")
        return found.image_size, found.batch_size, found.limit

    assert options() == ((32, 32), 4, 8)
    assert options(image_size="64x64") == ((64, 64), 4, 8)
    assert options(batch_size=16, limit=20) == ((32, 32), 16, 20)
    assert options(batch_size=16) == ((32, 32), 16, 16), "a batch is full"
    assert options(data=f"shards:{ganzoo_shards}") == ((32, 32), 4, None), "of a stream no rows can be picked"


@pytest.mark.process
@pytest.mark.filterwarnings("ignore::pytest_benchmark.logger.PytestBenchmarkWarning")  # of what it did not come to
def test_the_status_tells_what_stopped_it(command: Command) -> None:
    answer = command("bench", *PLUGIN, "small-gan", "stopped-gan", "--smoke", "--device", "cpu")
    assert answer.status == 128 + signal.SIGTERM
    assert "it was interrupted: what is not shown was not measured" in answer.err
    assert answer.out.startswith("small-gan: ")


def test_without_the_extra_it_says_what_to_install(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytest_benchmark", None)
    answer = command("bench", *PLUGIN, "small-gan")
    assert answer.status == 2
    assert answer.err.startswith(
        "Error: measuring needs pytest_benchmark, which is missing; pip install 'ganzoo[bench]'"
    )
