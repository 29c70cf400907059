"""Truncation, and ways through the noise."""

import math
from itertools import pairwise

import pytest
import torch

import ganzoo
from ganzoo.data.in_memory import fixed_latents
from ganzoo.sampling.interpolation import check_limit, drawn, spherical, truncated, way


@pytest.mark.parametrize("size", [1, 7, 64, 100, 1000])
def test_noise_in_parts_is_the_noise(size: int) -> None:
    parts = list(drawn(150, (3, 2), 5, size))
    assert all(len(part) == size for part in parts[:-1])
    assert torch.equal(torch.cat(parts), fixed_latents(150, (3, 2), 5))


@pytest.mark.parametrize("limit", [0.3, 1.0, 2.5])
def test_truncated_noise_is_that_which_drawing_again_gives(limit: float) -> None:
    noise = fixed_latents(100_000, (1,), seed=0).flatten()
    cut, drawn_again = truncated(noise, limit), noise[noise.abs() <= limit]
    assert cut.abs().max() <= limit
    shares = torch.linspace(0.01, 0.99, 50)
    torch.testing.assert_close(cut.quantile(shares), drawn_again.quantile(shares), rtol=0, atol=0.03 * limit)
    assert (cut[noise.argsort()].diff() >= 0).all(), "what was farther out stays so"


def test_truncation_from_nothing_to_all() -> None:
    noise = fixed_latents(1000, (4,), seed=0)
    assert not truncated(noise, 0).any()
    torch.testing.assert_close(truncated(noise, 10), noise, rtol=1e-4, atol=1e-4)
    assert truncated(torch.tensor([9.0, -9.0]), 20).isfinite().all()
    for limit in (-0.1, math.nan, math.inf, "x", None):
        with pytest.raises(ganzoo.UserError, match="must be a number of at least 0"):
            check_limit(limit)


def test_on_the_way_noise_is_as_long_as_noise_is() -> None:
    first, second = fixed_latents(500, (64,), seed=0), fixed_latents(500, (64,), seed=1)
    halfway = spherical(first, second, torch.full((500,), 0.5))
    assert halfway.norm(dim=1).mean().item() == pytest.approx(8, rel=0.02)
    assert ((first + second) / 2).norm(dim=1).mean().item() < 6
    torch.testing.assert_close(spherical(first, second, torch.zeros(500)), first)
    torch.testing.assert_close(spherical(first, second, torch.ones(500)), second)
    one, other = (noise[:1] / noise[:1].norm() for noise in (first, second))
    steps = [spherical(one, other, torch.tensor([step / 10])) for step in range(11)]
    turned = [torch.cosine_similarity(before, after).arccos() for before, after in pairwise(steps)]
    torch.testing.assert_close(torch.cat(turned), turned[0].expand(10), rtol=1e-2, atol=1e-3)


def test_where_there_is_no_arc_it_is_a_straight_line() -> None:
    first = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    second = torch.tensor([[2.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    halfway = spherical(first, second, torch.full((3,), 0.5))
    torch.testing.assert_close(halfway[:2], torch.tensor([[1.5, 0.0], [0.0, 0.0]]))
    assert halfway.isfinite().all()


def test_a_closed_way_can_begin_again_and_an_open_one_ends_at_the_last_point() -> None:
    first, second, share = way(4, 8, closed=True)
    assert first.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert second.tolist() == [1, 1, 2, 2, 3, 3, 0, 0]
    assert share.tolist() == [0, 0.5] * 4
    first, second, share = way(3, 5, closed=False)
    assert first.tolist() == [0, 0, 1, 1, 1]
    assert second.tolist() == [1, 1, 2, 2, 2]
    assert share.tolist() == [0, 0.5, 0, 0.5, 1]
