"""One run, from its options to its folder."""

from pathlib import Path

from ganzoo.engine import checkpoint
from ganzoo.engine.folder import RunFolder, write_json
from ganzoo.engine.meter import Meter
from ganzoo.engine.training import Callback, Training, prepare, train
from ganzoo.engine.trial import Trial, advised, try_out
from ganzoo.environment import command, environment
from ganzoo.errors import RunFolderError
from ganzoo.options import RunOptions


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
    if out is not None:
        check_folder(RunFolder(out), options)
    return advised(lambda: _run(options, out, data_dir, callback or Callback()), options, data_dir)


def dry_run(options: RunOptions, out: Path | None = None, data_dir: Path | None = None) -> Trial:
    """Checks all that `run` checks and trains for a few seconds. Writes nothing but downloads.

    Raises:
        UserError: what `run` would raise.
    """
    if out is not None:
        check_folder(RunFolder(out), options)
    return advised(lambda: _dry_run(options, out, data_dir), options, data_dir)


def _dry_run(options: RunOptions, out: Path | None, data_dir: Path | None) -> Trial:
    training = prepare(options, data_dir)
    if out is not None:
        take_up(training, RunFolder(out))
    return try_out(training)


def _run(options: RunOptions, out: Path | None, data_dir: Path | None, callback: Callback) -> RunFolder:
    meter = Meter()
    training = prepare(options, data_dir)
    if out is not None:
        take_up(training, RunFolder(out))
    if not training.finished:
        meter.add(training.step())  # shows that it works: before it, nothing is written
    stem = f"{options.gan.name}-{options.data.name}"
    folder = RunFolder(out) if out is not None else RunFolder.new(Path("runs"), stem)
    write_down(training, folder)
    callback.started(training, folder)
    if training.began < training.iterations:
        train(training, folder, meter, callback)
    callback.finished(training)
    return folder


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
    """Goes back to the last checkpoint, if there is one."""
    if saved := checkpoint.checkpoints(folder.checkpoints):
        checkpoint.resume(training.engine, saved[-1])
        training.began = training.engine.iteration


def write_down(training: Training, folder: RunFolder) -> None:
    """Writes what is run, on what, and drops measurements that will be made again."""
    folder.create()
    write_json(folder.data, training.spec.model_dump(mode="json"))
    write_json(folder.environment, {"command": command(), **environment()})
    write_json(folder.config, training.options.model_dump(mode="json"))
    folder.drop_metrics_after(training.began)
