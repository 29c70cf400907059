"""Deprecation: a deprecated name works with a warning for at least one minor version before its removal.

A test finds every call of `deprecated` and fails once the given version is reached, so no removal is forgotten
(docs/policy.md).
"""

import re
import warnings

__all__ = ["GanzooDeprecationWarning", "deprecated"]


class GanzooDeprecationWarning(DeprecationWarning):
    """Warning about a deprecated part of ganzoo; its message names the version of the removal and the replacement."""


def deprecated(what: str, *, since: str, gone_in: str, instead: str, stacklevel: int = 3) -> None:
    """Warn about a deprecated name, argument or option; called where the old one is still accepted.

    Args:
        what: the deprecated part, as written: `ganzoo.Old`, `option '--old'`.
        since: first version that warns, "0.2".
        gone_in: version of the removal, at least one minor version later, "0.3".
        instead: replacement, or the reason if there is none.
        stacklevel: frame to show; 3 is the caller of the function that calls this.

    Raises:
        ValueError: less than a minor version between `since` and `gone_in`.
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
