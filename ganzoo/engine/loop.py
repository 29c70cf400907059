"""The loop of training: iterations, and what is left behind between them."""

import logging
from collections.abc import Mapping

from ganzoo import pictures
from ganzoo.engine import checkpoint, state
from ganzoo.engine.alarm import Alarms
from ganzoo.engine.callback import Callback
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.ranks import LaggedVote, Ranks
from ganzoo.engine.signals import Interrupted, StopSignals
from ganzoo.engine.training import Training
from ganzoo.errors import Diverged
from ganzoo.files import append_line

log = logging.getLogger(__name__)

SLOWER = 0.5
"""What learning rates are multiplied by when a run that diverged goes back."""
SLOWEST = SLOWER**10
"""Share of the learning rates from which it is no longer tried with lower ones."""


def train(training: Training, folder: RunFolder, callback: Callback) -> None:
    """The loop, entered after an iteration. Of several processes only the one that leads writes, and is looked on.

    Raises:
        Interrupted: a signal asked to stop; all is saved.
        Diverged: a loss or a weight is no number.
        RunFolderError: the folder cannot be written to.
    """
    engine, ranks = training.engine, training.engine.ranks
    alarms, votes, doomed = Alarms(engine.players), LaggedVote(ranks), -1
    returns = training.options.on_nan == "rollback"
    saves = returns and ranks.any(ranks.leads and not checkpoint.checkpoints(folder.checkpoints))
    """Whether there is nothing yet that could be gone back to."""
    with StopSignals() as signals:
        while True:
            if ranks.leads:
                callback.iterated(training)
            stop = votes.vote(signals.received)
            try:
                leave_behind(training, folder, callback, alarms)
                if saves or (stop and not training.finished):
                    save(training, folder)
            except Diverged as error:
                doomed = go_back(training, folder, error, doomed)
                if ranks.leads:
                    callback.went_back(training)
            saves = False
            if training.finished:
                return
            if stop:
                ranks.wait()  # where one is gone, its launcher ends the others, and one of them may still be saving
                raise Interrupted(stop, engine.iteration)
            training.meter.add(training.step(), engine.iteration)


def leave_behind(training: Training, folder: RunFolder, callback: Callback, alarms: Alarms) -> None:
    """Logs, samples, measures and saves, if it is time to.

    Raises:
        Diverged: a loss or a weight is no number. It is looked for where something is logged, measured or saved.
    """
    engine, options, last = training.engine, training.options, training.finished
    iteration, ranks = engine.iteration, engine.ranks
    logs, samples, saves = (
        last or iteration % every == 0 for every in (options.log_every, options.sample_every, options.checkpoint_every)
    )
    if logs:
        broken, row = training.meter.broken(), training.row()
        if ranks.leads:
            with folder.written():
                folder.append_metrics(row)
            callback.logged(training, row)
            alarms.look_at_losses(row, iteration)
        check(training, broken)
    if samples and ranks.leads:
        sample(training, folder, callback, alarms)
    evaluates = options.evaluate_every and (last or iteration % options.evaluate_every == 0)
    if evaluates:
        check(training, training.meter.broken())
        evaluate(training, folder, callback)
    if saves or ((logs or samples or evaluates) and ranks.any(training.is_best)):
        save(training, folder)


def sample(training: Training, folder: RunFolder, callback: Callback, alarms: Alarms) -> None:
    """Saves a grid of samples."""
    with training.meter.paused():
        fakes, iteration = training.samples(), training.engine.iteration
        file = folder.samples / f"{iteration:08}.png"
        with folder.written():
            pictures.save(pictures.grid(training.picture(fakes), training.picture_columns), file)
        alarms.look_at_samples(fakes, training.reals(), iteration)
    callback.sampled(training, file)


def evaluate(training: Training, folder: RunFolder, callback: Callback) -> None:
    """Measures what the networks make, in the process that leads, and judges by it."""
    if training.evaluation is None:
        return
    with training.meter.paused():
        line = training.evaluate(training.evaluation)
        with folder.written():
            append_line(folder.evaluations, line)
    callback.evaluated(training, line)


def save(training: Training, folder: RunFolder) -> None:
    """Makes a checkpoint, unless it was just made, or there is something in it that is no number.

    Raises:
        Diverged: there is.
        RunFolderError: it cannot be written.
    """
    engine, options = training.engine, training.options
    if training.saved == engine.iteration:
        return
    with training.meter.paused():
        check(training, training.meter.broken())
        files, shared = state.capture(training)
        training.saved = engine.iteration
        if not engine.ranks.leads:
            return
        best = training.best[0] if training.best else None
        with folder.written():
            folder.flush_metrics()
            checkpoint.write(folder.checkpoints, engine.iteration, files, shared)
            checkpoint.prune(folder.checkpoints, options.keep_last, options.keep_every, best)


def check(training: Training, broken: dict[str, int]) -> None:
    """Refuses to go on with losses or weights that are no numbers.

    Args:
        training: the run.
        broken: the loss terms that are none, and since which iteration.

    Raises:
        Diverged: naming the first.
    """
    if broken:
        term, since = min(broken.items(), key=lambda item: item[1])
        raise Diverged(f"training diverged: the loss '{term}' is NaN or infinite since iteration {since}")
    if name := training.engine.broken_weight():
        raise Diverged(f"training diverged: the weight '{name}' is NaN or infinite at {training.engine.iteration}")


def go_back(training: Training, folder: RunFolder, error: Diverged, doomed: int) -> int:
    """Puts a run that diverged back to the last checkpoint, with lower learning rates.

    Args:
        training: the run.
        folder: its folder.
        error: what was found.
        doomed: the iteration that it was put back to before; if there is nothing after it, the one before is taken.

    Returns:
        The iteration that it was put back to.

    Raises:
        Diverged: it should not, or cannot; with what can be done.
    """
    engine, ranks = training.engine, training.engine.ranks
    saved = [int(path.name) for path in checkpoint.checkpoints(folder.checkpoints)]
    last = f"the last good checkpoint is of iteration {saved[-1]}" if saved else "there is no checkpoint yet"
    if training.options.on_nan == "stop":
        raise Diverged(f"{error}; {last} ({folder.path}); try a lower --lr, --precision fp32 or --on-nan rollback")
    scale = engine.optimizers.scale * SLOWER
    if ranks.leads and saved[-1:] == [doomed] and len(saved) > 1:
        with folder.written():
            checkpoint.remove(checkpoint.checkpoints(folder.checkpoints)[-1])
    files = newest(folder, ranks)
    if not files:
        raise Diverged(f"{error}; {last} to go back to")
    if scale < SLOWEST:
        raise Diverged(
            f"{error}; {last} ({folder.path}); {engine.optimizers.scale:g} times the learning rates did not help"
        )
    put_back(training, folder, files)
    training.saved = -1  # whatever was saved after this iteration is to be saved again, with the lower learning rates
    engine.optimizers.scale = scale
    if ranks.leads:
        with folder.written():
            folder.drop_metrics_after(engine.iteration)
    log.warning("%s: going back to iteration %d, with %g times the learning rates", error, engine.iteration, scale)
    return engine.iteration


def put_back(training: Training, folder: RunFolder, files: Mapping[str, bytes]) -> None:
    """Puts a run in the state of a checkpoint's files; a best one whose checkpoint is gone by now counts no longer.

    It was pruned when a better one came, of which this checkpoint, an older one, does not know.

    Raises:
        RunFolderError: see `state.restore`.
    """
    state.restore(training, files)
    if training.engine.ranks.leads and training.best:  # the only one that judges, and saves what it judged
        kept = [int(path.name) for path in checkpoint.checkpoints(folder.checkpoints)]
        training.best = training.best if training.best[0] in kept else None


def newest(folder: RunFolder, ranks: Ranks) -> dict[str, bytes]:
    """The files of the newest whole checkpoint, which the process that leads reads; none if there is none.

    Raises:
        RunFolderError: there are checkpoints, and all of them are damaged.
    """
    found = checkpoint.newest(folder.checkpoints) if ranks.leads else None
    return state.sent_to_all(found[1] if found else {}, ranks)
