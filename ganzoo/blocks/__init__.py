"""What GANs share: networks named for their shape, the layers in them, their initial weights and permitted sizes."""

from ganzoo.blocks.bottleneck import BottleneckGenerator
from ganzoo.blocks.conv import StridedDiscriminator, UpsampleConv, UpsampleGenerator
from ganzoo.blocks.features import VGGFeatures
from ganzoo.blocks.patch import PatchDiscriminator
from ganzoo.blocks.pool import ReplayPool
from ganzoo.blocks.residual import ResidualBlock, ResidualGenerator
from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.subpixel import DeepStridedDiscriminator, SubpixelGenerator
from ganzoo.blocks.unet import UNetGenerator
from ganzoo.blocks.weights import Initialization, initialize

__all__ = [
    "BottleneckGenerator",
    "DeepStridedDiscriminator",
    "Initialization",
    "PatchDiscriminator",
    "ReplayPool",
    "ResidualBlock",
    "ResidualGenerator",
    "StridedDiscriminator",
    "SubpixelGenerator",
    "UNetGenerator",
    "UpsampleConv",
    "UpsampleGenerator",
    "VGGFeatures",
    "check_size",
    "initialize",
]
