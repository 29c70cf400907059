"""The soak in its short form: `python tests/faults/soak.py` is the long one."""

import os
import random

import pytest
import soak

pytestmark = pytest.mark.process


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts its processes from one that has imported torch")
def test_a_run_that_is_killed_loses_no_more_than_the_interval() -> None:
    row = soak.kill(6, random.Random(0))  # noqa: S311 - it keeps no secret
    assert (row.times, row.unreadable, row.lost) == (6, 0, 0)
    assert "the same to the last bit" in row.remark


def test_a_damaged_checkpoint_is_never_taken_for_whole() -> None:
    for row in soak.damage(50, random.Random(0)):  # noqa: S311 - likewise
        assert row.times >= 50
        assert (row.unreadable, row.lost) == (0, 0)
