"""Initial weights."""

from typing import Literal, TypeAlias, TypeVar

from torch import nn

Initialization: TypeAlias = Literal["normal", "torch"]
"""Initial weights of a network: "normal" as in `initialize`, or those of torch."""

Network = TypeVar("Network", bound=nn.Module)


def initialize(network: Network, std: float = 0.02) -> Network:
    """Sample weights from N(0, std) and those of normalization layers from N(1, std), and set biases to 0.

    The initial weights of DCGAN (Radford et al., 2015, arXiv:1511.06434, section 4) and of most convolutional GANs
    since. Returns the network.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            mean = 0.0
        elif isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d) and layer.affine:
            mean = 1.0
        else:
            continue
        nn.init.normal_(layer.weight, mean, std)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return network


def initialize_as(network: nn.Module, initialization: Initialization) -> None:
    """Initialize a new network by the name of its initial weights."""
    if initialization == "normal":
        initialize(network)
