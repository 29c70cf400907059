"""Random jitter of image pairs, the same for source and target."""

import torch
from torch import Tensor
from torch.nn import functional as F

ENLARGED = 286 / 256
"""Ratio of the enlarged images to the crops (Isola et al., 2016, arXiv:1611.07004, section 6.2)."""


def jitter(*images: Tensor, enlarged: float = ENLARGED) -> tuple[Tensor, ...]:
    """Enlarge images slightly, crop them at random to the original size, and mirror half of them.

    Augmentation of Pix2Pix and CycleGAN. In each row, all images are transformed alike, so that pairs still correspond.

    Args:
        images: N x C x H x W each, of one size; channels may differ.
        enlarged: scale factor; 1: exact mirroring only.

    Returns:
        Transformed images, in the same order and of the same size.
    """
    rows, device = len(images[0]), images[0].device
    if enlarged == 1:
        mirrored = torch.rand(rows, 1, 1, 1, device=device) < 0.5
        return tuple(torch.where(mirrored, image.flip(3), image) for image in images)
    part = 1 / enlarged
    # Source position of each pixel: x and y from -1 to 1, scaled, shifted, and x mirrored or not.
    places = torch.zeros(rows, 2, 3, device=device)
    places[:, 0, 0] = part * ((torch.rand(rows, device=device) < 0.5) * 2.0 - 1)
    places[:, 1, 1] = part
    places[:, :, 2] = (torch.rand(rows, 2, device=device) * 2 - 1) * (1 - part)
    grid = F.affine_grid(places, [rows, 1, *images[0].shape[2:]], align_corners=False)
    return tuple(F.grid_sample(image, grid, padding_mode="reflection", align_corners=False) for image in images)
