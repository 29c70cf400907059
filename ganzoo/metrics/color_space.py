"""CIELAB colors and color statistics of images."""

import torch
from torch import Tensor

TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
"""Matrix from linear sRGB to CIE XYZ (IEC 61966-2-1)."""
WHITE = (0.95047, 1.0, 1.08883)
"""XYZ of the white point D65."""
PART = 256
"""Images per conversion."""


def lab(images: Tensor) -> Tensor:
    """Return the CIELAB colors of images.

    Args:
        images: N x C x H x W in [-1, 1], sRGB. One channel is gray; a fourth (opacity) is ignored.

    Returns:
        N x 3 x H x W: lightness L* from 0 to 100, and a* (green to red) and b* (blue to yellow), 0 for grays.
    """
    colors = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
    shares = (colors.clamp(-1, 1) + 1) / 2
    linear = torch.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,njhw->nihw", linear.new_tensor(TO_XYZ), linear)
    ratio = xyz / xyz.new_tensor(WHITE).view(1, 3, 1, 1)
    edge = 6 / 29
    f = torch.where(ratio > edge**3, ratio.clamp(min=1e-12) ** (1 / 3), ratio / (3 * edge**2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def color_statistics(images: Tensor) -> Tensor:
    """Return the mean and standard deviation of L*, a* and b* over each image, N x 6.

    Reinhard et al., 2001 ("Color transfer between images") describe the colors of an image by these statistics.
    """
    parts = []
    for part in images.split(PART):
        pixels = lab(part.float()).flatten(2)
        parts.append(torch.cat([pixels.mean(2), pixels.std(2, correction=0)], 1))
    return torch.cat(parts)
