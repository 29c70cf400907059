"""The loop of training: iterations, and what is left behind between them."""

import logging
from collections.abc import Mapping

from ganzoo import pictures
from ganzoo.base.io import append_line
from ganzoo.base.signals import Interrupted, StopSignals
from ganzoo.contract.callback import Callback
from ganzoo.distributed.context import DistributedContext, LaggedVote
from ganzoo.errors import Diverged
from ganzoo.runs import checkpoint
from ganzoo.runs.folder import RunFolder
from ganzoo.training import state
from ganzoo.training.collapse_detector import CollapseDetector
from ganzoo.training.trainer import Trainer

log = logging.getLogger(__name__)

SLOWER = 0.5
"""What learning rates are multiplied by when a run that diverged goes back."""
SLOWEST = SLOWER**10
"""Share of the learning rates from which it is no longer tried with lower ones."""


def train(trainer: Trainer, folder: RunFolder, callback: Callback) -> None:
    """The loop, entered after an iteration. Of several processes only the one that leads writes, and is looked on.

    Raises:
        Interrupted: a signal asked to stop; all is saved.
        Diverged: a loss or a weight is no number.
        RunFolderError: the folder cannot be written to.
    """
    engine, distributed = trainer.engine, trainer.engine.distributed
    alarms, votes, doomed = CollapseDetector(engine.players), LaggedVote(distributed), -1
    returns = trainer.options.on_nan == "rollback"
    saves = returns and distributed.any(distributed.is_main_process and not checkpoint.checkpoints(folder.checkpoints))
    """Whether there is nothing yet that could be gone back to."""
    with StopSignals() as signals:
        while True:
            if distributed.is_main_process:
                callback.on_step_end(trainer)
            stop = votes.vote(signals.received)
            try:
                run_periodic_work(trainer, folder, callback, alarms)
                if saves or (stop and not trainer.finished):
                    save(trainer, folder)
            except Diverged as error:
                doomed = rollback(trainer, folder, error, doomed)
                if distributed.is_main_process:
                    callback.on_rollback(trainer)
            saves = False
            if trainer.finished:
                return
            if stop:
                # Where one is gone, its launcher ends the others, and one of them may still be saving.
                distributed.barrier()
                raise Interrupted(stop, engine.iteration)
            trainer.meter.add(trainer.step(), engine.iteration)


def run_periodic_work(trainer: Trainer, folder: RunFolder, callback: Callback, alarms: CollapseDetector) -> None:
    """Logs, samples, measures and saves, if it is time to.

    Raises:
        Diverged: a loss or a weight is no number. It is looked for where something is logged, measured or saved.
    """
    engine, options, last = trainer.engine, trainer.options, trainer.finished
    iteration, distributed = engine.iteration, engine.distributed
    logs, samples, saves = (
        last or iteration % every == 0 for every in (options.log_every, options.sample_every, options.checkpoint_every)
    )
    if logs:
        broken, row = trainer.meter.broken(), trainer.row()
        if distributed.is_main_process:
            with folder.written():
                folder.append_metrics(row)
            callback.on_log(trainer, row)
            alarms.look_at_losses(row, iteration)
        check(trainer, broken)
    if samples and distributed.is_main_process:
        sample(trainer, folder, callback, alarms)
    evaluates = options.evaluate_every and (last or iteration % options.evaluate_every == 0)
    if evaluates:
        check(trainer, trainer.meter.broken())
        evaluate(trainer, folder, callback)
    if saves or ((logs or samples or evaluates) and distributed.any(trainer.is_best)):
        save(trainer, folder)


def sample(trainer: Trainer, folder: RunFolder, callback: Callback, alarms: CollapseDetector) -> None:
    """Saves a grid of samples."""
    with trainer.meter.paused():
        fakes, iteration = trainer.samples(), trainer.engine.iteration
        file = folder.samples / f"{iteration:08}.png"
        with folder.written():
            pictures.save(pictures.grid(trainer.picture(fakes), trainer.picture_columns), file)
        alarms.look_at_samples(fakes, trainer.reals(), iteration)
    callback.on_sample(trainer, file)


def evaluate(trainer: Trainer, folder: RunFolder, callback: Callback) -> None:
    """Measures what the networks make, in the process that leads, and judges by it."""
    if trainer.evaluation is None:
        return
    with trainer.meter.paused():
        line = trainer.evaluate(trainer.evaluation)
        with folder.written():
            append_line(folder.evaluations, line)
    callback.on_evaluate(trainer, line)


def save(trainer: Trainer, folder: RunFolder) -> None:
    """Makes a checkpoint, unless it was just made, or there is something in it that is no number.

    Raises:
        Diverged: there is.
        RunFolderError: it cannot be written.
    """
    engine, options = trainer.engine, trainer.options
    if trainer.saved == engine.iteration:
        return
    with trainer.meter.paused():
        check(trainer, trainer.meter.broken())
        files, shared = state.state_dict(trainer)
        trainer.saved = engine.iteration
        if not engine.distributed.is_main_process:
            return
        best = trainer.best[0] if trainer.best else None
        with folder.written():
            folder.flush_metrics()
            checkpoint.write(folder.checkpoints, engine.iteration, files, shared)
            checkpoint.prune(folder.checkpoints, options.keep_last, options.keep_every, best)


def check(trainer: Trainer, broken: dict[str, int]) -> None:
    """Refuses to go on with losses or weights that are no numbers.

    Args:
        trainer: the run.
        broken: the loss terms that are none, and since which iteration.

    Raises:
        Diverged: naming the first.
    """
    if broken:
        term, since = min(broken.items(), key=lambda item: item[1])
        raise Diverged(f"training diverged: the loss '{term}' is NaN or infinite since iteration {since}")
    if name := trainer.engine.first_nonfinite_parameter():
        raise Diverged(f"training diverged: the weight '{name}' is NaN or infinite at {trainer.engine.iteration}")


def rollback(trainer: Trainer, folder: RunFolder, error: Diverged, doomed: int) -> int:
    """Puts a run that diverged back to the last checkpoint, with lower learning rates.

    Args:
        trainer: the run.
        folder: its folder.
        error: what was found.
        doomed: the iteration that it was put back to before; if there is nothing after it, the one before is taken.

    Returns:
        The iteration that it was put back to.

    Raises:
        Diverged: it should not, or cannot; with what can be done.
    """
    engine, distributed = trainer.engine, trainer.engine.distributed
    saved = [int(path.name) for path in checkpoint.checkpoints(folder.checkpoints)]
    last = f"the last good checkpoint is of iteration {saved[-1]}" if saved else "there is no checkpoint yet"
    if trainer.options.on_nan == "stop":
        raise Diverged(f"{error}; {last} ({folder.path}); try a lower --lr, --precision fp32 or --on-nan rollback")
    scale = engine.optimizers.scale * SLOWER
    if distributed.is_main_process and saved[-1:] == [doomed] and len(saved) > 1:
        with folder.written():
            checkpoint.remove(checkpoint.checkpoints(folder.checkpoints)[-1])
    files = latest_checkpoint(folder, distributed)
    if not files:
        raise Diverged(f"{error}; {last} to go back to")
    if scale < SLOWEST:
        raise Diverged(
            f"{error}; {last} ({folder.path}); {engine.optimizers.scale:g} times the learning rates did not help"
        )
    restore_checkpoint(trainer, folder, files)
    trainer.saved = -1  # whatever was saved after this iteration is to be saved again, with the lower learning rates
    engine.optimizers.scale = scale
    if distributed.is_main_process:
        with folder.written():
            folder.drop_metrics_after(engine.iteration)
    log.warning("%s: going back to iteration %d, with %g times the learning rates", error, engine.iteration, scale)
    return engine.iteration


def restore_checkpoint(trainer: Trainer, folder: RunFolder, files: Mapping[str, bytes]) -> None:
    """Puts a run in the state of a checkpoint's files; a best one whose checkpoint is gone by now counts no longer.

    It was pruned when a better one came, of which this checkpoint, an older one, does not know.

    Raises:
        RunFolderError: see `state.restore`.
    """
    state.load_state_dict(trainer, files)
    if (
        trainer.engine.distributed.is_main_process and trainer.best
    ):  # the only one that judges, and saves what it judged
        kept = [int(path.name) for path in checkpoint.checkpoints(folder.checkpoints)]
        trainer.best = trainer.best if trainer.best[0] in kept else None


def latest_checkpoint(folder: RunFolder, distributed: DistributedContext) -> dict[str, bytes]:
    """The files of the newest whole checkpoint, which the process that leads reads; none if there is none.

    Raises:
        RunFolderError: there are checkpoints, and all of them are damaged.
    """
    found = checkpoint.newest(folder.checkpoints) if distributed.is_main_process else None
    return state.sent_to_all(found[1] if found else {}, distributed)
