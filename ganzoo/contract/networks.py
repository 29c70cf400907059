"""Networks of a GAN."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize


class Generator(nn.Module, ABC):
    """Base class of generators: images in [-1, 1], as N x C x H x W."""

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Tensor: ...


class Discriminator(nn.Module, ABC):
    """Base class of discriminators: logits, not probabilities, of any shape with the batch as its first dimension."""

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Any: ...


class Pretrained(nn.Module, ABC):
    """Base class of networks with pretrained weights, which no player trains: for features or encodings.

    `fetch` is called once, at the start of a run. Resuming and sampling load its weights from the checkpoint, without
    the original source.
    """

    @abstractmethod
    def fetch(self) -> None:
        """Load its weights, on any device.

        Raises:
            UserError: they are not available.
        """


class Networks(nn.Module):
    """Networks of one GAN by name: `Networks(generator=..., discriminator=...)`, then `nets.generator(noise)`.

    Everything with state that changes in training belongs here, including a pool of earlier fakes: it is moved to the
    device, checkpointed and restored. A network that no player trains is frozen and kept in evaluation mode.
    """

    def __init__(self, **networks: nn.Module) -> None:
        super().__init__()
        for name, network in networks.items():
            self.add_module(name, network)

    def __getattr__(self, name: str) -> nn.Module:
        network = self._modules.get(name)
        if network is None:
            raise AttributeError(f"no network is called '{name}'; there are: {', '.join(self._modules)}")
        return network

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)


def normalise_spectrally(nets: Networks) -> int:
    """Apply spectral normalization to the discriminators' convolutions, linear layers and embeddings.

    Every layer then has a Lipschitz constant of 1 (Miyato et al., 2018, arXiv:1802.05957, eq. 8). The spectral norm is
    updated by one power iteration per forward pass in training. Returns the number of layers.
    """
    layers = [
        layer
        for network in nets.children()
        if isinstance(network, Discriminator)
        for layer in network.modules()
        if isinstance(layer, nn.Linear | nn.Embedding | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d)
    ]
    for layer in layers:
        if not parametrize.is_parametrized(layer, "weight"):
            if not layer.weight.any():  # its spectral norm of 0 cannot be a divisor
                nn.init.normal_(layer.weight, std=0.02)
            parametrizations.spectral_norm(layer)
    return len(layers)
