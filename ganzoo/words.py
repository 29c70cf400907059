"""Descriptions of a run for terminals, notebooks and web pages."""

from collections.abc import Mapping

from ganzoo.options.run import RunOptions
from ganzoo.training.trainer import Trainer

__all__ = [
    "COLOURS",
    "duration",
]

COLOURS = {1: "grey", 3: "colour", 4: "colour with opacity"}
"""Kind of images by number of channels."""


def title(options: RunOptions) -> str:
    """Return the title of a run: `dcgan on mnist at 32x32, batch 64`."""
    height, width = options.image_size
    return f"{options.gan.name} on {options.data.name} at {height}x{width}, batch {options.batch_size}"


def epoch_of(trainer: Trainer) -> str:
    """Return the epoch of the last iteration: `epoch 3/10`."""
    return f"epoch {(trainer.engine.iteration - 1) // trainer.batches.per_epoch + 1}/{trainer.options.epochs}"


def rate(images_per_second: float) -> str:
    """Return a speed with at least two digits."""
    return f"{images_per_second:,.0f} images/s" if images_per_second >= 10 else f"{images_per_second:.1f} images/s"


def duration(seconds: float) -> str:
    """Return a duration in suitable units: `3.2 ms`, `41 s`, `2 h 05 min`, `3 d 4 h`."""
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
    """Return the named losses in a line of metrics, such as `generator/adversarial`."""
    return {name: value for name, value in row.items() if "/" in name}
