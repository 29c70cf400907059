"""What GANs share: networks named for their shape, the layers in them, their initial weights and permitted sizes."""

from ganzoo.blocks.conv import StridedClassifier, StridedDiscriminator, UpsampleConv, UpsampleGenerator
from ganzoo.blocks.equalized import ResidualDiscriminator
from ganzoo.blocks.patch import PatchDiscriminator
from ganzoo.blocks.sizes import check_classes, check_size
from ganzoo.blocks.style import MappingNetwork, RunningMean, StyleSynthesis, mix_styles
from ganzoo.blocks.text import CaptionDiscriminator, CaptionEncoder, ImageEncoder, match
from ganzoo.blocks.unet import UNetGenerator
from ganzoo.blocks.weights import Initialization, initialize

__all__ = [
    "CaptionDiscriminator",
    "CaptionEncoder",
    "ImageEncoder",
    "Initialization",
    "MappingNetwork",
    "PatchDiscriminator",
    "ResidualDiscriminator",
    "RunningMean",
    "StridedClassifier",
    "StridedDiscriminator",
    "StyleSynthesis",
    "UNetGenerator",
    "UpsampleConv",
    "UpsampleGenerator",
    "check_classes",
    "check_size",
    "initialize",
    "match",
    "mix_styles",
]
