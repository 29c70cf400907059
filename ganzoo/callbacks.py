"""What may look on while a run trains, chosen by name: loggers to TensorBoard, W&B and the like."""

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
"""What is said for no callbacks at all, where a run had some."""


class CallbackConfig(NamedConfig, ABC):
    """What a `Callback` is made from. Its fields are options, `--callback NAME:FIELD=VALUE,FIELD=VALUE`.

    A value without a name is that of the first field: `--callback wandb:my-project`.
    """

    noun: ClassVar[str] = "callback"
    kind: ClassVar[str]
    """Its name in `--callback tensorboard` and in config.json."""

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
        """How it is typed: `csv`, `wandb[:PROJECT]`."""
        first = next(iter(cls.model_fields), None)
        return f"{cls.kind}[:{first.upper()}]" if first else cls.kind

    @abstractmethod
    def build(self) -> "Callback":
        """The callback of one run. It is asked for before anything is written, and opens nothing itself.

        Raises:
            UserError: it could not work, since a package or a login is missing; with what to do about it.
        """


def _several(value: object) -> object:
    """One is as good as a list of one; a word says that there are none."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    return () if values == [NONE] else tuple(values)


def _once(chosen: tuple[CallbackConfig, ...]) -> tuple[CallbackConfig, ...]:
    """Refuses two of a kind, which would write each line twice into the same place."""
    kinds = [config.kind for config in chosen]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise OptionError(f"option 'callback' names '{kind}' twice; leave one out")
    return chosen


AnyCallback: TypeAlias = Annotated[CallbackConfig, Choice(CallbackConfig)]
"""A field that holds any registered callback."""
ChosenCallbacks: TypeAlias = Annotated[tuple[AnyCallback, ...], BeforeValidator(_several), AfterValidator(_once)]
"""A field that holds several, or none."""

Grids: TypeAlias = Annotated[int, Field(ge=0, description="every so many-th sample grid is logged; 0: none")]
"""A field of loggers that keep the sample grids where they need not all be."""


def is_due(trainer: "Trainer", every: int) -> bool:
    """Whether the sample grid that was just saved is one of every so many-th, or the run's last; 0: none is."""
    number = trainer.engine.iteration // trainer.options.sample_every
    return every > 0 and (trainer.finished or number % every == 0)
