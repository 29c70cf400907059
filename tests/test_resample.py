"""Moving images about: rotated, scaled and shifted, with gradients, in comparison with torch's own sampling."""

import pytest
import torch
from torch import Tensor

from ganzoo.base.resample import sample_affine, shift


def images(channels: int = 3, rows: int = 4, height: int = 8, width: int = 12) -> Tensor:
    torch.manual_seed(1)
    return torch.rand(rows, channels, height, width) * 2 - 1


def test_the_gradient_is_that_of_torchs_own_sampling() -> None:
    matrix, offset = torch.randn(3, 2, 2), torch.randn(3, 2)
    ours, theirs = (images(rows=3, height=9, width=9).requires_grad_() for _ in range(2))
    theta = torch.cat([matrix, -2 * matrix @ offset[:, :, None]], 2)
    grid = torch.nn.functional.affine_grid(theta, [3, 3, 9, 9], align_corners=False)
    expected = torch.nn.functional.grid_sample(theirs, grid, "bilinear", "reflection", align_corners=False)
    found = sample_affine(ours, matrix, offset)
    torch.testing.assert_close(found, expected)
    slope = torch.randn_like(expected)
    grads = [torch.autograd.grad(result, inputs, slope)[0] for result, inputs in ((found, ours), (expected, theirs))]
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_shift_moves_rows_and_columns_and_leaves_zeros(channels: int) -> None:
    before = images(channels, rows=2)
    after = shift(before, torch.tensor([2, -1]), torch.tensor([-3, 0]))
    assert torch.equal(after[0, :, 2:, :-3], before[0, :, :-2, 3:])
    assert not after[0, :, :2].any()
    assert not after[0, :, :, -3:].any()
    assert torch.equal(after[1, :, :-1], before[1, :, 1:])
    assert not after[1, :, -1].any()


def test_a_quarter_turn_of_an_oblong_image_keeps_its_shapes() -> None:
    before = torch.zeros(1, 1, 8, 16)
    before[0, 0, 3:5, 2:14] = 1  # a lying bar
    turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
    after = sample_affine(before, turn, torch.zeros(1, 2))
    assert after[0, 0, :, 7:9].min() > 0.99  # stands
    assert after[0, 0, :, 2:6].max() < 0.01  # alone, up to where the mirror image begins


def test_moving_by_half_the_width_shows_the_mirror_image_at_the_border() -> None:
    before = images(height=8, width=8)
    still = torch.eye(2).expand(4, 2, 2)
    after = sample_affine(before, still, torch.tensor([0.5, 0.0]).expand(4, 2))
    torch.testing.assert_close(after[..., 4:], before[..., :4])
    torch.testing.assert_close(after[..., :4], before[..., :4].flip(3))
