"""The processes that read a stream: what goes wrong in them, what they obey, when they end."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streams import Anxious, Ending, Numbers, drawn, started_since

from ganzoo.data.stream_loader import AHEAD, StreamLoader
from ganzoo.errors import ContractError, DataError

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals and processes as Linux has them")
WORKERS = pytest.mark.parametrize("workers", [0, 1, 2])


@WORKERS
def test_broken_data_is_said_in_its_own_words(workers: int) -> None:
    before, batches = multiprocessing.active_children(), StreamLoader(Numbers(broken=7), 4, workers=workers)
    with pytest.raises(DataError, match=r"^row 'seven' is broken$"):
        drawn(batches, range(6))
    assert started_since(before) == []


@WORKERS
def test_a_stream_that_ends_breaks_the_contract(workers: int) -> None:
    with pytest.raises(ContractError, match=r"Ending\.read\(\) came to an end"):
        drawn(StreamLoader(Ending(), 4, workers=workers), range(6))


@LINUX
def test_a_worker_that_dies_is_no_riddle() -> None:
    with pytest.raises(DataError, match=r"a process that reads data has ended: .*(?s:.*)try --workers 1"):
        drawn(StreamLoader(Numbers(deadly=7), 4, workers=1), range(6))


@LINUX
def test_a_worker_that_dies_while_training_is_at_work_is_no_riddle_either() -> None:
    before, batches = multiprocessing.active_children(), StreamLoader(Numbers(), 4, workers=1)
    drawn(batches, [0])
    (worker,) = started_since(before)
    assert worker.pid

    def step(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            pass

    with pytest.raises(DataError, match=r"a process that reads data has ended: .*(?s:.*)try --workers 1"):
        step(worker.pid)
    batches.close()


@WORKERS
def test_what_readers_warn_of_is_logged_where_training_is(workers: int, caplog: pytest.LogCaptureFixture) -> None:
    batches = StreamLoader(Anxious(), 4, workers=workers)
    drawn(batches, range(3))
    batches.close()
    assert caplog.messages == [f"beware of {part}" for part in range(max(1, workers))]
    assert {record.process == os.getpid() for record in caplog.records} == {not workers}


@pytest.mark.process
@LINUX
def test_signals_to_a_whole_job_leave_the_workers_at_work() -> None:
    last = range(2, 4 * AHEAD)  # more than was read ahead
    undisturbed = StreamLoader(Numbers(), 4, workers=2)
    drawn(undisturbed, range(2))
    expected = drawn(undisturbed, last)
    undisturbed.close()
    before, batches = multiprocessing.active_children(), StreamLoader(Numbers(), 4, workers=2)
    drawn(batches, range(2))
    workers = started_since(before)
    assert len(workers) == 2
    names = "'SIGINT', 'SIGTERM', 'SIGUSR1'"
    sender = f"import os, signal, sys; [os.kill(int(p), getattr(signal, s)) for p in sys.argv[1:] for s in ({names})]"
    subprocess.run([sys.executable, "-c", sender, *(str(worker.pid) for worker in workers)], check=True)
    assert drawn(batches, last) == expected
    assert all(worker.is_alive() for worker in workers)
    batches.close()
    assert not any(worker.is_alive() for worker in workers)


STUCK = """
import multiprocessing, sys, threading
from ganzoo.data.stream_loader import StreamLoader
from streams import Numbers

class Stuck(Numbers):
    def read(self, *given):
        yield next(super().read(*given))
        threading.Event().wait()  # as on a server that keeps silent

if __name__ == "__main__":
    batches = StreamLoader(Stuck(), 1, workers=2)
    batches.draw(0)
    print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
    sys.stdin.read()
"""


@pytest.mark.process
@LINUX
@pytest.mark.parametrize("end", ["killed", "over"])
def test_workers_end_with_their_parent_whatever_they_wait_for(end: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    line, pipe = [sys.executable, "-c", STUCK], subprocess.PIPE
    with subprocess.Popen(line, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as parent:
        assert parent.stdin
        assert parent.stdout
        workers = [Path("/proc") / pid for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        assert all(map(runs, workers))
        if end == "killed":
            parent.kill()
        _, complaints = parent.communicate(timeout=60)
    assert (parent.returncode, complaints) == (-signal.SIGKILL if end == "killed" else 0, "")
    deadline = time.monotonic() + 30
    while any(map(runs, workers)):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.1)


def runs(process: Path) -> bool:
    """Whether a process is there and more than a name that waits to be struck off."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
