"""Commands in processes of their own, and a toy for them to train in which any process may drop out."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PLUGIN = '''"""A toy in which each process drops out what it will (Nobody, 2026)."""

import os
import signal
import socket
import threading
from pathlib import Path

from torch import Tensor, nn

import ganzoo


class Stalling(nn.Flatten):
    """Once the folder has two checkpoints, waits in the second process for a signal, and then for much longer."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = Path(folder)

    def forward(self, images: Tensor) -> Tensor:
        if os.environ.get("RANK") == "1" and len([*self.folder.glob("checkpoints/0*")]) == 2:
            told, tells = socket.socketpair()
            tells.setblocking(False)
            signal.set_wakeup_fd(tells.fileno())
            (self.folder / "stalls").touch()
            told.recv(1)
            (self.folder / "told").touch()
            threading.Event().wait(60)
        return super().forward(images)


class Toy(ganzoo.Adversarial):
    """Small, with BatchNorm."""

    name = "toy"
    latent_dim: int = 4
    fails: str = "none"
    stalls: str = "none"

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        if os.environ.get("RANK", "") in self.fails.split(","):
            raise KeyError("a mistake in the toy")
        size = data.shape[0] * data.shape[1] * data.shape[2]
        generator = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, size), nn.Tanh(), nn.Unflatten(1, data.shape)
        )
        discriminator = nn.Sequential(Stalling(self.stalls), nn.Dropout(), nn.Linear(size, 1))
        return ganzoo.Networks(generator=generator, discriminator=discriminator)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(Toy)
'''
LINE = (
    "run toy --plugin toy.py --image-size 8 --limit 32 --batch-size 8 --epochs 30 --log-every 1 --sample-every 1000 "
    "--checkpoint-every 10 --precision fp32 --device cpu"
)
ITERATIONS = 120


@contextmanager
def started(place: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a folder, whose end is waited for; what is left of it is killed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    with subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=place,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ends(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its exit status, and what it said."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to it"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def worker(launcher: int, rank: int) -> int:
    """The process of that rank which this launcher started; 0: there is none now."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == launcher and f"RANK={rank}" in (folder / "environ").read_text().split("\0"):
                return int(folder.name)
    return 0
