"""Metrics by class and by code: for class-conditional GANs, and GANs with a categorical code in their noise."""

from pydantic import Field
from torch import Tensor

from ganzoo.contract.metric import GroupMetric, SetMetric
from ganzoo.metrics import classes


class ClassAccuracy(GroupMetric):
    """Share of samples that a classifier assigns to the requested class.

    The extractor must be a classifier of the data set's own classes, as `digits` is of MNIST's.
    """

    kind = "class-accuracy"
    looks_at = "logits"
    higher_is_better = True

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.class_accuracy(fake, fake_groups)


class ClassVariety(GroupMetric):
    """Variance of features within a class, as a share of that of real images; 0: one image for each class.

    Averaged over classes. 1: as various as real images. Samples of a wrong class add to it, so read it together with
    class-accuracy. It shows a GAN that gets every class right with one image each more clearly than any other default
    metric.
    """

    kind = "class-variety"
    higher_is_better = True

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.class_variety(real, real_groups, fake, fake_groups)


class ClassDistance(GroupMetric):
    """Fréchet distance of features within a class, averaged over classes: intra-FID.

    Miyato and Koyama, 2018, arXiv:1802.05637, section 4. It is large if there are fewer images per class than features.
    """

    kind = "class-fid"
    usual = False

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.class_distance(real, real_groups, fake, fake_groups)


class OfCode(GroupMetric):
    """Metric of a categorical code."""

    looks_at = "logits"
    by = "code"
    higher_is_better = True

    code: str | None = Field(None, description="name of the categorical code (default: the first)")


class CodePurity(OfCode):
    """Share of samples of the class most frequent for their value of the code.

    1: each value stands for one class, although several may stand for the same; read it together with code-accuracy.
    Classes are those of the extractor.
    """

    kind = "code-purity"

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.code_purity(fake_groups, fake.argmax(1))


class CodeAccuracy(OfCode):
    """Share of samples of their code's class, where each value is matched with a class of its own.

    The matching is the best one-to-one matching; 1: the code has found the classes. Chen et al., 2016,
    arXiv:1606.03657, section 7.2, evaluate InfoGAN in this way.
    """

    kind = "code-accuracy"

    def measure(self, real: Tensor, real_groups: Tensor, fake: Tensor, fake_groups: Tensor) -> float:
        return classes.code_accuracy(fake_groups, fake.argmax(1))


class Confidence(SetMetric):
    """Share of samples that a classifier is confident about, which blots hardly are.

    Their largest class probability is `threshold` or more. It considers samples only, and is meaningful if the
    extractor is a classifier of such images, as `digits` is of MNIST's.
    """

    kind = "confidence"
    looks_at = "logits"
    higher_is_better = True

    threshold: float = Field(classes.SURE, gt=0, le=1, description="probability from which it counts as confident")

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return classes.confident_share(fake, self.threshold)
