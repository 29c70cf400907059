"""Kills, cuts and floods a run until something is lost, and reports a table: `python tests/faults/soak.py --kills 100`.

`test_soak.py` is its short form.
"""

import argparse
import ctypes
import logging
import math
import multiprocessing
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from typing import Any

INTERVAL, PER_EPOCH = 3, 16
OPTIONS: dict[str, Any] = {
    "image_size": 16,
    "limit": 4 * PER_EPOCH,
    "batch_size": 4,
    "checkpoint_every": INTERVAL,
    "log_every": 2,
    "sample_every": 7,
    "precision": "fp32",
    "lr_schedule": "constant",  # others depend on the length of the run, which is another for the one left alone
    "threads": 1,
}


@dataclass
class Row:
    """What became of one kind of fault."""

    fault: str
    times: int = 0
    unreadable: int = 0
    """Times after which no whole checkpoint was left, or one that is damaged was taken for whole."""
    lost: int = 0
    """Times after which more was lost than what came after the last checkpoint."""
    remark: str = ""


def train(folder: Path, epochs: int, iteration: "ctypes.c_int64", writing: "ctypes.c_int64") -> None:
    """A run, in a process of its own, that says how far it is."""
    import ganzoo
    from ganzoo.contract.callback import Callback
    from ganzoo.runs import checkpoint
    from ganzoo.training.trainer import Trainer

    class Tell(Callback):
        """Writes the iteration where the parent can read it."""

        def on_step_end(self, trainer: Trainer) -> None:
            iteration.value = trainer.engine.iteration

    original = checkpoint.write

    def told(folder: Path, iteration: int, files: Mapping[str, bytes], shared: Mapping[str, bytes]) -> Path:
        writing.value = 1
        try:
            return original(folder, iteration, files, shared)
        finally:
            writing.value = 0

    checkpoint.write = told
    ganzoo.run("dcgan", out=folder, callback=Tell(), epochs=epochs, **OPTIONS)


def kill(times: int, draw: random.Random) -> Row:
    """Kills a run at random moments, every second time while it writes; it must end as one that was left alone."""
    from ganzoo.runs.checkpoint import DamagedCheckpoint, checkpoints, read

    row, folder = Row("kill -9 at a random moment"), Path(tempfile.mkdtemp()) / "run"
    context = multiprocessing.get_context("forkserver")  # torch is imported once, and no thread is forked
    context.set_forkserver_preload(["ganzoo.training.run", "ganzoo.api", "torchvision.datasets", "torchvision.utils"])
    in_writing = whole = 0
    for _ in range(times):
        iteration, writing = RawValue(ctypes.c_int64, -1), RawValue(ctypes.c_int64, 0)
        process = context.Process(target=train, args=(folder, 10**6, iteration, writing))
        process.start()
        if row.times % 5 != 4:  # else it may still be getting ready
            wait(iteration, 0, process)
        time.sleep(draw.uniform(0, 0.5))  # the random moment itself
        if row.times % 2 and iteration.value >= 0:
            wait(writing, 1, process)
            time.sleep(draw.uniform(0, 0.02))
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        in_writing += writing.value
        row.times += 1
        reached, before, whole = iteration.value, whole, 0
        for saved in checkpoints(folder / "checkpoints"):
            try:
                read(saved)
                whole = int(saved.name)
            except DamagedCheckpoint:
                row.unreadable += 1
        # An iteration that was due to be saved may have been reached, and its checkpoint not yet be written.
        row.lost += whole < max(before, reached - INTERVAL)
    row.remark = f"{in_writing} of them while a checkpoint was written; {compare(folder, whole)}"
    return row


def compare(killed: Path, iteration: int) -> str:
    """Ends the killed run, and one that was left alone: both must be the same to the last bit."""
    import ganzoo
    from ganzoo.runs.checkpoint import checkpoints

    epochs, whole = iteration // PER_EPOCH + 1, killed.with_name("whole")
    for folder in (killed, whole):
        options = OPTIONS if folder == killed else {**OPTIONS, "checkpoint_every": 10**6}
        ganzoo.run("dcgan", out=folder, epochs=epochs, **options)
    ends = [checkpoints(folder / "checkpoints")[-1] for folder in (killed, whole)]
    for name in ("networks", "optimizers", "process-0"):
        contents = [(end / f"{name}.safetensors").read_bytes() for end in ends]
        assert contents[0] == contents[1], f"{name} differs from that of a run that was never killed"
    shutil.rmtree(killed.parent)
    return f"iteration {epochs * PER_EPOCH} the same to the last bit as in a run left alone"


def damage(flips: int, draw: random.Random) -> Iterator[Row]:
    """Cuts off every file of the last checkpoint at each sixteenth of its length, and flips bits."""
    import ganzoo
    from ganzoo.runs.checkpoint import checkpoints

    folder = Path(tempfile.mkdtemp()) / "run"
    ganzoo.run("dcgan", out=folder, epochs=1, **OPTIONS)
    files = sorted(checkpoints(folder / "checkpoints")[-1].iterdir())
    before = checkpoints(folder / "checkpoints")[-2]
    cut, flip = Row("checkpoint cut off at each 1/16"), Row("bit flipped in a checkpoint")
    for file in files:
        content = file.read_bytes()
        for sixteenth in range(16):
            file.write_bytes(content[: len(content) * sixteenth // 16])
            count(cut, folder, before)
        for _ in range(math.ceil(flips / len(files))):
            flipped = bytearray(content)
            flipped[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            file.write_bytes(flipped)
            count(flip, folder, before)
        file.write_bytes(content)
    cut.remark = flip.remark = "the one before is taken, and the log says which and why"
    shutil.rmtree(folder.parent)
    yield from (cut, flip)


def count(row: Row, folder: Path, before: Path) -> None:
    """Looks whether the checkpoint before the damaged one is taken, and whether the log says which was damaged."""
    from ganzoo.runs.checkpoint import checkpoints, newest

    logger, said = logging.getLogger("ganzoo"), queue.SimpleQueue[logging.LogRecord]()
    listener = QueueHandler(said)
    logger.addHandler(listener)
    try:
        found = newest(folder / "checkpoints")
    finally:
        logger.removeHandler(listener)
    which = said.get_nowait().getMessage() if not said.empty() else ""
    last = checkpoints(folder / "checkpoints")[-1].name
    row.times += 1
    row.unreadable += found is None or found[0] != before or f"the checkpoint {last} is damaged: " not in which


def suite() -> Row:
    """The tests beside this file, in their long form."""
    folder = Path(__file__).parent
    words = [sys.executable, "-m", "pytest", str(folder), "-rs", "--deselect", str(folder / "test_soak.py")]
    done = subprocess.run(words, env=os.environ | {"GANZOO_SOAK": "1"}, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout)  # noqa: T201 - what went wrong
    last = done.stdout.strip().splitlines()[-1]
    return Row("disks, plugins, pictures, archives, configs", 1, done.returncode, 0, last)


def wait(shared: "ctypes.c_int64", least: int, process: Any) -> None:
    """Until what a process tells is at least that; one that ended by itself has failed."""
    end = time.monotonic() + 120
    while shared.value < least:
        assert process.is_alive(), "the run ended by itself"
        assert time.monotonic() < end, "the run does not get on"
        time.sleep(0.0005)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311 - it keeps no secret
    rows = [kill(asked.kills, draw), *damage(asked.flips, draw), suite()]
    print("| fault | times | unreadable | lost beyond the interval | |\n| --- | ---: | ---: | ---: | --- |")  # noqa: T201
    for row in rows:
        print(f"| {row.fault} | {row.times} | {row.unreadable} | {row.lost} | {row.remark} |")  # noqa: T201
    return int(any(row.unreadable or row.lost for row in rows))


if __name__ == "__main__":
    sys.exit(main())
