"""One run, from its options to its folder."""

import logging
from contextlib import ExitStack
from pathlib import Path

from ganzoo.engine import checkpoint
from ganzoo.engine.callback import Callback
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.logbook import Logbook
from ganzoo.engine.loop import train
from ganzoo.engine.onlookers import Callbacks, looking_on
from ganzoo.engine.ranks import Ranks
from ganzoo.engine.resume import begin
from ganzoo.engine.signals import Interrupted
from ganzoo.engine.status import kept
from ganzoo.engine.torchrun import rank_and_count, this_launch
from ganzoo.engine.training import Training, prepare
from ganzoo.engine.trial import Trial, advised, try_out
from ganzoo.environment import DATA_FROM, GAN_FROM, command, environment
from ganzoo.errors import Diverged, OptionError, RunFolderError
from ganzoo.files import write_json
from ganzoo.options import RunOptions
from ganzoo.plugins import zoo

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
    ranks = join(options)
    out = out or begun(options, ranks)
    if out is not None:
        check_folder(RunFolder(out), options)
    all_of_them = Callbacks(callbacks, options.callback)
    return advised(lambda: _run(options, ranks, out, data_dir, all_of_them), options, data_dir)


def dry_run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None) -> Trial:
    """Checks all that `run` checks and trains for a few seconds. Writes nothing but downloads.

    Raises:
        UserError: what `run` would raise.
    """
    ranks = join(options)
    if out is not None:
        check_folder(RunFolder(out), options)
    Callbacks([], options.callback)  # which says what they lack
    return advised(lambda: _dry_run(options, ranks, out, data_dir), options, data_dir)


def join(options: RunOptions) -> Ranks:
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
    return Ranks.join(options.place())


def begun(options: RunOptions, ranks: Ranks) -> Path | None:
    """The folder of this very run, if its processes are started again after one was killed."""
    launch = this_launch()
    found = RunFolder.of_launch(RUNS, stem(options), launch) if launch and ranks.leads else None
    if found and options.differences(found.read(found.config)):
        found = None  # a program that makes several runs
    shared = ranks.tell(str(found.path).encode() if found else b"").decode()
    return Path(shared) if shared else None


def stem(options: RunOptions) -> str:
    """How the names of this run's folders begin."""
    return f"{options.gan.name}-{options.data.name}"


def _dry_run(options: RunOptions, ranks: Ranks, out: Path | None, data_dir: Path | None) -> Trial:
    training = prepare(options, data_dir, ranks)
    begin(training, RunFolder(out) if out is not None else None)
    return try_out(training)


def _run(options: RunOptions, ranks: Ranks, out: Path | None, data_dir: Path | None, callback: Callback) -> RunFolder:
    folder = RunFolder(out) if out is not None else None
    with ExitStack() as held:
        continues = folder is not None and folder.holds_run
        logbook = held.enter_context(Logbook()) if ranks.leads else None
        if continues and folder and ranks.leads:
            held.enter_context(folder.locked())
            checkpoint.remove_drafts(folder.checkpoints)
        training = prepare(options, data_dir, ranks)
        begin(training, folder)
        if not training.finished:  # a first iteration shows that it works; before it, nothing is written
            training.meter.add(training.step(), training.engine.iteration)
        if logbook:
            folder = folder or RunFolder.new(RUNS, stem(options))
            if not continues:
                take(folder, held)
            with folder.written():
                write_down(training, folder)
                logbook.open(folder.log)
            held.enter_context(kept(training, folder))
            held.enter_context(looking_on(callback, training, folder))
        folder = RunFolder(Path(ranks.tell(str(folder.path if folder else "").encode()).decode()))
        if training.began < training.iterations:
            _train(training, folder, callback)
        if ranks.leads:
            callback.finished(training)
        ranks.wait()  # so that none is done before all is saved
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


def _train(training: Training, folder: RunFolder, callback: Callback) -> None:
    log.info("%s at iteration %d", "continued" if training.began else "begun", training.began)
    try:
        train(training, folder, callback)
    except (Interrupted, Diverged, RunFolderError) as error:
        log.info("%s", error)
        raise
    log.info("finished at iteration %d", training.engine.iteration)


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


def write_down(training: Training, folder: RunFolder) -> None:
    """Writes what is run, on what, and drops what will be made again."""
    write_json(folder.config, training.options.model_dump(mode="json"))
    write_json(folder.data, training.spec.model_dump(mode="json"))
    launch = this_launch()
    about = {"command": command(), **({"launch": launch} if launch else {}), **plugins_of(training.options)}
    write_json(folder.environment, {**about, **environment()})
    folder.drop_metrics_after(training.began)
    checkpoint.set_aside_after(folder.checkpoints, training.began)


def plugins_of(options: RunOptions) -> dict[str, str]:
    """What brought the GAN and the data set: the distribution and its version, or a file's name."""
    return {
        GAN_FROM: zoo().gans.origin(type(options.gan)),
        DATA_FROM: zoo().datasets.origin(type(options.data)),
    }
