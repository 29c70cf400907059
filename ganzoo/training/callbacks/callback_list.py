"""All callbacks of a run as one: built-in ones in a fixed order, and guests, whose failures do not stop the run."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo.base.rng import preserve_rng_state
from ganzoo.callbacks import CallbackConfig
from ganzoo.contract.callback import Callback
from ganzoo.errors import GanzooError
from ganzoo.runs.folder import RunFolder
from ganzoo.training.callbacks.checkpointer import Checkpointer
from ganzoo.training.callbacks.collapse_detector import CollapseDetector
from ganzoo.training.callbacks.evaluator import Evaluator
from ganzoo.training.callbacks.metrics_logger import MetricsLogger
from ganzoo.training.callbacks.sample_grid import SampleGrid

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer

log = logging.getLogger(__name__)


class CallbackList(Callback):
    """Calls several callbacks: at the end of a step first guests, then logging, sampling, evaluation and checkpoints.

    Every process calls the built-in ones, as means and checkpoints communicate with the other processes; only the main
    process calls guests.

    Args:
        own: callbacks of the program; their exceptions propagate.
        chosen: callbacks named in the options. They do not affect random numbers; one that raises is disabled, unless
            it raises a GanzooError, which ends the run.

    Raises:
        UserError: if one of the chosen cannot be built.
    """

    def __init__(self, own: Iterable[Callback] = (), chosen: Iterable[CallbackConfig] = ()) -> None:
        self.checkpointer = Checkpointer()
        self.built_in: tuple[Callback, ...] = (
            MetricsLogger(),
            SampleGrid(),
            Evaluator(),
            self.checkpointer,
            CollapseDetector(),
        )
        self.own = list(own)
        self.chosen = [(config.kind, config.build()) for config in chosen]
        self.begun: list[Callback] = []
        """Guests whose `on_train_start` succeeded, and whose `teardown` is still to be called."""

    @contextmanager
    def running(self, trainer: "Trainer", folder: RunFolder) -> Iterator[None]:
        """Call `on_train_start` on entry and `teardown` on exit, also after an error."""
        ending: BaseException | None = None
        try:
            self.on_train_start(trainer, folder)
            yield
        except BaseException as error:
            ending = error
            raise
        finally:
            self.teardown(trainer, ending)

    def on_train_start(self, trainer: "Trainer", folder: RunFolder) -> None:
        def start(callback: Callback) -> None:
            callback.on_train_start(trainer, folder)
            self.begun.append(callback)

        for callback in self.built_in:
            callback.on_train_start(trainer, folder)
        self._call_guests(trainer, start)

    def on_step_end(self, trainer: "Trainer") -> None:
        for callback in self.built_in:
            callback.on_step_end(trainer)

    def on_guests_step_end(self, trainer: "Trainer") -> None:
        """Call `on_step_end` of guests, before the built-in callbacks: a Diverged that they raise ends the run."""
        self._call_guests(trainer, lambda guest: guest.on_step_end(trainer), "on_step_end")

    def on_log(self, trainer: "Trainer", row: dict[str, float]) -> None:
        for callback in self.built_in:
            callback.on_log(trainer, row)
        self._call_guests(trainer, lambda guest: guest.on_log(trainer, dict(row)))

    def on_sample(self, trainer: "Trainer", file: Path) -> None:
        for callback in self.built_in:
            callback.on_sample(trainer, file)
        self._call_guests(trainer, lambda guest: guest.on_sample(trainer, file))

    def on_evaluate(self, trainer: "Trainer", line: dict[str, Any]) -> None:
        self._call_guests(trainer, lambda guest: guest.on_evaluate(trainer, line))

    def on_rollback(self, trainer: "Trainer") -> None:
        self._call_guests(trainer, lambda guest: guest.on_rollback(trainer))

    def on_train_end(self, trainer: "Trainer") -> None:
        self._call_guests(trainer, lambda guest: guest.on_train_end(trainer))

    def teardown(self, trainer: "Trainer", error: BaseException | None) -> None:
        """Call `teardown` of all started guests, even if one raises."""
        with ExitStack() as own:
            for callback in reversed(self.own):
                if callback in self.begun:
                    own.callback(callback.teardown, trainer, error)
            for name, callback in list(self.chosen):
                if callback in self.begun:
                    self._end(name, callback, trainer, error)

    def _call_guests(self, trainer: "Trainer", call: Callable[[Callback], None], method: str = "") -> None:
        if not trainer.is_main_process:
            return
        for callback in self.own:
            call(callback)
        for name, callback in list(self.chosen):
            if method and getattr(type(callback), method) is getattr(Callback, method):
                continue  # called every step: skip guests that do not override it
            try:
                with preserve_rng_state(trainer.engine.device):
                    call(callback)
            except GanzooError:
                raise
            except Exception as error:
                self._set_aside(name, callback, trainer, error)

    def _set_aside(self, name: str, callback: Callback, trainer: "Trainer", error: Exception) -> None:
        log.warning(
            "the callback '%s' failed at iteration %d and is told no more, training goes on: %s",
            name,
            trainer.engine.iteration,
            in_words(error),
        )
        log.info("what failed in '%s'", name, exc_info=error)
        self.chosen.remove((name, callback))
        if callback in self.begun:
            self._end(name, callback, trainer, error)

    def _end(self, name: str, callback: Callback, trainer: "Trainer", error: BaseException | None) -> None:
        try:
            with preserve_rng_state(trainer.engine.device):
                callback.teardown(trainer, error)
        except Exception as late:  # also a GanzooError: the run is ending anyway
            log.warning("the callback '%s' failed when it was to end: %s", name, in_words(late))
            log.info("what failed in '%s'", name, exc_info=late)


def in_words(error: Exception) -> str:
    """Return the type of an error and the start of its message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
