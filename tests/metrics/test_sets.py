"""Figures of sets: against a second library, against the papers' equations written out, and where they are known."""

import math

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from ganzoo.contract.metric import SetMetric
from ganzoo.metrics.sets import (
    Coverage,
    Density,
    FrechetDistance,
    InceptionScore,
    KernelDistance,
    Precision,
    Recall,
)
from ganzoo.plugins import zoo


class Flat(nn.Module):
    """Images that are their own features, as torchmetrics asks for them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)


@pytest.fixture(scope="module")
def both() -> tuple[Tensor, Tensor]:
    """Features of 400 real images and of 400 others, not quite like them."""
    generator = torch.Generator().manual_seed(1)
    real = torch.randn(400, 6, generator=generator)
    return real, torch.randn(400, 6, generator=generator) @ torch.randn(6, 6, generator=generator) * 0.5 + 0.3


def test_fid_is_what_another_library_finds(both: tuple[Tensor, Tensor]) -> None:
    real, fake = both
    theirs = FrechetInceptionDistance(Flat(6), normalize=True)
    for features, is_real in ((real, True), (fake, False)):
        theirs.update(features[:, :, None, None], real=is_real)
    found = FrechetDistance().measure(real, fake)
    assert found == pytest.approx(float(theirs.compute()), rel=1e-4)
    assert found > 0.1
    assert 0 <= FrechetDistance().measure(real, real) < 1e-9


def test_fid_of_gaussians_is_that_of_the_formula() -> None:
    """Of N(0, 1) and N(2, 9) in each of two directions: 4 + 1 + 9 - 2 * 3."""
    values = torch.randn(500, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = values - values.mean(0)
    values = values @ torch.linalg.inv(torch.linalg.cholesky(values.T.cov())).T
    assert FrechetDistance().measure(values, 3 * values + 2) == pytest.approx(2 * 8, abs=1e-4)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_kid_is_what_another_library_finds(both: tuple[Tensor, Tensor]) -> None:
    real, fake = both
    theirs = KernelInceptionDistance(Flat(6), subsets=1, subset_size=400, normalize=True)
    for features, is_real in ((real, True), (fake, False)):
        theirs.update(features[:, :, None, None], real=is_real)
    found = KernelDistance(subsets=1, subset_size=400).measure(real, fake)
    assert found == pytest.approx(float(theirs.compute()[0]), rel=1e-3)
    # Unbiased: two halves of the same are as often below 0 as above.
    assert abs(KernelDistance(subsets=20, subset_size=100).measure(real[:200], real[200:])) < found / 3


def test_the_inception_score_counts_classes_that_samples_surely_are_of() -> None:
    every = torch.eye(5).repeat(100, 1) * 100
    score = InceptionScore(splits=1)
    assert score.measure(every, every) == pytest.approx(5)
    assert score.measure(every, every[:1].expand(100, -1)) == pytest.approx(1)
    assert score.measure(every, torch.zeros(100, 5)) == pytest.approx(1)
    assert score.measure(every, every[:2].repeat(50, 1)) == pytest.approx(2)


def written_out(real: Tensor, fake: Tensor, k: int) -> dict[str, float]:
    """Precision and recall (Kynkäänniemi et al., 2019, eq. 1 and 2), density and coverage (Naeem et al., 2020, eq. 3
    and 4), image by image."""
    x, y = real.double().tolist(), fake.double().tolist()
    reach_x = [sorted(math.dist(one, other) for other in x)[k] for one in x]
    reach_y = [sorted(math.dist(one, other) for other in y)[k] for one in y]
    inside = [[math.dist(one, other) < reach for other, reach in zip(x, reach_x, strict=True)] for one in y]
    return {
        "precision": sum(map(any, inside)) / len(y),
        "recall": sum(any(math.dist(one, z) < r for z, r in zip(y, reach_y, strict=True)) for one in x) / len(x),
        "density": sum(map(sum, inside)) / (k * len(y)),
        "coverage": sum(any(row[i] for row in inside) for i in range(len(x))) / len(x),
    }


@pytest.mark.parametrize("metric", [Precision, Recall, Density, Coverage])
@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_neighbours_are_counted_as_in_the_papers(metric: type[SetMetric], neighbours: int) -> None:
    generator = torch.Generator().manual_seed(neighbours)
    real = torch.randn(90, 3, generator=generator)
    fake = 1.5 * torch.randn(90, 3, generator=generator) + torch.tensor([1.0, 0.0, 0.0])
    found = metric.model_validate({"neighbours": neighbours}).measure(real, fake)
    expected = written_out(real, fake, neighbours)[metric.kind]
    assert found == pytest.approx(expected, abs=1e-6)
    assert expected > 0.1


def test_distances_do_not_depend_on_how_many_rows_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(70, 4, generator=generator), torch.randn(70, 4, generator=generator)
    metrics: list[SetMetric] = [Precision(), Recall(), Density(), Coverage()]
    before = [metric.measure(real, fake) for metric in metrics]
    monkeypatch.setattr("ganzoo.metrics.sets.PART", 16)
    assert [metric.measure(real, fake) for metric in metrics] == pytest.approx(before)


def test_real_images_beside_themselves_are_as_good_as_can_be_and_noise_far_off_as_bad() -> None:
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(100, 4, generator=generator)
    far = real + 100
    for metric in (Precision(), Recall(), Coverage()):
        assert metric.measure(real, real) == 1
        assert metric.measure(real, far) == 0
    assert Density().measure(real, far) == 0


def test_figures_of_sets_are_pure(both: tuple[Tensor, Tensor]) -> None:
    """The same for the same features, nothing drawn that anybody would miss, and nothing changed."""
    real, fake = (rows.clone() for rows in both)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for kind, metric in zoo().metrics.items():
        if issubclass(metric, SetMetric):
            small = {"subset_size": 50} if "subset_size" in metric.model_fields else {}
            chosen = metric.model_validate(small)
            assert chosen.measure(real, fake) == chosen.measure(real, fake), kind
            assert chosen.score(1.0) == (-1 if metric.higher_is_better else 1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(real, both[0])
    assert torch.equal(fake, both[1])
