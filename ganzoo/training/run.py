"""A run, from options to run folder."""

import logging
from contextlib import ExitStack
from pathlib import Path

from ganzoo.base.environment import DATA_FROM, GAN_FROM, command, environment
from ganzoo.base.io import write_json
from ganzoo.base.signals import Interrupted
from ganzoo.base.torchrun import rank_and_count, this_launch
from ganzoo.contract.callback import Callback
from ganzoo.distributed.context import DistributedContext
from ganzoo.errors import Diverged, OptionError, RunFolderError
from ganzoo.options.run import RunOptions
from ganzoo.plugins import zoo
from ganzoo.runs import checkpoint
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.status import kept
from ganzoo.training.callbacks.callback_list import CallbackList
from ganzoo.training.dry_run import Trial, advised, try_out
from ganzoo.training.resume import resume_or_initialize
from ganzoo.training.run_log import RunLog
from ganzoo.training.trainer import Trainer

log = logging.getLogger(__name__)

RUNS = Path("runs")
"""Default parent of run folders."""


def run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None, *callbacks: Callback) -> RunFolder:
    """Train, or resume training, and return the run folder.

    Args:
        options: options of the run.
        out: run folder; an existing folder of the same run is resumed (default: a new one, `runs/GAN-DATA-001`).
        data_dir: download directory.
        callbacks: callbacks in addition to those of the options.

    Raises:
        UserError: if the options cannot be used; nothing was written. OutOfMemory: an existing folder stays intact.
        Diverged: if a loss or a weight is NaN or infinite.
        Interrupted: on a signal to stop; everything is saved.
        PeerError: if another process of this run is gone.
    """
    distributed = join(options)
    out = out or begun(options, distributed)
    if out is not None:
        check_folder(RunFolder(out), options)
    all_of_them = CallbackList(callbacks, options.callback)
    return advised(lambda: _run(options, distributed, out, data_dir, all_of_them), options, data_dir)


def dry_run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None) -> Trial:
    """Run all checks of `run` and train for a few seconds. Writes only downloads.

    Raises:
        UserError: as in `run`.
    """
    distributed = join(options)
    if out is not None:
        check_folder(RunFolder(out), options)
    CallbackList([], options.callback)  # raises if they cannot be built
    return advised(lambda: _dry_run(options, distributed, out, data_dir), options, data_dir)


def join(options: RunOptions) -> DistributedContext:
    """Join the other processes of this run, if torchrun started any.

    Raises:
        OptionError: if their number differs from the option `processes`.
    """
    count = rank_and_count()[1]
    if options.processes not in (1, count):
        raise OptionError(
            f"option 'processes' is {options.processes}, but there are {count}: leave it out, "
            f"and start your program with torchrun --nproc-per-node {options.processes}"
        )
    return DistributedContext.join(options.resolve_device())


def begun(options: RunOptions, distributed: DistributedContext) -> Path | None:
    """Return the folder of this run if its processes were restarted after one was killed, else None."""
    launch = this_launch()
    found = RunFolder.of_launch(RUNS, stem(options), launch) if launch and distributed.is_main_process else None
    if found and options.differences(found.read(found.config)):
        found = None  # a program with several runs
    shared = distributed.broadcast_object(str(found.path).encode() if found else b"").decode()
    return Path(shared) if shared else None


def stem(options: RunOptions) -> str:
    """Return the common prefix of this run's folder names."""
    return f"{options.gan.name}-{options.data.name}"


def _dry_run(options: RunOptions, distributed: DistributedContext, out: Path | None, data_dir: Path | None) -> Trial:
    trainer = Trainer.setup(options, data_dir, distributed)
    resume_or_initialize(trainer, RunFolder(out) if out is not None else None)
    return try_out(trainer)


def _run(
    options: RunOptions,
    distributed: DistributedContext,
    out: Path | None,
    data_dir: Path | None,
    callbacks: CallbackList,
) -> RunFolder:
    folder = RunFolder(out) if out is not None else None
    with ExitStack() as held:
        continues = folder is not None and folder.holds_run
        logbook = held.enter_context(RunLog()) if distributed.is_main_process else None
        if continues and folder and distributed.is_main_process:
            held.enter_context(folder.locked())
            checkpoint.remove_drafts(folder.checkpoints)
        trainer = Trainer.setup(options, data_dir, distributed)
        resume_or_initialize(trainer, folder)
        if not trainer.finished:  # the first iteration runs before anything is written, to show that it works
            trainer.meter.add(trainer.step(), trainer.engine.iteration)
        if logbook:
            folder = folder or RunFolder.new(RUNS, stem(options))
            if not continues:
                take(folder, held)
            with folder.written():
                write_down(trainer, folder)
                logbook.open(folder.log)
            held.enter_context(kept(folder, lambda: trainer.engine.iteration, trainer.iterations))
        folder = RunFolder(Path(distributed.broadcast_object(str(folder.path if folder else "").encode()).decode()))
        held.enter_context(callbacks.running(trainer, folder))
        if trainer.start_iteration < trainer.iterations:
            _train(trainer, folder, callbacks)
        callbacks.on_train_end(trainer)
        distributed.barrier()  # so that no process ends before everything is saved
    return folder


def take(folder: RunFolder, held: ExitStack) -> None:
    """Create and lock a run's folder.

    Raises:
        RunFolderError: if it cannot be created, or another process has begun a run in it.
    """
    folder.create()
    held.enter_context(folder.locked())
    if folder.holds_run:
        raise RunFolderError(f"another process has begun a run in {folder.path}; give another --out")


def _train(trainer: Trainer, folder: RunFolder, callbacks: CallbackList) -> None:
    log.info("%s at iteration %d", "continued" if trainer.start_iteration else "begun", trainer.start_iteration)
    try:
        trainer.fit(folder, callbacks)
    except (Interrupted, Diverged, RunFolderError) as error:
        log.info("%s", error)
        raise
    log.info("finished at iteration %d", trainer.engine.iteration)


def check_folder(folder: RunFolder, options: RunOptions) -> None:
    """Check that a folder can hold this run.

    Raises:
        RunFolderError: if it is a file, or holds another run or other files.
    """
    if folder.path.exists() and not folder.path.is_dir():
        raise RunFolderError(f"{folder.path} is a file, where a run is to have its folder; give another --out")
    folder.check_own()
    folder.check_trains(", or give another --out")
    if folder.holds_run:
        if different := options.differences(folder.read(folder.config)):
            raise RunFolderError(
                f"{folder.path} holds another run: its {'; its '.join(different)}. "
                "Give the same options to continue it, or another --out"
            )
    elif folder.path.exists() and not folder.is_free:
        raise RunFolderError(f"{folder.path} is no run folder and not empty; give another --out")


def write_down(trainer: Trainer, folder: RunFolder) -> None:
    """Write options, data and environment, and drop later metrics and checkpoints, which will be made again."""
    write_json(folder.config, trainer.options.model_dump(mode="json"))
    write_json(folder.data, trainer.spec.model_dump(mode="json"))
    launch = this_launch()
    about = {"command": command(), **({"launch": launch} if launch else {}), **plugins_of(trainer.options)}
    write_json(folder.environment, {**about, **environment()})
    folder.drop_metrics_after(trainer.start_iteration)
    checkpoint.quarantine_after(folder.checkpoints, trainer.start_iteration)


def plugins_of(options: RunOptions) -> dict[str, str]:
    """Return the origins of the GAN and the data set: distribution and version, or a file name."""
    return {
        GAN_FROM: zoo().gans.origin(type(options.gan)),
        DATA_FROM: zoo().datasets.origin(type(options.data)),
    }
