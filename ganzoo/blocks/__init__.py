"""Building blocks shared by GANs: networks named for their shape, layers, initial weights and size checks."""

from ganzoo.blocks.bottleneck import BottleneckGenerator
from ganzoo.blocks.compact import (
    COMPACT_RECIPE,
    COMPACT_RECIPES,
    CompactDiscriminator,
    CompactGenerator,
    ConditionalBatchNorm2d,
    compact_layers,
    initialize_he,
)
from ganzoo.blocks.conv import StridedClassifier, StridedDiscriminator, UpsampleConv, UpsampleGenerator
from ganzoo.blocks.equalized import EqualizedDiscriminator
from ganzoo.blocks.features import VGGFeatures, VGGLayer, vgg_is_at_hand
from ganzoo.blocks.grouped import GroupedDiscriminator, GroupedGenerator
from ganzoo.blocks.jitter import jitter
from ganzoo.blocks.patch import PatchDiscriminator, PatchSize
from ganzoo.blocks.perceptron import PerceptronDiscriminator, PerceptronGenerator
from ganzoo.blocks.pool import ReplayPool
from ganzoo.blocks.residual import ResidualBlock, ResidualGenerator
from ganzoo.blocks.sizes import check_classes, check_size
from ganzoo.blocks.style import MappingNetwork, RunningMean, StyleSynthesis, mix_styles
from ganzoo.blocks.subpixel import DeepStridedDiscriminator, SubpixelGenerator
from ganzoo.blocks.text import CaptionDiscriminator, CaptionEncoder, ImageEncoder, match
from ganzoo.blocks.transposed import TransposedDiscriminator, TransposedGenerator
from ganzoo.blocks.unet import UNetGenerator
from ganzoo.blocks.weights import Initialization, initialize

__all__ = [
    "COMPACT_RECIPE",
    "COMPACT_RECIPES",
    "BottleneckGenerator",
    "CaptionDiscriminator",
    "CaptionEncoder",
    "CompactDiscriminator",
    "CompactGenerator",
    "ConditionalBatchNorm2d",
    "DeepStridedDiscriminator",
    "EqualizedDiscriminator",
    "GroupedDiscriminator",
    "GroupedGenerator",
    "ImageEncoder",
    "Initialization",
    "MappingNetwork",
    "PatchDiscriminator",
    "PatchSize",
    "PerceptronDiscriminator",
    "PerceptronGenerator",
    "ReplayPool",
    "ResidualBlock",
    "ResidualGenerator",
    "RunningMean",
    "StridedClassifier",
    "StridedDiscriminator",
    "StyleSynthesis",
    "SubpixelGenerator",
    "TransposedDiscriminator",
    "TransposedGenerator",
    "UNetGenerator",
    "UpsampleConv",
    "UpsampleGenerator",
    "VGGFeatures",
    "VGGLayer",
    "check_classes",
    "check_size",
    "compact_layers",
    "initialize",
    "initialize_he",
    "jitter",
    "match",
    "mix_styles",
    "vgg_is_at_hand",
]
