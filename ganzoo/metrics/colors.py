"""Color distance between two sets of images, without a network."""

from torch import Tensor

from ganzoo.metrics.color_space import color_statistics
from ganzoo.metrics.sets import FrechetDistance

__all__ = ["ColorDistance", "color_distance", "color_statistics"]


class ColorDistance(FrechetDistance):
    """Fréchet distance of colors, whatever the content of the images; from 0: the same.

    FID's equation with six numbers per image instead of a network's features: mean and standard deviation of L*, a* and
    b*, in squared units of CIELAB. It needs neither pairs nor weights. Default metric for GANs that translate images.
    """

    kind = "color-frechet"
    looks_at = "colors"
    usual = False
    default_for = "translation"

    def caution(self, samples: int, width: int) -> str:
        return "" if samples > width else f"{samples} images are too few to tell how their colors are spread"


def color_distance(real: Tensor, fake: Tensor) -> float:
    """Return the Fréchet distance between the colors of two sets of images; from 0, in squared units of CIELAB.

    It compares Gaussians fitted to `color_statistics`, so a set whose images all have the average color is as far off
    as one with wrong colors.

    Args:
        real: N x C x H x W in [-1, 1].
        fake: M x C x H x W, in any number and order.
    """
    return FrechetDistance().measure(color_statistics(real).cpu(), color_statistics(fake).cpu())
