"""What GANs share: networks named for their shape, the layers in them, their initial weights and permitted sizes."""

from ganzoo.blocks.conv import StridedDiscriminator, UpsampleConv, UpsampleGenerator
from ganzoo.blocks.equalized import ResidualDiscriminator
from ganzoo.blocks.patch import PatchDiscriminator
from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.style import MappingNetwork, RunningMean, StyleSynthesis, mix_styles
from ganzoo.blocks.unet import UNetGenerator
from ganzoo.blocks.weights import Initialization, initialize

__all__ = [
    "Initialization",
    "MappingNetwork",
    "PatchDiscriminator",
    "ResidualDiscriminator",
    "RunningMean",
    "StridedDiscriminator",
    "StyleSynthesis",
    "UNetGenerator",
    "UpsampleConv",
    "UpsampleGenerator",
    "check_size",
    "initialize",
    "mix_styles",
]
