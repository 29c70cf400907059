"""Classes that have one thing wrong, and what a check must say of them."""

from collections.abc import Callable
from typing import Any

import pytest


def broken(base: type[Any], **members: Any) -> type[Any]:
    """A class with other members than its base."""
    usual = {"__doc__": "One thing wrong.", "__module__": __name__, base.key: "broken"}
    return type("Broken", (base,), usual | members)


def says(check: Callable[[], None], change: str) -> None:
    """Fails unless a check complains in those words, on two lines at most."""
    with pytest.raises(AssertionError, match=change) as caught:
        check()
    assert str(caught.value).count("\n") <= 1
