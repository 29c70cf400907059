"""Run folders, read: where they are, what they tell of their runs, and the GAN that one trains."""

from ganzoo.exports import command_for, example_text
from ganzoo.loading import gan_of
from ganzoo.runs.listing import FoundRun, inspect_run, leading
from ganzoo.runs.locate import locate, shipped

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
