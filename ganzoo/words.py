"""How a run is spoken of wherever one looks on: in a terminal, in a notebook, on a page."""

from collections.abc import Mapping

from ganzoo.engine.training import Training
from ganzoo.options import RunOptions

__all__ = [
    "COLOURS",
    "duration",
]

COLOURS = {1: "grey", 3: "colour", 4: "colour with opacity"}
"""What images of so many channels are."""


def title(options: RunOptions) -> str:
    """What is trained: `dcgan on mnist at 32x32, batch 64`."""
    height, width = options.image_size
    return f"{options.gan.name} on {options.data.name} at {height}x{width}, batch {options.batch_size}"


def epoch_of(training: Training) -> str:
    """Which pass through the data the last iteration was of: `epoch 3/10`."""
    return f"epoch {(training.engine.iteration - 1) // training.batches.per_epoch + 1}/{training.options.epochs}"


def rate(images_per_second: float) -> str:
    """A speed, to two digits at least."""
    return f"{images_per_second:,.0f} images/s" if images_per_second >= 10 else f"{images_per_second:.1f} images/s"


def duration(seconds: float) -> str:
    """A time in the unit that a person would choose: `3.2 ms`, `41 s`, `2 h 05 min`, `3 d 4 h`."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{minutes // 60} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def losses_of(row: Mapping[str, float]) -> dict[str, float]:
    """The named losses of a line of metrics, `generator/adversarial` and the like, without what else it holds."""
    return {name: value for name, value in row.items() if "/" in name}
