"""What tests that try many examples share: how many, of which options, and what a refusal is."""

import functools
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

import ganzoo
from ganzoo.cli.config_flags import by_run
from ganzoo.cli.flags import Flag
from ganzoo.plugins import zoo

SOAK = bool(os.environ.get("GANZOO_SOAK"))


def tries(soak: int) -> settings:
    """How many examples: so many in a soak, some of them by default, the same in every run."""
    return settings(max_examples=soak if SOAK else 150, derandomize=not SOAK, suppress_health_check=[*HealthCheck])


@functools.cache
def known(name: str) -> list[Flag]:
    """Every option of a GAN and its run, those inside choices too."""
    return [flag for panel in by_run(zoo().gan(name)).values() for flag in panel]


def said(error: BaseException) -> str:
    """A message that a person can be shown, on a screen of any encoding."""
    message = str(error)
    assert message.strip()
    assert len(message) < 3000
    assert len(message.splitlines()) <= 2, message
    return message


def refused(ask: Callable[[], Any]) -> Any:
    """What is answered; None if it is refused. Another error than a user's is a fault of ours, and let through."""
    try:
        return ask()
    except ganzoo.UserError as error:
        said(error)
        return None
