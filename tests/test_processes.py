"""`--processes` and torchrun as they are used: commands of their own, killed, interrupted, and as two machines."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from launched import ITERATIONS, LINE, PLUGIN, ends, started, until, worker
from shared import run_command
from trained import rows

from ganzoo.base.system import available_cores
from ganzoo.base.torchrun import launch_of
from ganzoo.cli.launch import own_failure
from ganzoo.cli.worker import PEER_LOST
from ganzoo.runs.checkpoint import checkpoints, read

pytestmark = pytest.mark.process


def curve(folder: Path) -> list[dict[str, float]]:
    """The metrics but for the speed, which is never the same."""
    return [{name: value for name, value in row.items() if name != "images_per_second"} for row in rows(folder)]


def newest(folder: Path) -> int:
    """The iteration of the last checkpoint; 0: there is none."""
    return max((int(path.name) for path in checkpoints(folder / "checkpoints")), default=0)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Iterator[Path]:
    """A folder with the toy."""
    folder = tmp_path_factory.mktemp("processes")
    (folder / "toy.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_DATA", str(data_folder))
        patch.setenv("COLUMNS", "300")
        yield folder


@pytest.fixture(scope="module")
def whole(workplace: Path) -> Path:
    """A run of two processes that nothing happened to."""
    with started(workplace, "ganzoo", *LINE.split(), "--processes", "2", "--out", "whole") as process:
        status, out, err = ends(process)
    assert (status, err) == (0, "")
    assert out.count("trains for 120 iterations in whole") == 1
    assert out.count("iteration 120/120") == 1
    return workplace / "whole"


linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by way of /proc")


def test_two_processes_leave_one_whole_run(whole: Path) -> None:
    assert [row["iteration"] for row in rows(whole)] == list(range(1, ITERATIONS + 1))
    assert json.loads((whole / "config.json").read_text())["processes"] == 2
    assert sorted(path.name for path in (whole / "checkpoints").iterdir()) == ["00000110", "00000120"]


def test_one_process_goes_on_with_what_two_began(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(whole.parent)
    shutil.copytree(whole, "handed-over")
    answer = run_command(*LINE.split(), "--epochs", "31", "--out", "handed-over")
    assert answer.status == 0, answer.err
    assert "continues at iteration 120 of 124" in answer.out
    assert curve(Path("handed-over"))[:ITERATIONS] == curve(whole)


def test_a_dry_run_of_two_processes_tells_their_speed_and_writes_nothing(workplace: Path) -> None:
    with started(workplace, "ganzoo", *LINE.split(), "--processes", "2", "--out", "dry", "--dry-run") as process:
        status, out, err = ends(process)
    assert (status, err) == (0, "")
    assert out.count("works; nothing was written") == 1
    assert not (workplace / "dry").exists()


@linux
def test_killed_processes_are_started_again_and_the_run_goes_on_in_its_folder(whole: Path) -> None:
    place, folder = whole.parent, whole.parent / "runs" / "toy-mnist-001"
    with started(place, "ganzoo", *LINE.split(), "--processes", "2") as process:
        until(lambda: newest(folder), process)
        leader = worker(process.pid, 0)
        os.kill(worker(process.pid, 1), signal.SIGKILL)
        until(lambda: worker(process.pid, 0) not in (0, leader), process)
        saved = newest(folder)
        until(lambda: newest(folder) > saved, process)
        os.kill(worker(process.pid, 0), signal.SIGKILL)
        status, _, err = ends(process)
    assert status == 0
    ended = [line for line in err.splitlines() if not line.startswith("Error: another process")]  # it may be seen first
    for rank, line in zip((1, 0), ended, strict=True):
        assert line.startswith(f"process {rank} was ended by SIGKILL; all start again from iteration ")
    assert [path.name for path in (place / "runs").iterdir()] == [folder.name]
    assert curve(folder) == curve(whole)  # neither gap nor repetition, and the same numbers


def is_free(port: int) -> bool:
    """Whether a server may have it. Of those below 30,000 nobody else is given one who asks for any."""
    with suppress(OSError), socket.create_server(("localhost", port)):
        return True
    return False


def test_two_agents_are_two_machines(whole: Path) -> None:
    port = next(port for port in random.sample(range(20_000, 30_000), 100) if is_free(port))
    agent = "torch.distributed.run --nnodes 2 --nproc-per-node 1 --rdzv-id job --rdzv-backend c10d"
    words = [*agent.split(), "--rdzv-endpoint", f"localhost:{port}", "--local-addr", "localhost"]
    run = ["-m", "ganzoo", *LINE.split(), "--out", "nodes"]
    with (
        started(whole.parent, *words, "--node-rank", "0", *run) as first,
        started(whole.parent, *words, "--node-rank", "1", *run) as second,
    ):
        said = [ends(first), ends(second)]
    assert [status for status, _, _ in said] == [0, 0], said
    assert "".join(out for _, out, _ in said).count("trains for 120 iterations in nodes") == 1
    assert curve(whole.parent / "nodes") == curve(whole)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--out", "toy.py/run"], 2, "'toy.py/run' cannot be made a run folder"),
        (["--fails", "1"], 1, "KeyError: 'a mistake in the toy'"),
    ],
    ids=["a user's mistake in all", "a plugin's mistake in one"],
)
def test_an_error_is_said_once_and_nothing_is_started_again(
    words: list[str], status: int, message: str, workplace: Path
) -> None:
    with started(workplace, "ganzoo", *LINE.split(), "--processes", "2", *words) as process:
        ended, out, err = ends(process)
    assert (ended, out) == (status, ""), err
    assert err.count(message) == 1
    assert "again" not in err
    assert len(err.splitlines()) == 1 or (status == 1 and err.count("Traceback") == 1)


def test_ctrl_c_ends_all_processes_with_one_word(workplace: Path) -> None:
    metrics = workplace / "stopped" / "metrics.jsonl"
    line = LINE.replace("--epochs 30", "--epochs 100000")
    with started(workplace, "ganzoo", *line.split(), "--processes", "2", "--out", "stopped") as process:
        until(metrics.exists, process)
        process.send_signal(signal.SIGINT)
        status, out, err = ends(process)
    assert (status, err) == (130, "")
    assert out.count("; `ganzoo resume stopped` goes on from iteration ") == 1


@linux
def test_ctrl_c_again_ends_all_processes_at_once_and_the_checkpoints_stay_whole(workplace: Path) -> None:
    folder, line = workplace / "stuck", [*LINE.split(), "--processes", "2", "--out", "stuck"]
    with started(workplace, "ganzoo", *line, "--stalls", "stuck") as process:
        until((folder / "stalls").exists, process)
        workers = [worker(process.pid, rank) for rank in range(2)]
        assert all(workers)
        process.send_signal(signal.SIGINT)
        until((folder / "told").exists, process)
        start_iteration = time.monotonic()
        process.send_signal(signal.SIGINT)
        status, _, err = ends(process)
    assert (status, err) == (130, "")
    assert time.monotonic() - start_iteration < 20  # a third of what the iteration takes
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert [int(path.name) for path in checkpoints(folder / "checkpoints") if read(path)] == [10, 20]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--batch-size 9 --processes 2", "cannot be divided evenly among 2 processes; try --batch-size 8"),
        ("--processes 1000", f"there may be {max(8, available_cores())}; try --processes {max(8, available_cores())}"),
        ("--processes 4096", "option 'processes' cannot be '4096'"),
    ],
)
def test_what_cannot_be_started_starts_nothing(
    words: str, message: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    answer = run_command(*LINE.split(), *words.split(), "--out", "none")
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert not (workplace / "none").exists()


def test_who_failed_first_decides_what_the_failure_is() -> None:
    assert own_failure([-signal.SIGKILL, PEER_LOST]) == 0
    assert own_failure([128 + signal.SIGTERM, -signal.SIGSEGV]) == 0
    assert own_failure([128 + signal.SIGTERM, 128 + signal.SIGTERM]) == 143
    assert own_failure([PEER_LOST, -signal.SIGTERM, 2]) == 2
    assert own_failure([-signal.SIGTERM, 1]) == 1


@linux
def test_a_launch_has_one_name_and_another_process_another() -> None:
    assert launch_of(os.getpid(), "job") == launch_of(os.getpid(), "job")
    assert len({launch_of(os.getpid(), "job"), launch_of(os.getppid(), "job"), launch_of(os.getpid(), "other")}) == 3


@linux
def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    child = (
        "import time; from ganzoo.base.system import end_with_parent; end_with_parent(); "
        "print('up', flush=True); time.sleep(99)"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.kill()
        assert process.stdout.read() == ""  # which ends when the child, too, has closed it
