"""Classifier of handwritten digits, trained on MNIST's train split, for evaluating generated digits.

It ships with its weights from `benchmarks/train_classifier.py`: its accuracy on the 10,000 test digits is 99.42 % at 28
x 28 pixels, 99.55 % at 32 x 32 and 99.57 % at 64 x 64.
"""

import importlib.resources
from pathlib import Path

from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional as F

import ganzoo

SIDE = 28
"""Input size in pixels."""
FEATURES = 64
"""Number of features per image."""


class DigitClassifier(nn.Module):
    """Classifier of digits, N x 1 x H x W in [-1, 1], of any size, light on dark; colors are converted to gray."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*block(1, 32, 5, 2), *block(32, 64, 3, 2), *block(64, 64, 3, 1), nn.Flatten())
        self.describe = nn.Linear(64 * (SIDE // 4) ** 2, FEATURES)
        # Mean 0 and variance 1 over the train split, so that distances between features have a scale.
        self.norm = nn.BatchNorm1d(FEATURES, affine=False)
        self.classify = nn.Linear(FEATURES, 10)

    def features(self, images: Tensor) -> Tensor:
        """Return features, N x 64: before the last activation, so that their distribution resembles a Gaussian."""
        return self.norm(self.describe(self.body(fitted(images))))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the ten digits, N x 10."""
        return self.classify(F.relu(self.features(images)))


def block(inputs: int, outputs: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    """Return a convolution with normalization and ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


def fitted(images: Tensor) -> Tensor:
    """Return images in the input size, in gray."""
    if images.shape[1] > 1:
        images = images[:, :3].mean(1, keepdim=True)
    if images.shape[2:] == (SIDE, SIDE):
        return images
    return F.interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)


def digit_classifier() -> DigitClassifier:
    """Return the trained classifier, in evaluation mode, with frozen weights.

    Raises:
        DataError: if the weights that came with ganzoo are damaged.
    """
    classifier = DigitClassifier()
    try:
        content = (importlib.resources.files(__package__) / "classifier.safetensors").read_bytes()
        classifier.load_state_dict(load(content))
    except Exception as error:  # safetensors and PyTorch raise various errors
        raise ganzoo.DataError(
            f"the 'classifier.safetensors' that came with ganzoo is damaged; install ganzoo again: {error}"
        ) from error
    return classifier.eval().requires_grad_(False)


class Digits(ganzoo.Extractor):
    """Classifier of handwritten digits that ships with ganzoo: 64 features, ten classes, no download."""

    kind = "digits"
    resizer = f"bilinear, antialiased, to {SIDE} x {SIDE}, in grey"
    classes = tuple("0123456789")

    def build(self, folder: Path) -> nn.Module:
        return Seeing(digit_classifier()).eval()


class Seeing(nn.Module):
    """Module that returns features, N x 64, and the logits of the ten digits."""

    def __init__(self, classifier: DigitClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.classifier.features(images)
        return features, self.classifier.classify(F.relu(features))
