"""A classifier of handwritten digits, trained on MNIST's train split: what made digits are measured with.

It ships with its weights, as `benchmarks/train_classifier.py` made them: of the 10,000 test digits it gets 99.42 %
right at 28 x 28 pixels, 99.55 % at 32 x 32 and 99.57 % at 64 x 64.
"""

import importlib.resources
from pathlib import Path

from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional as F

import ganzoo

SIDE = 28
"""Pixels: the size that it looks at."""
FEATURES = 64
"""How many numbers `features` gives for an image."""


class DigitClassifier(nn.Module):
    """Digits as N x 1 x H x W in [-1, 1], of any size, light on dark; colours are looked at in grey."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*block(1, 32, 5, 2), *block(32, 64, 3, 2), *block(64, 64, 3, 1), nn.Flatten())
        self.describe = nn.Linear(64 * (SIDE // 4) ** 2, FEATURES)
        # Of mean 0 and variance 1 over the train split, so that a distance between features has a scale.
        self.norm = nn.BatchNorm1d(FEATURES, affine=False)
        self.classify = nn.Linear(FEATURES, 10)

    def features(self, images: Tensor) -> Tensor:
        """What it sees in images, N x 64: before the last activation, so that they are spread like a Gaussian."""
        return self.norm(self.describe(self.body(fitted(images))))

    def forward(self, images: Tensor) -> Tensor:
        """The logits of the ten digits, N x 10."""
        return self.classify(F.relu(self.features(images)))


def block(inputs: int, outputs: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    """A convolution, normalised and rectified."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


def fitted(images: Tensor) -> Tensor:
    """Images in the size that the classifier looks at, in grey."""
    if images.shape[1] > 1:
        images = images[:, :3].mean(1, keepdim=True)
    if images.shape[2:] == (SIDE, SIDE):
        return images
    return F.interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)


def digit_classifier() -> DigitClassifier:
    """The trained classifier, in evaluation mode, its weights frozen.

    Raises:
        DataError: the weights that came with ganzoo are damaged.
    """
    classifier = DigitClassifier()
    try:
        content = (importlib.resources.files(__package__) / "classifier.safetensors").read_bytes()
        classifier.load_state_dict(load(content))
    except Exception as error:  # safetensors and torch raise what they like
        raise ganzoo.DataError(
            f"the 'classifier.safetensors' that came with ganzoo is damaged; install ganzoo again: {error}"
        ) from error
    return classifier.eval().requires_grad_(False)


class Digits(ganzoo.Extractor):
    """The classifier of handwritten digits that ships with ganzoo: 64 features, ten classes, no download."""

    kind = "digits"
    resizer = f"bilinear, antialiased, to {SIDE} x {SIDE}, in grey"
    classes = tuple("0123456789")

    def build(self, folder: Path) -> nn.Module:
        return Seeing(digit_classifier()).eval()


class Seeing(nn.Module):
    """Images to features, N x 64, and the logits of the ten digits."""

    def __init__(self, classifier: DigitClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.classifier.features(images)
        return features, self.classifier.classify(F.relu(features))
