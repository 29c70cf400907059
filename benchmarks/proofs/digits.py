"""Proofs on handwritten digits, which the classifier that ships with them looks at."""

from functools import cache, cached_property
from typing import Protocol, cast

import torch
from ganzoo_data_mnist.classifier import FEATURES, DigitClassifier, Seeing, digit_classifier
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks import figures
from benchmarks.proofs.proof import PART, Figures, Proof, captions, columns_with, picture_of, untrained
from ganzoo.contract.codes import Category
from ganzoo.contract.gan import GAN
from ganzoo.contract.networks import Networks
from ganzoo.data.in_memory import fixed_latents, to_float
from ganzoo.metrics.classes import class_accuracy, class_variety, code_accuracy, code_purity, confident_share
from ganzoo.metrics.features import FeatureBuffer
from ganzoo.options.run import RunOptions
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.training.trainer import Trainer

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
    hold_out = 5000

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return not run.gan.needs & run.gan.inputs and FEW not in run.gan.needs and first_category(run.gan) is None

    def fields(self) -> frozenset[str]:
        return frozenset({"image", "label"})

    @property
    def samples(self) -> int:
        """As many as there are real images."""
        return len(self.real.image)

    def made(self, trained: TrainedGAN) -> Tensor:
        """Samples; of a GAN with classes each in turn."""
        return trained.generate(self.samples, self.run.seed, PART)

    def measure(self, trained: TrainedGAN) -> Figures:
        return self.judge(self.look(self.made(trained)))

    def look(self, images: Tensor) -> FeatureBuffer:
        """What the classifier sees in images."""
        return figures.seen(Seeing(classifier()), images)

    @cached_property
    def real_seen(self) -> FeatureBuffer:
        """What it sees in real digits."""
        return self.look(self.real.image)

    def judge(self, seen: FeatureBuffer) -> Figures:
        """Figures of samples, from what the classifier sees in them."""
        return {
            "frechet": figures.frechet_distance(self.real_seen.of("features"), seen.of("features")),
            "confident": confident_share(seen.of("logits")),
            "entropy": figures.entropy(seen.of("logits").argmax(1), CLASSES),
        }

    def picture(self, trained: TrainedGAN) -> Image.Image:
        """Rows of samples; of a GAN with classes, a column for each."""
        return picture_of(trained.generate(ROWS * CLASSES, self.run.seed), CLASSES)

    def example(self, name: str) -> str:
        return f"ganzoo generate {name} -n {ROWS * CLASSES} --columns {CLASSES} -o {name}.png"

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        """As many real digits of the train split: no GAN can be expected to come nearer."""
        images = columns_with("image", fresh)["image"]
        return {"train digits": self.judge(self.look(to_float(images[: self.samples].cpu())))}

    def protocol(self) -> dict[str, object]:
        return {
            **super().protocol(),
            "samples": self.samples,
            "real_images": len(self.real.image),
            "extractor": f"the shipped digit classifier, {FEATURES} features",
            "most_entropy": figures.most_entropy(CLASSES),
        }


class DigitsByCode(Digits):
    """Noise with a code for categories: has it found out by itself which digits there are?"""

    name = "digits by code"

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return not run.gan.needs & run.gan.inputs and first_category(run.gan) is not None

    def measure(self, trained: TrainedGAN) -> Figures:
        seen = self.look(self.made(trained))
        noise = fixed_latents(self.samples, self.run.gan.noise_shape(), self.run.seed)
        values, predicted = self.category.read(noise), seen.of("logits").argmax(1)
        meaning = {"purity": code_purity(values, predicted), "code_accuracy": code_accuracy(values, predicted)}
        return {**self.judge(seen), **meaning}

    @property
    def category(self) -> Category:
        """The code."""
        found = first_category(self.run.gan)
        assert found is not None, "see `applies`"
        return found

    def picture(self, trained: TrainedGAN) -> Image.Image:
        """A column for each value of the code; along it, the rest of the noise is the same in each row."""
        values = range(self.category.length)
        made = torch.cat(list(trained.sweep({self.category.name: values}, ROWS, self.run.seed)))
        return picture_of(made, self.category.length)

    def example(self, name: str) -> str:
        values = f"{self.category.name}=0..{self.category.length - 1}"
        return f"ganzoo generate {name} --codes {values} -n {ROWS} -o {name}.png"


def first_category(gan: GAN) -> Category | None:
    """The first code of a GAN that stands for categories."""
    return next((code for code in gan.codes if isinstance(code, Category)), None)


class DigitsByClass(Digits):
    """Class to image: is it the digit that was asked for? Each is asked for in turn."""

    name = "digits by class"
    tiny = {**Digits.tiny, "image_size": 32, "limit": 9600}
    headline = "accuracy"
    falls = False
    factor = 2.0

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return "label" in run.gan.needs & run.gan.inputs

    def asked(self) -> Tensor:
        """The class that each sample was asked for."""
        return torch.arange(self.samples) % CLASSES

    def measure(self, trained: TrainedGAN) -> Figures:
        seen = self.look(self.made(trained))
        return {**self.by_class(seen, self.asked()), **self.judge(seen)}

    def by_class(self, seen: FeatureBuffer, labels: Tensor) -> Figures:
        """Are samples of the class that was asked for, and various within it?"""
        real = self.real_seen.of("features"), self.real.label
        return {
            "accuracy": class_accuracy(seen.of("logits"), labels),
            "variety": class_variety(*real, seen.of("features"), labels),
        }

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        return {**super().beside(fresh), "real digits": self.by_class(self.real_seen, self.real.label)}


class DigitsByCaption(DigitsByClass):
    """Text to image: is it the digit of the caption? Captions are those of real digits."""

    name = "digits by caption"
    tiny = {**DigitsByClass.tiny, "limit": 3200}

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return "caption" in run.gan.needs & run.gan.inputs

    def fields(self) -> frozenset[str]:
        return frozenset({"image", "label", "caption"})

    def made(self, trained: TrainedGAN) -> Tensor:
        texts = captions(self.real.caption)
        return trained.generate(len(texts), self.run.seed, PART, text=texts)

    def asked(self) -> Tensor:
        return self.real.label

    def picture(self, trained: TrainedGAN) -> Image.Image:
        first = torch.stack([(self.real.label == digit).nonzero()[0, 0] for digit in range(CLASSES)])
        texts = captions(self.real.caption[first])
        return picture_of(trained.generate(ROWS * CLASSES, self.run.seed, text=texts), CLASSES)

    def example(self, name: str) -> str:
        return f'ganzoo generate {name} --text "a seven" -n {ROWS} -o seven.png'


class Classifying(Protocol):
    """A GAN whose discriminator classifies."""

    def classify(self, nets: Networks, images: Tensor) -> Tensor:
        """Logits of images, N x classes."""

    def answers(self, nets: Networks, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same of images moved and noisy as in training, and features."""


class FewLabels(Digits):
    """Few labels: how many digits does the discriminator of a `Classifying` GAN classify rightly?"""

    name = "classification with few labels"
    tiny = {**Digits.tiny, "limit": 3200}
    headline = "accuracy"
    falls = False
    factor = 2.0
    shows = (
        "Digits of the test split, a column for each class that the shipped weights find in them: the classifier is "
        "what is wanted here, and the generator's images are no better than they need to be. To classify others:"
    )
    language = "python"
    steps = 1500
    """In which the same network learns from the labels alone."""

    @classmethod
    def applies(cls, run: RunOptions) -> bool:
        return FEW in run.gan.needs

    def measure(self, trained: TrainedGAN) -> Figures:
        return {"accuracy": self.accuracy(trained), **super().measure(trained)}

    def accuracy(self, trained: TrainedGAN) -> float:
        """Of its answers to real images that were not trained on."""
        return class_accuracy(self.classified(trained), self.real.label)

    @torch.no_grad()
    def classified(self, trained: TrainedGAN) -> Tensor:
        """Its logits for these images, N x classes, on the CPU."""
        gan, nets = cast("Classifying", trained.gan), trained.nets
        parts = self.real.image.to(trained.device).split(PART)
        return torch.cat([gan.classify(nets, part) for part in parts]).cpu()

    def picture(self, trained: TrainedGAN) -> Image.Image:
        """A column for each class that it knows: the first real images that it takes for it."""
        found = self.classified(trained).argmax(1)
        columns = [self.real.image[found == digit][:ROWS] for digit in range(CLASSES)]
        blank = [F.pad(column, (0, 0, 0, 0, 0, 0, 0, ROWS - len(column)), value=-1) for column in columns]
        return picture_of(torch.stack(blank, 1).flatten(0, 1), CLASSES)

    def example(self, name: str) -> str:
        return (
            "import ganzoo\n\n"
            f'trained = ganzoo.load("{name}")\n'
            "images = trained.generate(8)  # or others, N x 1 x 32 x 32 in [-1, 1]\n"
            "print(trained.gan.classify(trained.nets, images).argmax(1))"
        )

    def beside(self, fresh: Trainer) -> dict[str, Figures]:
        """The same network, trained on the same labelled images, moved and noisy as in the GAN, and on nothing else."""
        gan, nets = cast("Classifying", fresh.options.gan), fresh.engine.nets.train()
        few = columns_with(FEW, fresh)
        images, labels = to_float(few[FEW]), few["label"]
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
