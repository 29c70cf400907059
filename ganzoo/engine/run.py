"""One run, from its options to its folder."""

from pathlib import Path

from ganzoo.engine import checkpoint
from ganzoo.engine.folder import RunFolder, write_json
from ganzoo.engine.meter import Meter
from ganzoo.engine.ranks import Ranks
from ganzoo.engine.torchrun import rank_and_count, this_launch
from ganzoo.engine.training import Callback, Training, draw_apart, prepare, train
from ganzoo.engine.trial import Trial, advised, try_out
from ganzoo.environment import command, environment
from ganzoo.errors import OptionError, RunFolderError
from ganzoo.options import RunOptions

RUNS = Path("runs")
"""Where run folders go unless one is named."""


def run(
    options: RunOptions, out: Path | None = None, data_dir: Path | None = None, callback: Callback | None = None
) -> RunFolder:
    """Trains, or goes on training, and leaves a run folder.

    Args:
        options: what to train on what.
        out: the folder; one that holds the same run is continued. None: a new one, `runs/GAN-DATA-001`.
        data_dir: where downloads are kept.
        callback: looks on.

    Raises:
        UserError: what was asked cannot be done; nothing was written. OutOfMemory: a folder that was begun is whole.
    """
    options, ranks = join(options)
    out = out or begun(options, ranks)
    if out is not None:
        check_folder(RunFolder(out), options)
    return advised(lambda: _run(options, ranks, out, data_dir, callback or Callback()), options, data_dir)


def dry_run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None) -> Trial:
    """Checks all that `run` checks and trains for a few seconds. Writes nothing but downloads.

    Raises:
        UserError: what `run` would raise.
    """
    options, ranks = join(options)
    if out is not None:
        check_folder(RunFolder(out), options)
    return advised(lambda: _dry_run(options, ranks, out, data_dir), options, data_dir)


def _dry_run(options: RunOptions, ranks: Ranks, out: Path | None, data_dir: Path | None) -> Trial:
    training = prepare(options, data_dir, ranks)
    if out is not None:
        take_up(training, RunFolder(out))
    return try_out(training)


def _run(options: RunOptions, ranks: Ranks, out: Path | None, data_dir: Path | None, callback: Callback) -> RunFolder:
    meter = Meter(ranks)
    training = prepare(options, data_dir, ranks)
    if out is not None:
        take_up(training, RunFolder(out))
    if not training.finished:
        meter.add(training.step())  # shows that it works: before it, nothing is written
    if ranks.leads:
        folder = RunFolder(out) if out is not None else RunFolder.new(RUNS, stem(options))
        write_down(training, folder)
        callback.started(training, folder)
    folder = RunFolder(Path(ranks.share(str(folder.path).encode() if ranks.leads else b"").decode()))
    if training.began < training.iterations:
        train(training, folder, meter, callback)
    if ranks.leads:
        callback.finished(training)
    ranks.wait()  # so that none is done before all is saved
    return folder


def join(options: RunOptions) -> tuple[RunOptions, Ranks]:
    """Meets the other processes of this run, if torchrun started any; the options say how many there are.

    Raises:
        OptionError: there are not as many as was asked for.
    """
    count = rank_and_count()[1]
    if options.processes not in (1, count):
        raise OptionError(
            f"option 'processes' is {options.processes}, but there are {count}: leave it out, "
            f"and start your program with torchrun --nproc-per-node {options.processes}"
        )
    return options.model_copy(update={"processes": count}), Ranks.join(options.place())


def begun(options: RunOptions, ranks: Ranks) -> Path | None:
    """The folder of this very run, if its processes are started again after one was killed."""
    launch = this_launch()
    found = RunFolder.of_launch(RUNS, stem(options), launch) if launch and ranks.leads else None
    if found and options.differences(found.read(found.config)):
        found = None  # a program that makes several runs
    shared = ranks.share(str(found.path).encode() if found else b"").decode()
    return Path(shared) if shared else None


def stem(options: RunOptions) -> str:
    """How the names of this run's folders begin."""
    return f"{options.gan.name}-{options.data.name}"


def check_folder(folder: RunFolder, options: RunOptions) -> None:
    """Refuses a folder that cannot take this run.

    Raises:
        RunFolderError: it holds another run, or other files.
    """
    if folder.holds_run:
        if different := options.differences(folder.read(folder.config)):
            raise RunFolderError(
                f"{folder.path} holds another run: its {'; its '.join(different)}. "
                "Give the same options to continue it, or another --out"
            )
    elif folder.path.exists() and (not folder.path.is_dir() or any(folder.path.iterdir())):
        raise RunFolderError(f"{folder.path} is no run folder and not empty; give another --out")


def take_up(training: Training, folder: RunFolder) -> None:
    """Goes back to the last checkpoint, if there is one: to the same one in all processes."""
    ranks = training.engine.ranks
    saved = checkpoint.checkpoints(folder.checkpoints) if ranks.leads else []
    if last := ranks.share(saved[-1].name.encode() if saved else b"").decode():
        checkpoint.resume(training.engine, folder.checkpoints / last)
        training.began = training.engine.iteration
        draw_apart(ranks, training.options.seed, training.began)


def write_down(training: Training, folder: RunFolder) -> None:
    """Writes what is run, on what, and drops measurements that will be made again."""
    folder.create()
    write_json(folder.data, training.spec.model_dump(mode="json"))
    launch = this_launch()
    write_json(folder.environment, {"command": command(), **({"launch": launch} if launch else {}), **environment()})
    write_json(folder.config, training.options.model_dump(mode="json"))
    folder.drop_metrics_after(training.began)
