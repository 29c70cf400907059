"""Metrics of samples by class and by code: for GANs that are told a class, or whose noise has a categorical code."""

from pydantic import Field
from torch import Tensor

from ganzoo.contract.metric import GroupMetric, SetMetric
from ganzoo.metrics import classes


class ClassAccuracy(GroupMetric):
    """Share of samples that a classifier takes for the class that was asked for.

    The extractor must be a classifier of the data set's own classes, as `digits` is of MNIST's.
    """

    kind = "class-accuracy"
    looks_at = "logits"
    higher_is_better = True

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.class_accuracy(fake, fake_groups)


class ClassVariety(GroupMetric):
    """Variance of features within a class, as a share of that of real images; 0: one image for each class.

    The mean over classes. 1: as various as real images; samples of a wrong class add to it, so it is read beside
    class-accuracy. A GAN may get every class right and make one image of each: no other usual figure says so plainly.
    """

    kind = "class-variety"
    higher_is_better = True

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.class_variety(real, real_groups, fake, fake_groups)


class ClassDistance(GroupMetric):
    """Fréchet distance of features within a class, the mean over classes: intra-FID.

    Miyato and Koyama, 2018, arXiv:1802.05637, section 4. Fewer images of each class than features make it large.
    """

    kind = "class-fid"
    usual = False

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.class_distance(real, real_groups, fake, fake_groups)


class OfCode(GroupMetric):
    """One of a categorical code."""

    looks_at = "logits"
    by = "code"
    higher_is_better = True

    code: str | None = Field(None, description="name of the categorical code (default: the first)")


class CodePurity(OfCode):
    """Share of samples that are of the class most frequent for their value of the code.

    1: each value stands for one class, though several may stand for the same; read it beside code-accuracy. Classes
    are those that the extractor tells apart.
    """

    kind = "code-purity"

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.code_purity(fake_groups, fake.argmax(1))


class CodeAccuracy(OfCode):
    """Share of samples that are of their code's class, where each value is matched with a class of its own.

    The matching is the best one-to-one; 1: the code has found the classes. Chen et al., 2016, arXiv:1606.03657,
    section 7.2, evaluate InfoGAN in this way.
    """

    kind = "code-accuracy"

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.code_accuracy(fake_groups, fake.argmax(1))


class Confidence(SetMetric):
    """Share of samples that a classifier is sure of: hardly a blot is.

    Its largest probability is `threshold` or more. It looks at samples alone, and says something where the extractor
    is a classifier of such images, as `digits` is of MNIST's.
    """

    kind = "confidence"
    looks_at = "logits"
    higher_is_better = True

    threshold: float = Field(classes.SURE, gt=0, le=1, description="probability from which it is sure")

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return classes.confident_share(fake, self.threshold)
