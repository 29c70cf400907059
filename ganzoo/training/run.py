"""One run, from its options to its folder."""

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
"""Where run folders go unless one is named."""


def run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None, *callbacks: Callback) -> RunFolder:
    """Trains, or goes on training, and leaves a run folder.

    Args:
        options: what to train on what.
        out: the folder; one that holds the same run is continued. None: a new one, `runs/GAN-DATA-001`.
        data_dir: where downloads are kept.
        callbacks: look on, beside those that the options name.

    Raises:
        UserError: what was asked cannot be done; nothing was written. OutOfMemory: a folder that was begun is whole.
        Diverged: a loss or a weight is no number.
        Interrupted: a signal asked to stop; all is saved.
        PeerError: another process of this run is gone.
    """
    distributed = join(options)
    out = out or begun(options, distributed)
    if out is not None:
        check_folder(RunFolder(out), options)
    all_of_them = CallbackList(callbacks, options.callback)
    return advised(lambda: _run(options, distributed, out, data_dir, all_of_them), options, data_dir)


def dry_run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None) -> Trial:
    """Checks all that `run` checks and trains for a few seconds. Writes nothing but downloads.

    Raises:
        UserError: what `run` would raise.
    """
    distributed = join(options)
    if out is not None:
        check_folder(RunFolder(out), options)
    CallbackList([], options.callback)  # which says what they lack
    return advised(lambda: _dry_run(options, distributed, out, data_dir), options, data_dir)


def join(options: RunOptions) -> DistributedContext:
    """Meets the other processes of this run, if torchrun started any.

    Raises:
        OptionError: there are not as many as was asked for.
    """
    count = rank_and_count()[1]
    if options.processes not in (1, count):
        raise OptionError(
            f"option 'processes' is {options.processes}, but there are {count}: leave it out, "
            f"and start your program with torchrun --nproc-per-node {options.processes}"
        )
    return DistributedContext.join(options.resolve_device())


def begun(options: RunOptions, distributed: DistributedContext) -> Path | None:
    """The folder of this very run, if its processes are started again after one was killed."""
    launch = this_launch()
    found = RunFolder.of_launch(RUNS, stem(options), launch) if launch and distributed.is_main_process else None
    if found and options.differences(found.read(found.config)):
        found = None  # a program that makes several runs
    shared = distributed.broadcast_object(str(found.path).encode() if found else b"").decode()
    return Path(shared) if shared else None


def stem(options: RunOptions) -> str:
    """How the names of this run's folders begin."""
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
        if not trainer.finished:  # a first iteration shows that it works; before it, nothing is written
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
        distributed.barrier()  # so that none is done before all is saved
    return folder


def take(folder: RunFolder, held: ExitStack) -> None:
    """Makes a folder this run's own, for as long as it is held.

    Raises:
        RunFolderError: it cannot be made, or another process was faster.
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
    """Refuses a folder that cannot take this run.

    Raises:
        RunFolderError: it is a file, or holds another run, or other files.
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
    """Writes what is run, on what, and drops what will be made again."""
    write_json(folder.config, trainer.options.model_dump(mode="json"))
    write_json(folder.data, trainer.spec.model_dump(mode="json"))
    launch = this_launch()
    about = {"command": command(), **({"launch": launch} if launch else {}), **plugins_of(trainer.options)}
    write_json(folder.environment, {**about, **environment()})
    folder.drop_metrics_after(trainer.start_iteration)
    checkpoint.quarantine_after(folder.checkpoints, trainer.start_iteration)


def plugins_of(options: RunOptions) -> dict[str, str]:
    """What brought the GAN and the data set: the distribution and its version, or a file's name."""
    return {
        GAN_FROM: zoo().gans.origin(type(options.gan)),
        DATA_FROM: zoo().datasets.origin(type(options.data)),
    }
