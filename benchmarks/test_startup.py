"""How long it takes until something is on the screen."""

import subprocess
import sys

import pytest
from ganzoo_bench.measure import Measure


@pytest.mark.parametrize("words", ["--help", "list"])
def test_startup(measure: Measure, words: str) -> None:
    """A command, from its start to its end, in a process of its own."""
    command = [sys.executable, "-m", "ganzoo", *words.split()]
    measure.time(lambda: subprocess.run(command, check=True, capture_output=True), here=False)  # noqa: S603 - what we wrote above
