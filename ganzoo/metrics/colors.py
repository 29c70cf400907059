"""Distance of colors: two sets of images are compared without any network."""

from torch import Tensor

from ganzoo.metrics.color_space import color_statistics
from ganzoo.metrics.sets import FrechetDistance

__all__ = ["ColorDistance", "color_distance", "color_statistics"]


class ColorDistance(FrechetDistance):
    """Fréchet distance of colors, whatever is in the images; from 0: the same.

    The equation of FID with six numbers of each image in place of a network's features: mean and standard deviation
    of L*, a* and b*, in squared units of CIELAB. It needs no pairs and no weights. Measured by default of GANs that
    translate images.
    """

    kind = "color-frechet"
    looks_at = "colors"
    usual = False
    default_for = "translation"

    def caution(self, samples: int, width: int) -> str:
        return "" if samples > width else f"{samples} images are too few to tell how their colors are spread"


def color_distance(real: Tensor, fake: Tensor) -> float:
    """Fréchet distance between the colors of two sets of images; from 0, in squared units of CIELAB.

    It is the distance of FID between Gaussians fitted to `color_statistics`, so a set whose images all have the
    average color is as far off as one whose colors are wrong.

    Args:
        real: N x C x H x W in [-1, 1].
        fake: M x C x H x W; they need not be as many, nor in the same order.
    """
    return FrechetDistance().measure(color_statistics(real).cpu(), color_statistics(fake).cpu())
