"""What images are measured by: against formulas written down here, and on images whose figures are known."""

import math

import pytest
import torch
from torch import Tensor, nn

from benchmarks import figures


class Means(nn.Module):
    """Features that can be reckoned by hand: the means of the channels."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


def frechet(first: Tensor, second: Tensor) -> float:
    """|m - n|^2 + tr(C + D - 2 (C D)^1/2), the root by eigenvalues, which are those of a symmetric matrix."""
    (m, c), (n, d) = ((rows.mean(0), rows.T.cov()) for rows in (first.double(), second.double()))
    values, vectors = torch.linalg.eigh(c)
    root = vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T
    both = torch.linalg.eigvalsh(root @ d @ root).clamp(min=0).sqrt().sum()
    return float((m - n).square().sum() + c.trace() + d.trace() - 2 * both)


def test_frechet_distance_is_that_of_the_formula() -> None:
    torch.manual_seed(0)
    mixing = torch.randn(3, 3)
    real = torch.randn(700, 3, 4, 4)
    fake = torch.einsum("nchw,cd->ndhw", torch.randn(900, 3, 4, 4), mixing) + 0.3
    features = [figures.seen(Means(), images).of("features") for images in (real, fake)]
    found = figures.frechet_distance(*features)
    assert found == pytest.approx(frechet(real.mean((2, 3)), fake.mean((2, 3))), rel=1e-3)
    assert figures.frechet_distance(features[0], features[0]) == pytest.approx(0, abs=1e-5)


def test_entropy_counts_classes() -> None:
    assert figures.entropy(torch.arange(1000) % 10, 10) == pytest.approx(math.log2(10))
    assert figures.entropy(torch.full((50,), 3), 10) == 0
    assert figures.entropy(torch.tensor([0, 1, 0, 1]), 10) == pytest.approx(1)


def test_l1_and_psnr_are_shares_of_the_whole_range() -> None:
    targets = torch.rand(4, 3, 16, 16) - 0.5
    assert figures.compared(targets, targets)["ssim"] == pytest.approx(1)
    white, grey = torch.ones(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)  # 1 and 1/2 of full brightness
    assert figures.compared(white, grey)["ssim"] == pytest.approx((1 + 1e-4) / (1.25 + 1e-4), abs=1e-4)
    off = figures.compared(targets + 0.2, targets)
    assert off["l1"] == pytest.approx(0.1)
    assert off["psnr"] == pytest.approx(20, abs=1e-3)
    assert off["ssim"] < 1


def test_within_a_hole_nothing_else_counts() -> None:
    targets, where = torch.zeros(2, 3, 8, 8), torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    where[:, :, 2:4, 2:4] = True
    images = torch.where(where, 0.2, 0.9).expand(2, 3, 8, 8)
    assert figures.compared_within(images, targets, where) == pytest.approx({"l1": 0.1, "psnr": 20.0}, abs=1e-3)


def test_a_seam_is_what_the_edge_of_a_hole_shows_beyond_the_picture() -> None:
    ramp = torch.linspace(-1, 1, 8).expand(2, 3, 8, 8)
    where = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    where[:, :, 2:5, 2:5] = True
    assert figures.seam(ramp, ramp, where) == pytest.approx(1)
    assert figures.seam(torch.where(where, ramp, 9.0), ramp, where) == pytest.approx(1), "outside nothing counts"
    # Along the sides, six steps of 2/7 become 2/7 -+ 1; above and below, six of 0 become 1.
    assert figures.seam(ramp + 1, ramp, where) == pytest.approx((3 * (9 / 7) + 3 * (5 / 7) + 6) / (6 * 2 / 7))


def test_a_blurred_image_is_less_sharp_and_a_noisy_one_more() -> None:
    torch.manual_seed(0)
    targets = (torch.rand(4, 1, 16, 16) > 0.5).float().repeat_interleave(2, 2).repeat_interleave(2, 3)
    blurred = nn.functional.avg_pool2d(targets, 5, 1, 2)
    assert figures.sharpness(targets, targets) == pytest.approx(1)
    assert figures.sharpness(blurred, targets) < 0.7
    assert figures.sharpness(targets + torch.randn_like(targets), targets) > 1.3


def test_what_is_nearest_is_found() -> None:
    gallery = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    images = torch.tensor([[0.1, 0.0], [0.4, 0.0], [5.0, 4.0]])
    own = torch.eye(3, dtype=torch.bool)
    assert figures.retrieved(images, gallery, own) == pytest.approx(2 / 3)
    assert figures.retrieved(images, gallery, own, most=2) == 1
