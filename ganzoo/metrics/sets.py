"""Metrics of sets of images, with torch-fidelity; density and coverage are implemented here."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from ganzoo.contract.metric import SetMetric, StatisticsMetric
from ganzoo.contract.statistics import Statistics
from ganzoo.metrics.library import library

PART = 1000
"""Rows per block of distances."""


class TorchFidelityMetric(SetMetric):
    """Metric with torch-fidelity's formula."""

    module: ClassVar[str]
    """Module of the formula."""

    def check(self) -> None:
        library(self.module)


class FrechetDistance(TorchFidelityMetric, StatisticsMetric):
    """Fréchet distance of features, modeled as Gaussians; from 0: the same.

    Heusel et al., 2017, arXiv:1706.08500, eq. 6: |m - n|^2 + tr(C + D - 2 (C D)^1/2). It decreases with the number of
    samples, so compare figures of equal numbers only.
    """

    kind = "fid"
    module = "torch_fidelity.metric_fid"
    usual = True

    def caution(self, samples: int, width: int) -> str:
        if samples > width:
            return ""
        return (
            f"{samples:,} images are too few for a covariance of {width:,} features to have full rank, so it is far "
            "from that of many images; kid is better for few"
        )

    def compare(self, real: Statistics, fake: Statistics) -> float:
        fid = library(self.module)
        first, second = ({"mu": each.mu, "sigma": each.sigma} for each in (fake, real))
        distance = fid.fid_statistics_to_metric(first, second, verbose=False)[fid.KEY_METRIC_FID]
        return max(0.0, float(distance))  # one set with itself gives -1e-12


class KernelDistance(TorchFidelityMetric):
    """Squared maximum mean discrepancy of features, averaged over random subsets.

    Binkowski et al., 2018, arXiv:1801.01401, with the kernel (x y / D + 1)^3. It is unbiased, so it may be slightly
    below 0.
    """

    kind = "kid"
    module = "torch_fidelity.metric_kid"
    usual = True

    subsets: int = Field(100, gt=0, description="number of random subsets to average over")
    subset_size: int = Field(1000, gt=1, description="images per subset")

    def least(self, width: int) -> int:
        return self.subset_size

    def measure(self, real: Tensor, fake: Tensor) -> float:
        kid = library(self.module)
        size = {"kid_subsets": self.subsets, "kid_subset_size": self.subset_size}
        return float(kid.kid_features_to_metric(fake, real, **size, verbose=False)[kid.KEY_METRIC_KID_MEAN])


class InceptionScore(TorchFidelityMetric):
    """Number of classes to which samples clearly belong: from 1 to the number of classes.

    Salimans et al., 2016, arXiv:1606.03498: exp(mean KL(p(y|x), p(y))). It considers samples only.
    """

    kind = "inception-score"
    module = "torch_fidelity.metric_isc"
    higher_is_better = True
    usual = True
    looks_at = "logits"

    splits: int = Field(10, gt=0, description="number of parts of the samples to average over")

    def least(self, width: int) -> int:
        return 10 * self.splits

    def measure(self, real: Tensor, fake: Tensor) -> float:
        score = library(self.module)
        return float(score.isc_features_to_metric(fake, self.splits)[score.KEY_METRIC_ISC_MEAN])


class Precision(TorchFidelityMetric):
    """Share of samples within the neighborhood of a real image: fidelity.

    Kynkäänniemi et al., 2019, arXiv:1904.06991. Neighborhoods reach to the k-th nearest neighbor within the same set.
    """

    kind = "precision"
    module = "torch_fidelity.metric_prc"
    higher_is_better = True
    usual = True

    neighbours: int = Field(3, gt=0, description="number of nearest neighbors that defines a neighborhood")

    def least(self, width: int) -> int:
        return self.neighbours + 1

    def measure(self, real: Tensor, fake: Tensor) -> float:
        share: float = self.both(real, fake)[0]
        return share

    def both(self, real: Tensor, fake: Tensor) -> tuple[float, float]:
        """Return precision and recall."""
        prc = library(self.module)
        options = {"prc_neighborhood": self.neighbours, "prc_batch_size": PART, "save_cpu_ram": True}
        found = prc.prc_features_to_metric(fake, real, **options, verbose=False)
        return float(found[prc.KEY_METRIC_PRECISION]), float(found[prc.KEY_METRIC_RECALL])


class Recall(Precision):
    """Share of real images within the neighborhood of a sample: variety.

    Kynkäänniemi et al., 2019, arXiv:1904.06991.
    """

    kind = "recall"

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return self.both(real, fake)[1]


class Density(SetMetric):
    """Number of real images with a sample in their neighborhood, relative to the expected k, from 0: fidelity.

    Naeem et al., 2020, arXiv:2002.09797, eq. 3: 1/(k M) sum_j sum_i [|Y_j - X_i| < NND_k(X_i)] over M samples Y. Unlike
    precision, it is robust against outliers among the real images. It may exceed 1.
    """

    kind = "density"
    higher_is_better = True
    usual = True

    neighbours: int = Field(5, gt=0, description="number of nearest neighbors that defines a neighborhood")

    def least(self, width: int) -> int:
        return self.neighbours + 1

    def measure(self, real: Tensor, fake: Tensor) -> float:
        reach = reaches(real, self.neighbours)
        inside = sum(int((distances(part, real) < reach).sum()) for part in fake.split(PART))
        return inside / (self.neighbours * len(fake))


class Coverage(Density):
    """Share of real images with a sample in their neighborhood: variety.

    Naeem et al., 2020, arXiv:2002.09797, eq. 4: 1/N sum_i [some |Y_j - X_i| < NND_k(X_i)] over N real images X. Unlike
    recall, samples far off do not help.
    """

    kind = "coverage"

    def measure(self, real: Tensor, fake: Tensor) -> float:
        nearest = torch.cat([distances(part, fake).amin(1) for part in real.split(PART)])
        return float((nearest < reaches(real, self.neighbours)).double().mean())


def reaches(features: Tensor, neighbours: int) -> Tensor:
    """Return the distance of each row to its k-th nearest neighbor among the others, N."""
    parts = features.split(PART)
    # The first is the row itself.
    return torch.cat([distances(part, features).kthvalue(neighbours + 1, dim=1).values for part in parts])


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Return the distances between the rows of two matrices, N x M, in 64 bits, which matrix products need here."""
    return torch.cdist(first.double(), second.double())
