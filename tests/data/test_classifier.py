"""The digit classifier that ships: what it is trusted with."""

from pathlib import Path

import pytest
import torch
from ganzoo_data_mnist import classifier
from ganzoo_data_mnist.classifier import FEATURES, DigitClassifier, digit_classifier
from torch.nn import functional as F

import ganzoo
from ganzoo.data.dataset import DataRequest, InMemoryData
from ganzoo.data.in_memory import to_float
from ganzoo.plugins import zoo


def digits(folder: Path, side: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    request = DataRequest(frozenset({"image", "label"}), (side, side), 1, "test", count, folder)
    table = zoo().datasets["mnist"]().load(request)
    assert isinstance(table, InMemoryData)
    return to_float(table.columns["image"]), table.columns["label"]


@pytest.mark.parametrize("side", [28, 32])
def test_it_is_right_about_99_of_100_test_digits(side: int, data_folder: Path) -> None:
    images, labels = digits(data_folder, side, 2500)
    with torch.no_grad():
        answers = digit_classifier()(images).argmax(1)
    assert (answers == labels).float().mean() >= 0.99


def test_what_it_sees_has_a_scale_and_hangs_little_on_size_and_colour(data_folder: Path) -> None:
    images, _ = digits(data_folder, 28, 500)
    net = digit_classifier()
    features = net.features(images)
    assert features.shape == (500, FEATURES)
    assert not features.requires_grad
    assert features.std(0).mean() == pytest.approx(1, abs=0.2)
    torch.testing.assert_close(net.features(images.expand(-1, 3, -1, -1)), features)
    large = net.features(F.interpolate(images, (64, 64), mode="bilinear"))
    assert (large - features).square().mean() < 0.3


def test_weights_that_are_damaged_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(DigitClassifier):
        """Has another shape than what is shipped."""

        def __init__(self) -> None:
            super().__init__()
            self.classify = torch.nn.Linear(FEATURES, 11)

    monkeypatch.setattr(classifier, "DigitClassifier", Other)
    with pytest.raises(ganzoo.DataError, match="install ganzoo again"):
        digit_classifier()
