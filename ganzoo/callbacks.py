"""Callbacks chosen by name: loggers to TensorBoard, W&B and others."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from ganzoo.config import Choice, NamedConfig, with_options
from ganzoo.errors import OptionError, typed

if TYPE_CHECKING:
    from ganzoo.contract.callback import Callback
    from ganzoo.training.trainer import Trainer

__all__ = ["CallbackConfig", "Grids", "is_due"]

NONE = "none"
"""Value of `--callback` that removes all callbacks of a run."""


class CallbackConfig(NamedConfig, ABC):
    """Configuration that builds a `Callback`. Its fields are options, `--callback NAME:FIELD=VALUE,FIELD=VALUE`.

    A value without a name sets the first field: `--callback wandb:my-project`.
    """

    noun: ClassVar[str] = "callback"
    kind: ClassVar[str]
    """Name in `--callback tensorboard` and in config.json."""

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        return with_options(cls, text, cls._first_field)

    @classmethod
    def _first_field(cls, kind: str, value: str) -> str:
        choice = cls.choices().get(kind)
        if choice is not None and not choice.model_fields:
            raise OptionError(f"the callback '{kind}' takes no {typed(value)}: it has no options")
        return next(iter(choice.model_fields)) if choice else "value"

    @classmethod
    def form(cls) -> str:
        """Return the form for the command line: `csv`, `wandb[:PROJECT]`."""
        first = next(iter(cls.model_fields), None)
        return f"{cls.kind}[:{first.upper()}]" if first else cls.kind

    @abstractmethod
    def build(self) -> "Callback":
        """Return the callback of one run. Called before anything is written; must not open anything itself.

        Raises:
            UserError: a package or a login is missing; the message says how to get it.
        """


def _several(value: object) -> object:
    """Turn a single callback into a tuple, and `none` into an empty one."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    return () if values == [NONE] else tuple(values)


def _once(chosen: tuple[CallbackConfig, ...]) -> tuple[CallbackConfig, ...]:
    """Check that no kind occurs twice: both would write the same rows to the same place."""
    kinds = [config.kind for config in chosen]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise OptionError(f"option 'callback' names '{kind}' twice; leave one out")
    return chosen


AnyCallback: TypeAlias = Annotated[CallbackConfig, Choice(CallbackConfig)]
"""Field that holds any registered callback."""
ChosenCallbacks: TypeAlias = Annotated[tuple[AnyCallback, ...], BeforeValidator(_several), AfterValidator(_once)]
"""Field that holds any number of callbacks."""

Grids: TypeAlias = Annotated[int, Field(ge=0, description="sample grids per logged one; 0: none")]
"""Field of loggers that may store only some of the sample grids."""


def is_due(trainer: "Trainer", every: int) -> bool:
    """Whether the sample grid just saved should be logged: every `every`-th one and the last; none if 0."""
    number = trainer.engine.iteration // trainer.options.sample_every
    return every > 0 and (trainer.finished or number % every == 0)
