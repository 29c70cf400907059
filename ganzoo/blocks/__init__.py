"""What GANs share: networks named for their shape, the layers in them, their initial weights and permitted sizes."""

from ganzoo.blocks.conv import StridedClassifier, StridedDiscriminator, UpsampleConv, UpsampleGenerator
from ganzoo.blocks.patch import PatchDiscriminator
from ganzoo.blocks.sizes import check_classes, check_size
from ganzoo.blocks.text import CaptionDiscriminator, CaptionEncoder, ImageEncoder, match
from ganzoo.blocks.unet import UNetGenerator
from ganzoo.blocks.weights import Initialization, initialize

__all__ = [
    "CaptionDiscriminator",
    "CaptionEncoder",
    "ImageEncoder",
    "Initialization",
    "PatchDiscriminator",
    "StridedClassifier",
    "StridedDiscriminator",
    "UNetGenerator",
    "UpsampleConv",
    "UpsampleGenerator",
    "check_classes",
    "check_size",
    "initialize",
    "match",
]
