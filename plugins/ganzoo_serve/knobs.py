"""What of a trained GAN can be turned on the page: the numbers among its options that weights do not depend on."""

from collections.abc import Sequence
from dataclasses import dataclass

from ganzoo import TrainedGAN
from ganzoo.errors import OptionError, typed


@dataclass(frozen=True)
class Slider:
    """An option, and the range of the slider that it gets."""

    name: str
    help: str
    lowest: float
    highest: float
    value: float
    whole: bool
    """Whether it takes whole numbers only."""

    @property
    def step(self) -> float:
        """From one value to the next."""
        return 1 if self.whole else (self.highest - self.lowest) / 100


def knobs(trained: TrainedGAN) -> tuple[Slider, ...]:
    """Those of a GAN, by name. What has no bounds of its own goes from 0 to 1, or to twice its value."""
    found = []
    for name in sorted(trained.gan.may_change):
        field, value = type(trained.gan).model_fields[name], getattr(trained.gan, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue  # a switch or a word: `--option` of the command line takes those
        lowest, highest = min(0.0, 2 * value), max(1.0, 2 * value if value > 1 else 1.0)
        for bound in field.metadata:
            lowest = next((float(getattr(bound, word)) for word in ("ge", "gt") if hasattr(bound, word)), lowest)
            highest = next((float(getattr(bound, word)) for word in ("le", "lt") if hasattr(bound, word)), highest)
        found.append(Slider(name, field.description or "", lowest, highest, value, isinstance(value, int)))
    return tuple(found)


def turned(trained: TrainedGAN, given: Sequence[Slider], values: Sequence[object]) -> TrainedGAN:
    """The same weights, with the knobs turned to these values.

    Raises:
        OptionError: one is no number, or none that the option takes.
    """
    if len(values) != len(given):
        raise OptionError(f"{len(values)} options were given; expected {len(given)}")
    changes: dict[str, object] = {}
    for knob, value in zip(given, values, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise OptionError(f"option '{knob.name}' cannot be {typed(value)}: it is no number")
        changes[knob.name] = int(value) if knob.whole and value == int(value) else value
    return trained.with_options(changes)
