"""The families of GANs that a new one may belong to; the templates of each are `FAMILY.py` and `FAMILY.md`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """What is said of a family in the README of a package."""

    makes: str
    """From what it makes images."""
    data: str
    """On what it trains unless told otherwise; it ships with ganzoo."""


FAMILIES: Mapping[str, Family] = {
    "noise": Family("Images from noise", "MNIST's digits"),
    "classes": Family("Images of a class that is asked for", "MNIST's digits"),
    "paired": Family("Images from images, learned from pairs", "OpenMoji's line drawings and their coloured forms"),
    "unpaired": Family("Images from images, learned without pairs", "OpenMoji's line drawings and coloured emoji"),
    "text": Family("Images from captions", "OpenMoji's emoji and their names"),
}
