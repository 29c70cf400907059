"""Translation and affine maps of images, one per image, differentiable any number of times.

torch's `grid_sample` does not support double backward, which gradient penalties need. Resampling is linear in the
images, though: its derivative is its transpose, whose derivative is resampling again.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

BILINEAR, REFLECTION = 0, 2
"""Numbers of the modes in torch's kernels."""


def sample_affine(images: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Apply an affine map to each image, with reflection at the borders and bilinear interpolation.

    Args:
        images: N x C x H x W.
        matrix: N x 2 x 2, not differentiated: the result at a point (right, down) from its center shows the image at
            matrix @ point. A matrix with 2 on its diagonal halves the size of the content.
        offset: N x 2, not differentiated: translation right and down, as a fraction of width and height.
    """
    height, width = images.shape[2:]
    # torch measures both sides from -1 to 1; converting between them takes their true ratio.
    ratio = torch.ones_like(matrix)
    ratio[:, 0, 1], ratio[:, 1, 0] = height / width, width / height
    matrix = matrix * ratio
    theta = torch.cat([matrix, -2 * matrix @ offset[:, :, None]], 2)
    return _Sample.apply(images, F.affine_grid(theta, list(images.shape), align_corners=False))


def shift(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Translate each image, N x C x H x W, by whole pixels, N, int64, with zeros for uncovered pixels."""
    return _Shift.apply(images, down, right)


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        return F.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        return _Spread.apply(gradient, grid), None


class _Spread(torch.autograd.Function):
    # Transpose of _Sample, for results as large as the images.
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        # The kernel reads the images only for the gradient of the grid, which is not requested; any tensor of their
        # shape will do.
        kernel = torch.ops.aten.grid_sampler_2d_backward
        spread: Tensor = kernel(gradient, gradient, grid, BILINEAR, REFLECTION, False, [True, False])[0]
        return spread

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        return _Sample.apply(gradient, grid), None


class _Shift(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, down: Tensor, right: Tensor) -> Tensor:
        ctx.save_for_backward(down, right)
        count, channels, height, width = images.shape
        rows = torch.arange(height, device=images.device) - down[:, None]
        columns = torch.arange(width, device=images.device) - right[:, None]
        within = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
        place = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
        place = place.view(count, 1, -1).expand(-1, channels, -1)
        return images.reshape(count, channels, -1).gather(2, place).view_as(images) * within[:, None]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        down, right = ctx.saved_tensors
        return _Shift.apply(gradient, -down, -right), None, None
