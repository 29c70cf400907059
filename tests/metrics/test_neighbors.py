"""Nearest training images: against distances written out, and where copies are known."""

import math

import pytest
import torch

from ganzoo.metrics.neighbors import nearest, nearest_ratio


def test_neighbors_are_found_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    rows, among = torch.randn(40, 3, generator=generator), torch.randn(30, 3, generator=generator)
    expected = [sorted((math.dist(x, y), n) for n, y in enumerate(among.tolist()))[:4] for x in rows.tolist()]
    for entries in (2**24, 90, 1):
        monkeypatch.setattr("ganzoo.metrics.neighbors.ENTRIES", entries)
        distances, numbers = nearest(rows, among, 4)
        assert numbers.tolist() == [[n for _, n in row] for row in expected]
        torch.testing.assert_close(distances, torch.tensor([[d for d, _ in row] for row in expected]).double())


def test_copies_have_a_ratio_of_0_and_new_ones_of_about_1() -> None:
    generator = torch.Generator().manual_seed(0)
    train, held_out, new = (torch.randn(500, 4, generator=generator) for _ in range(3))
    assert nearest_ratio(train, held_out, train[:100]) == pytest.approx(0, abs=1e-6)
    assert nearest_ratio(train, held_out, train + 1e-3 * new) < 0.05
    assert nearest_ratio(train, held_out, new) == pytest.approx(1, abs=0.1)
    assert nearest_ratio(train, held_out, 3 * new) > 1.5
    assert nearest_ratio(train, train, new) == math.inf
