"""Features of images, collected part by part, and the identity of the network that gave them."""

import hashlib

import torch
from torch import Tensor, nn

from ganzoo.errors import ContractError
from ganzoo.metrics.color_space import color_statistics


class FeatureBuffer:
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
