"""What GANs share: networks named for their shape, the layers in them, their initial weights and permitted sizes."""

from ganzoo.blocks.conv import StridedDiscriminator, UpsampleConv, UpsampleGenerator
from ganzoo.blocks.grouped import GroupedDiscriminator, GroupedGenerator
from ganzoo.blocks.patch import PatchDiscriminator
from ganzoo.blocks.perceptron import PerceptronDiscriminator, PerceptronGenerator
from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.unet import UNetGenerator
from ganzoo.blocks.weights import Initialization, initialize

__all__ = [
    "GroupedDiscriminator",
    "GroupedGenerator",
    "Initialization",
    "PatchDiscriminator",
    "PerceptronDiscriminator",
    "PerceptronGenerator",
    "StridedDiscriminator",
    "UNetGenerator",
    "UpsampleConv",
    "UpsampleGenerator",
    "check_size",
    "initialize",
]
