"""What is on its way out: it works and warns for at least one minor version, then it goes.

A test finds every call of `deprecated` and fails once the version that it names is reached, so nothing that was
promised to go is forgotten (docs/policy.md).
"""

import re
import warnings

__all__ = ["GanzooDeprecationWarning", "deprecated"]


class GanzooDeprecationWarning(DeprecationWarning):
    """Something of ganzoo's that is used will be gone; the warning says in which version, and what to use instead."""


def deprecated(what: str, *, since: str, gone_in: str, instead: str, stacklevel: int = 3) -> None:
    """Warns of a name, an argument or an option that will be gone; called where the old one is still understood.

    Args:
        what: as it is written: `ganzoo.Old`, `option '--old'`.
        since: the first version that warns, "0.2".
        gone_in: the version without it, a minor version later or more, "0.3".
        instead: what to write in its place; or, if there is nothing, why.
        stacklevel: whose line is shown: 3 is who called the function that calls this.

    Raises:
        ValueError: it would not warn for a whole minor version.
    """
    if _minor(gone_in) <= _minor(since):
        raise ValueError(f"{what} warns since {since} and cannot be gone in {gone_in}: a minor version lies between")
    warnings.warn(
        f"{what} is deprecated since ganzoo {since} and will be gone in {gone_in}: {instead}",
        GanzooDeprecationWarning,
        stacklevel=stacklevel,
    )


def _minor(version: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        raise ValueError(f"'{version}' is no version: write '0.2'")
    return int(found[1]), int(found[2])
