"""Figures of sets of images, through torch-fidelity; density and coverage, which no living library has, are our own."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from ganzoo.contract.metric import SetMetric, StatisticsMetric
from ganzoo.contract.statistics import Statistics
from ganzoo.metrics.library import library

PART = 1000
"""Rows whose distances are held at once."""


class TorchFidelityMetric(SetMetric):
    """One whose formula is torch-fidelity's."""

    module: ClassVar[str]
    """Where it is."""

    def check(self) -> None:
        library(self.module)


class FrechetDistance(TorchFidelityMetric, StatisticsMetric):
    """Fréchet distance of features, taken for Gaussians; from 0: the same.

    Heusel et al., 2017, arXiv:1706.08500, eq. 6: |m - n|^2 + tr(C + D - 2 (C D)^1/2). It falls as samples get more:
    compare figures of as many only.
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
        return max(0.0, float(distance))  # of one set with itself it is -1e-12


class KernelDistance(TorchFidelityMetric):
    """Squared maximum mean discrepancy of features, the mean over random subsets.

    Binkowski et al., 2018, arXiv:1801.01401, with the kernel (x y / D + 1)^3. It is unbiased, so it may be a little
    below 0.
    """

    kind = "kid"
    module = "torch_fidelity.metric_kid"
    usual = True

    subsets: int = Field(100, gt=0, description="random subsets that it is the mean over")
    subset_size: int = Field(1000, gt=1, description="images of each")

    def least(self, width: int) -> int:
        return self.subset_size

    def measure(self, real: Tensor, fake: Tensor) -> float:
        kid = library(self.module)
        size = {"kid_subsets": self.subsets, "kid_subset_size": self.subset_size}
        return float(kid.kid_features_to_metric(fake, real, **size, verbose=False)[kid.KEY_METRIC_KID_MEAN])


class InceptionScore(TorchFidelityMetric):
    """Of how many classes samples surely are: from 1 to as many as there are.

    Salimans et al., 2016, arXiv:1606.03498: exp(mean KL(p(y|x), p(y))). It looks at samples alone.
    """

    kind = "inception-score"
    module = "torch_fidelity.metric_isc"
    higher_is_better = True
    usual = True
    looks_at = "logits"

    splits: int = Field(10, gt=0, description="parts of the samples that it is the mean over")

    def least(self, width: int) -> int:
        return 10 * self.splits

    def measure(self, real: Tensor, fake: Tensor) -> float:
        score = library(self.module)
        return float(score.isc_features_to_metric(fake, self.splits)[score.KEY_METRIC_ISC_MEAN])


class Precision(TorchFidelityMetric):
    """Share of samples within the reach of a real image: fidelity.

    Kynkäänniemi et al., 2019, arXiv:1904.06991. An image reaches to its k-th nearest neighbour among its like.
    """

    kind = "precision"
    module = "torch_fidelity.metric_prc"
    higher_is_better = True
    usual = True

    neighbours: int = Field(3, gt=0, description="nearest neighbours that an image reaches to")

    def least(self, width: int) -> int:
        return self.neighbours + 1

    def measure(self, real: Tensor, fake: Tensor) -> float:
        share: float = self.both(real, fake)[0]
        return share

    def both(self, real: Tensor, fake: Tensor) -> tuple[float, float]:
        """Precision and recall."""
        prc = library(self.module)
        options = {"prc_neighborhood": self.neighbours, "prc_batch_size": PART, "save_cpu_ram": True}
        found = prc.prc_features_to_metric(fake, real, **options, verbose=False)
        return float(found[prc.KEY_METRIC_PRECISION]), float(found[prc.KEY_METRIC_RECALL])


class Recall(Precision):
    """Share of real images within the reach of a sample: variety.

    Kynkäänniemi et al., 2019, arXiv:1904.06991.
    """

    kind = "recall"

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return self.both(real, fake)[1]


class Density(SetMetric):
    """How many real images reach a sample, of k expected, from 0: fidelity.

    Naeem et al., 2020, arXiv:2002.09797, eq. 3: 1/(k M) sum_j sum_i [|Y_j - X_i| < NND_k(X_i)]
    over M samples Y. Unlike precision, one outlier among the real images counts for little. It may exceed 1.
    """

    kind = "density"
    higher_is_better = True
    usual = True

    neighbours: int = Field(5, gt=0, description="nearest neighbours that an image reaches to")

    def least(self, width: int) -> int:
        return self.neighbours + 1

    def measure(self, real: Tensor, fake: Tensor) -> float:
        reach = reaches(real, self.neighbours)
        inside = sum(int((distances(part, real) < reach).sum()) for part in fake.split(PART))
        return inside / (self.neighbours * len(fake))


class Coverage(Density):
    """Share of real images that reach a sample at all: variety.

    Naeem et al., 2020, arXiv:2002.09797, eq. 4: 1/N sum_i [some |Y_j - X_i| < NND_k(X_i)] over
    N real images X. Unlike recall, samples far off do not help.
    """

    kind = "coverage"

    def measure(self, real: Tensor, fake: Tensor) -> float:
        nearest = torch.cat([distances(part, fake).amin(1) for part in real.split(PART)])
        return float((nearest < reaches(real, self.neighbours)).double().mean())


def reaches(features: Tensor, neighbours: int) -> Tensor:
    """How far the k-th nearest neighbour of each among the others is, N."""
    parts = features.split(PART)
    # The nearest of all is itself.
    return torch.cat([distances(part, features).kthvalue(neighbours + 1, dim=1).values for part in parts])


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Between the rows of two matrices, N x M; by matrix products, so in 64 bits, or near ones would come out wrong."""
    return torch.cdist(first.double(), second.double())
