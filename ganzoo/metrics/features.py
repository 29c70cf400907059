"""Features of images, collected in batches, and fingerprints of networks."""

import hashlib

import torch
from torch import Tensor, nn

from ganzoo.errors import ContractError
from ganzoo.metrics.color_space import color_statistics


class FeatureBuffer:
    """Features of images from an extractor, collected in batches; without an extractor, only colors, if requested."""

    def __init__(self, network: nn.Module | None, *, colors: bool = False) -> None:
        self._network = network
        self._colors = colors
        self._parts: dict[str, list[Tensor]] = {}

    @torch.no_grad()
    def look(self, images: Tensor) -> None:
        """Add the features of a batch of images.

        Raises:
            ContractError: if the network returns neither features nor features and logits.
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
        """Kinds of features: `features`, `logits` if the network has any, and `colors` if requested."""
        return tuple(self._parts)

    def of(self, what: str) -> Tensor:
        """Return all `features`, `logits` or `colors`, N x D, float32, on the CPU."""
        return torch.cat(self._parts[what])


def fingerprint(network: nn.Module) -> str:
    """Return the SHA-256 of a network's weights, which does not depend on their file format."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
