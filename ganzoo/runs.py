"""Run folders, read: where they are, what they tell of their runs, and the GAN that one trains."""

from ganzoo.engine.listing import FoundRun, inspect_run, leading
from ganzoo.engine.resume import gan_of
from ganzoo.exports import command_for, example_text
from ganzoo.locate import locate, shipped

__all__ = [
    "FoundRun",
    "command_for",
    "example_text",
    "gan_of",
    "inspect_run",
    "leading",
    "locate",
    "shipped",
]
