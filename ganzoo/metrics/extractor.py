"""What an extractor is: a network whose features stand for images where two sets of them are compared."""

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo.config import NamedConfig
from ganzoo.errors import ContractError
from ganzoo.metrics.color_space import color_statistics


class Extractor(NamedConfig, ABC):
    """A choice of network. Its fields are options: `--extractor.FIELD`."""

    noun: ClassVar[str] = "extractor"
    kind: ClassVar[str]
    """Its name in `--extractor inception` and in protocols."""
    resizer: ClassVar[str]
    """How it brings images to the size that it looks at, in words."""
    classes: ClassVar[tuple[str, ...]] = ()
    """What its logits mean, by number, if it classifies images of the classes of some data set."""
    places: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where its weights lie and what they are checked by: they are no part of the protocol, which has
    a checksum of the weights themselves."""

    @abstractmethod
    def build(self, folder: Path) -> nn.Module:
        """The network, in evaluation mode.

        It takes images, N x C x H x W in [-1, 1] with 1, 3 or 4 channels and of any size, and gives features, N x D
        with D > 1, or features and logits, N x classes.

        Args:
            folder: where downloads are kept.

        Raises:
            UserError: its weights cannot be had, or are others than they should be.
        """


class Seen:
    """What an extractor sees in images, taken part by part; without an extractor, nothing but colors, if wanted."""

    def __init__(self, network: nn.Module | None, *, colors: bool = False) -> None:
        self._network = network
        self._colors = colors
        self._parts: dict[str, list[Tensor]] = {}

    @torch.no_grad()
    def look(self, images: Tensor) -> None:
        """Takes a part of the images.

        Raises:
            ContractError: the network gives something else than features, or features and logits.
        """
        if self._colors:
            self._parts.setdefault("colors", []).append(color_statistics(images).cpu())
        if self._network is None:
            return
        answer = self._network(images)
        both = answer if isinstance(answer, tuple) else (answer,)
        for what, rows in zip(("features", "logits"), both, strict=False):
            if not (isinstance(rows, Tensor) and rows.dim() == 2 and len(rows) == len(images) and rows.shape[1] > 1):
                shape = tuple(rows.shape) if isinstance(rows, Tensor) else type(rows).__name__
                raise ContractError(f"the extractor gives {shape} as {what} of {len(images)} images; expected N x D")
            self._parts.setdefault(what, []).append(rows.float().cpu())

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it gives: `features`, and `logits` if it has any; `colors`, where they are wanted."""
        return tuple(self._parts)

    def of(self, what: str) -> Tensor:
        """All `features`, `logits` or `colors`, N x D, float32, on the CPU."""
        return torch.cat(self._parts[what])


def fingerprint(network: nn.Module) -> str:
    """The SHA-256 of a network's weights: the same for the same weights, whatever file they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
