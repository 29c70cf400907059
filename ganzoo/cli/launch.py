"""`--processes`: one command, run in several processes of this machine by torchrun's own agent."""

import logging
import os
import signal
import sys
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import rich_click as click
import torch
from torch.distributed.elastic.agent.server.api import WorkerSpec
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.rendezvous import RendezvousParameters
from torch.distributed.elastic.rendezvous.registry import get_rendezvous_handler

from ganzoo.base.system import available_cores
from ganzoo.base.torchrun import launch_of
from ganzoo.cli.worker import PEER_LOST
from ganzoo.distributed.context import DistributedContext
from ganzoo.errors import OptionError
from ganzoo.options.run import RunOptions
from ganzoo.runs.checkpoint import checkpoints
from ganzoo.runs.folder import RunFolder
from ganzoo.training.run import RUNS, stem

FORWARDED = "SIGTERM,SIGHUP,SIGQUIT,SIGUSR1"
"""Signals that reach the processes through the agent, beside Ctrl-C."""
TIME_TO_SAVE = 300
"""Seconds that processes may take to finish an iteration and save it once a signal was passed on to them.

Those that are left when one has failed have torch's 30: there is nothing that they could save."""
FEW = 8
"""As many processes as any machine may start, be its cores fewer."""


def launch(options: RunOptions, words: Sequence[str], out: Path | None) -> int:
    """Runs `ganzoo WORDS` in `options.processes` processes, which are started again if one is killed.

    Returns:
        The exit status: that of the process that failed, or 128 and the number of the signal that ended all.

    Raises:
        OptionError: there are too few cores or GPUs for them, or the batch cannot be divided among them.
    """
    _check_room(options)
    DistributedContext(world_size=options.processes).local_batch_size(options.batch_size)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_cores() // options.processes)))
    _quieten_torch()
    try:
        return _until_done(options, words, out, uuid.uuid4().hex)
    except SignalException as stop:
        return 128 + stop.sigval
    except KeyboardInterrupt:  # before the agent minds signals
        return 128 + signal.SIGINT


def _check_room(options: RunOptions) -> None:
    asked = f"option 'processes' cannot be '{options.processes}'"
    if options.resolve_device().type == "cuda":
        if options.processes > (gpus := torch.cuda.device_count()):
            raise OptionError(f"{asked}: each needs a GPU, and this machine has {gpus}; try --processes {gpus}")
    elif options.processes > (most := max(available_cores(), FEW)):
        raise OptionError(f"{asked}: with {available_cores()} cores there may be {most}; try --processes {most}")


def _until_done(options: RunOptions, words: Sequence[str], out: Path | None, run_id: str) -> int:
    restarts, newest = 0, _newest(options, out, "")
    while failures := _start(options.processes, run_id, words):
        if status := own_failure(failures.values()):
            return status
        before, newest = newest, _newest(options, out, launch_of(os.getpid(), run_id))
        restarts = 1 if newest != before else restarts + 1
        status, reason = _seen_from_outside(failures)
        if restarts > options.restarts:
            click.echo(f"{reason}; that is enough after {options.restarts} restarts without a checkpoint", err=True)
            return status
        where = f"from iteration {newest}" if newest else "from the beginning: there is no checkpoint yet"
        click.echo(f"{reason}; all start again {where}", err=True)
    return 0


def own_failure(codes: Collection[int]) -> int:
    """The exit status of a process that failed by itself; 0 if one was killed, and others failed for want of it."""
    for_want = {PEER_LOST}
    if any(code < 0 and code != -signal.SIGTERM for code in codes):
        for_want.add(128 + signal.SIGTERM)  # the agent tells those that are left to end
    return next((code for code in codes if code > 0 and code not in for_want), 0)


def _seen_from_outside(failures: Mapping[int, int]) -> tuple[int, str]:
    """The exit status and the words for processes of which none failed by itself."""
    # The one that was killed comes before those that the agent then told to end.
    rank, code = min(failures.items(), key=lambda failure: (failure[1] > 0, failure[1] == -signal.SIGTERM))
    if code > 0:
        return code, "the processes lost each other"
    return 128 - code, f"process {rank} was ended by {signal.Signals(-code).name}"


def _start(processes: int, run_id: str, words: Sequence[str]) -> dict[int, int]:
    """Runs them to their end; the exit codes of those that failed, by rank, as subprocess gives them."""
    meeting = RendezvousParameters(
        backend="c10d",
        endpoint="localhost:0",  # a free port
        run_id=run_id,
        min_nodes=1,
        max_nodes=1,
        local_addr="localhost",
    )
    spec = WorkerSpec(
        role="default",
        local_world_size=processes,
        rdzv_handler=get_rendezvous_handler(meeting),
        entrypoint=sys.executable,
        args=("-m", "ganzoo", *words),
        max_restarts=0,  # torch's would restart whatever it was that failed
        local_addr="localhost",
    )
    os.environ["TORCHELASTIC_SIGNALS_TO_HANDLE"] = FORWARDED
    with TemporaryDirectory(prefix="ganzoo-") as logs:
        agent = LocalElasticAgent(spec, DefaultLogsSpecs(log_dir=logs), shutdown_timeout=TIME_TO_SAVE)
        try:
            with _minding_ctrl_c(agent):
                result = agent.run()
        finally:
            spec.rdzv_handler.shutdown()
    return {rank: failure.exitcode for rank, failure in result.failures.items()}


@contextmanager
def _minding_ctrl_c(agent: LocalElasticAgent) -> Iterator[None]:
    """Within, the first Ctrl-C has the agent tell the processes to end, and wait; the second ends them at once."""
    pressed = False

    def press(number: int, _: FrameType | None) -> None:
        nonlocal pressed
        if not pressed:
            pressed = True
            raise SignalException("Ctrl-C", signal.Signals(number))  # which the agent passes on
        for worker in agent.get_worker_group().workers:
            if worker.id:  # once it is started, its process; it leads a group, of those that it started
                with suppress(ProcessLookupError):
                    os.killpg(worker.id, signal.SIGKILL)  # one that waits for a GPU would hear nothing else

    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _newest(options: RunOptions, out: Path | None, launch: str) -> int:
    """The iteration of the run's last checkpoint; 0 if there is none yet."""
    folder = RunFolder(out) if out else RunFolder.of_launch(RUNS, stem(options), launch)
    saved = checkpoints(folder.checkpoints) if folder else []
    return int(saved[-1].name) if saved else 0


def _quieten_torch() -> None:
    # What it says of processes that fail, they or we say already; its loggers have levels of their own.
    torch_says = logging.getLogger("torch.distributed.elastic")
    torch_says.addHandler(logging.NullHandler())
    torch_says.propagate = False
