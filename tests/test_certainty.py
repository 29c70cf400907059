"""How certain a discriminator is, by each loss's own measure: what adaptive augmentation follows."""

import pytest
import torch

from ganzoo.losses import CrossEntropy, Hinge, LeastSquares, LossScheme, Wasserstein, WassersteinGP
from ganzoo.plugins import zoo

SCHEMES: list[LossScheme] = [CrossEntropy(), LeastSquares(), Hinge(), Wasserstein(), WassersteinGP()]


@pytest.mark.parametrize("loss", [*SCHEMES, *(kind.model_construct() for kind in zoo().losses.values())])
def test_certainty_lies_between_minus_one_and_one_and_grows_with_the_logits_of_reals(loss: LossScheme) -> None:
    torch.manual_seed(0)
    for shape in ((64, 1), (8, 1, 4, 4)):
        real, fake = torch.randn(shape), torch.randn(shape)
        guessed = loss.overfitting_signal(real, fake)
        assert guessed.shape == ()
        assert -1 <= guessed.item() <= 1
        assert loss.overfitting_signal(real + 9, fake).item() == 1


def test_certainty_by_hand() -> None:
    real, fake = torch.tensor([2.0, -1.0, 0.4, 0.3]), torch.tensor([1.0, 1.0])
    assert CrossEntropy().overfitting_signal(real, fake).item() == Hinge().overfitting_signal(real, fake).item() == 0.5
    assert LeastSquares().overfitting_signal(real, fake).item() == -0.5
    assert (
        Wasserstein().overfitting_signal(real, fake).item()
        == WassersteinGP().overfitting_signal(real, fake).item()
        == -0.5
    )

    class Comparing(CrossEntropy):
        """Looks at both."""

        needs_real = True

    assert Comparing().overfitting_signal(real, fake).item() == -0.5
