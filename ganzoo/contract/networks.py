"""The networks of a GAN."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize


class Generator(nn.Module, ABC):
    """Makes images in [-1, 1], as N x C x H x W."""

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Tensor: ...


class Discriminator(nn.Module, ABC):
    """Scores images: logits of any shape whose first dimension is the batch, never through a sigmoid."""

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Any: ...


class Pretrained(nn.Module, ABC):
    """A network whose weights come from elsewhere: one that no player trains, and that measures or encodes.

    `fetch` is called once, when a run begins. When it goes on, or images are made, its weights come from the
    checkpoint, and what was fetched need not be there.
    """

    @abstractmethod
    def fetch(self) -> None:
        """Puts its weights in place, on whatever device it is.

        Raises:
            UserError: they cannot be had.
        """


class Networks(nn.Module):
    """The networks of one GAN by name: `Networks(generator=..., discriminator=...)`, then `nets.generator(noise)`.

    Anything with state that training changes belongs here, a pool of earlier fakes too: what is here is moved to the
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
    """Divides the weights of the discriminators' convolutions, linear layers and embeddings by their spectral norm.

    Then no layer stretches any difference between its inputs (Miyato et al., 2018, arXiv:1802.05957, eq. 8); the value
    is followed by one power iteration each time a layer is used in training. Returns how many layers there are.
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
            if not layer.weight.any():  # nothing can be divided by a largest singular value of 0
                nn.init.normal_(layer.weight, std=0.02)
            parametrizations.spectral_norm(layer)
    return len(layers)
