"""Those who look on while a run trains: several as one, none of whom can spoil the run."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ganzoo.callbacks import CallbackConfig
from ganzoo.engine.callback import Callback
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.training import Training
from ganzoo.errors import GanzooError
from ganzoo.rng import preserve_rng_state

log = logging.getLogger(__name__)


class Callbacks(Callback):
    """Tells several callbacks, in their order.

    Args:
        own: those of the program itself; what they raise is raised.
        chosen: those that the run has by name. What they draw at random is not missed; one that raises is set aside,
            unless it is a GanzooError, by which a callback ends the run on purpose.

    Raises:
        UserError: one of the chosen could not work.
    """

    def __init__(self, own: Iterable[Callback], chosen: Iterable[CallbackConfig]) -> None:
        self.own = list(own)
        self.chosen = [(config.kind, config.build()) for config in chosen]
        self.begun: list[Callback] = []
        """Those that were told of the beginning, and so will be told of the end."""

    def started(self, training: Training, folder: RunFolder) -> None:
        def start(callback: Callback) -> None:
            callback.started(training, folder)
            self.begun.append(callback)

        self._tell(training, start)

    def iterated(self, training: Training) -> None:
        self._tell(training, lambda callback: callback.iterated(training), "iterated")

    def logged(self, training: Training, row: dict[str, float]) -> None:
        self._tell(training, lambda callback: callback.logged(training, dict(row)))

    def sampled(self, training: Training, file: Path) -> None:
        self._tell(training, lambda callback: callback.sampled(training, file))

    def evaluated(self, training: Training, line: dict[str, Any]) -> None:
        self._tell(training, lambda callback: callback.evaluated(training, line))

    def went_back(self, training: Training) -> None:
        self._tell(training, lambda callback: callback.went_back(training))

    def finished(self, training: Training) -> None:
        self._tell(training, lambda callback: callback.finished(training))

    def ended(self, training: Training, error: BaseException | None) -> None:
        """Tells all that were told of the beginning, even if one raises."""
        with ExitStack() as own:
            for callback in reversed(self.own):
                if callback in self.begun:
                    own.callback(callback.ended, training, error)
            for name, callback in list(self.chosen):
                if callback in self.begun:
                    self._end(name, callback, training, error)

    def _tell(self, training: Training, tell: Callable[[Callback], None], method: str = "") -> None:
        for callback in self.own:
            tell(callback)
        for name, callback in list(self.chosen):
            if method and getattr(type(callback), method) is getattr(Callback, method):
                continue  # it is called too often for care to be taken of what does nothing
            try:
                with preserve_rng_state(training.engine.device):
                    tell(callback)
            except GanzooError:
                raise
            except Exception as error:
                self._set_aside(name, callback, training, error)

    def _set_aside(self, name: str, callback: Callback, training: Training, error: Exception) -> None:
        log.warning(
            "the callback '%s' failed at iteration %d and is told no more, training goes on: %s",
            name,
            training.engine.iteration,
            in_words(error),
        )
        log.info("what failed in '%s'", name, exc_info=error)
        self.chosen.remove((name, callback))
        if callback in self.begun:
            self._end(name, callback, training, error)

    def _end(self, name: str, callback: Callback, training: Training, error: BaseException | None) -> None:
        try:
            with preserve_rng_state(training.engine.device):
                callback.ended(training, error)
        except Exception as late:  # a GanzooError, too: there is nothing left to be ended
            log.warning("the callback '%s' failed when it was to end: %s", name, in_words(late))
            log.info("what failed in '%s'", name, exc_info=late)


def in_words(error: Exception) -> str:
    """The kind of an error and its first words."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


@contextmanager
def looking_on(callback: Callback, training: Training, folder: RunFolder) -> Iterator[None]:
    """Within, a callback looks on; it is told of the beginning, and of the end, however that comes."""
    ending: BaseException | None = None
    try:
        callback.started(training, folder)
        yield
    except BaseException as error:
        ending = error
        raise
    finally:
        callback.ended(training, ending)
