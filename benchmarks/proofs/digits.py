"""Proofs on handwritten digits, which the classifier that ships with them looks at."""

from functools import cache
from typing import Protocol, cast

import torch
from ganzoo_data_mnist.classifier import FEATURES, DigitClassifier, Seeing, digit_classifier
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks import figures
from benchmarks.proofs.proof import PART, Figures, Proof, captions, columns_with, picture_of, untrained
from ganzoo.codes import Category
from ganzoo.data.batches import scaled
from ganzoo.engine.training import Training
from ganzoo.generation.trained import TrainedGAN
from ganzoo.networks import Networks
from ganzoo.options import RunOptions

CLASSES = 10
ROWS = 8
"""Rows of a picture, with as many images in each as there are digits."""
FEW = "labelled_image"


@cache
def classifier() -> DigitClassifier:
    """It is loaded once."""
    return digit_classifier()


class Digits(Proof):
    """Noise to image: how near are made digits to real ones, and are all ten there?"""

    name = "digits"
    options = {"data": "mnist"}
    tiny = {**options, "image_size": 16, "limit": 4800, "epochs": 1, "batch_size": 16}
    headline = "frechet"
    falls = True
    factor = 1.3

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return not run.gan.needs & run.gan.inputs and FEW not in run.gan.needs

    def fields(self) -> frozenset[str]:
        return frozenset({"image", "label"})

    def made(self, trained: TrainedGAN) -> Tensor:
        """Samples; of a GAN with classes each in turn."""
        return trained.generate(self.count, self.run.seed, PART)

    def measure(self, trained: TrainedGAN) -> Figures:
        return self.seen(self.made(trained))

    def seen(self, images: Tensor) -> Figures:
        """What the classifier sees in images."""
        distance = figures.frechet_distance(Seeing(classifier()), self.test.image, images)
        return {"frechet": distance, "entropy": figures.entropy(figures.predictions(classifier(), images), CLASSES)}

    def picture(self, trained: TrainedGAN) -> Image.Image:
        """Rows of samples; of a GAN with classes, or with a code for categories, a column for each."""
        category = next((code for code in self.run.gan.codes if isinstance(code, Category)), None)
        if category:
            made = torch.cat(list(trained.sweep({category.name: range(category.length)}, ROWS, self.run.seed)))
            return picture_of(made, category.length)
        return picture_of(trained.generate(ROWS * CLASSES, self.run.seed), CLASSES)

    def beside(self, fresh: Training) -> dict[str, Figures]:
        """As many real digits of the train split: no GAN can be expected to come nearer."""
        images = columns_with("image", fresh)["image"]
        return {"train digits": self.seen(scaled(images[: self.count].cpu()))}

    def protocol(self) -> dict[str, object]:
        return {
            **super().protocol(),
            "samples": self.count,
            "test_images": len(self.test.image),
            "extractor": f"the shipped digit classifier, {FEATURES} features",
            "most_entropy": figures.most_entropy(CLASSES),
        }


class DigitsByClass(Digits):
    """Class to image: is it the digit that was asked for? Each is asked for in turn."""

    name = "digits by class"
    tiny = {**Digits.tiny, "image_size": 32, "limit": 5600}
    headline = "accuracy"
    falls = False
    factor = 2.0

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return "label" in run.gan.needs & run.gan.inputs

    def asked(self) -> Tensor:
        """The class that each sample was asked for."""
        return torch.arange(self.count) % CLASSES

    def measure(self, trained: TrainedGAN) -> Figures:
        images = self.made(trained)
        right = figures.accuracy(figures.predictions(classifier(), images), self.asked())
        return {"accuracy": right, **self.seen(images)}

    def beside(self, fresh: Training) -> dict[str, Figures]:
        right = figures.accuracy(figures.predictions(classifier(), self.test.image), self.test.label)
        return {**super().beside(fresh), "test digits": {"accuracy": right}}


class DigitsByCaption(DigitsByClass):
    """Text to image: is it the digit of the caption? Captions are those of the test digits."""

    name = "digits by caption"
    tiny = {**DigitsByClass.tiny, "limit": 3200}

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return "caption" in run.gan.needs & run.gan.inputs

    def fields(self) -> frozenset[str]:
        return frozenset({"image", "label", "caption"})

    def made(self, trained: TrainedGAN) -> Tensor:
        texts = captions(self.test.caption)
        return trained.generate(len(texts), self.run.seed, PART, text=texts)

    def asked(self) -> Tensor:
        return self.test.label

    def picture(self, trained: TrainedGAN) -> Image.Image:
        first = torch.stack([(self.test.label == digit).nonzero()[0, 0] for digit in range(CLASSES)])
        texts = captions(self.test.caption[first])
        return picture_of(trained.generate(ROWS * CLASSES, self.run.seed, text=texts), CLASSES)


class Classifying(Protocol):
    """A GAN whose discriminator classifies."""

    def classify(self, nets: Networks, images: Tensor) -> Tensor:
        """Logits of images, N x classes."""

    def answers(self, nets: Networks, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same of images moved and noisy as in training, and features."""


class FewLabels(Digits):
    """Few labels: how many test digits does the discriminator of a `Classifying` GAN classify rightly?"""

    name = "classification with few labels"
    tiny = {**Digits.tiny, "limit": 3200}
    headline = "accuracy"
    falls = False
    factor = 2.0
    steps = 1500
    """In which the same network learns from the labels alone."""

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return FEW in run.gan.needs

    def measure(self, trained: TrainedGAN) -> Figures:
        return {"accuracy": self.accuracy(trained), **super().measure(trained)}

    @torch.no_grad()
    def accuracy(self, trained: TrainedGAN) -> float:
        """Of its answers to the test images."""
        gan, nets = cast("Classifying", trained.gan), trained.nets
        parts = self.test.image.to(trained.device).split(PART)
        answers = [gan.classify(nets, part).argmax(1) for part in parts]
        return figures.accuracy(torch.cat(answers).cpu(), self.test.label)

    def beside(self, fresh: Training) -> dict[str, Figures]:
        """The same network, trained on the same labelled images, moved and noisy as in the GAN, and on nothing else."""
        gan, nets = cast("Classifying", fresh.options.gan), fresh.engine.nets.train()
        few = columns_with(FEW, fresh)
        images, labels = scaled(few[FEW]), few["label"]
        optimizer = torch.optim.Adam(nets.parameters(), lr=1e-3, betas=(0.5, 0.999))
        drawing = torch.Generator().manual_seed(self.run.seed)
        for _ in range(self.steps):
            rows = torch.randint(len(labels), (32,), generator=drawing).to(labels.device)
            optimizer.zero_grad()
            answers, _ = gan.answers(nets, images[rows])
            F.cross_entropy(answers, labels[rows]).backward()
            optimizer.step()
        alone = self.accuracy(untrained(fresh))  # of GAN training it had none
        return {**super().beside(fresh), "labels alone": {"accuracy": alone, "labels": len(labels)}}
