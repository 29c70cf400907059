"""The loops that ganzoo is measured against: two GANs trained plainly, as a textbook does.

Nothing here is done for speed, and nothing against it: pictures transformed one by one, float32, one operation after
the other, the losses read at each step. The work is ganzoo's; `test_same_work.py` holds them to it.
"""

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from ganzoo_bench.measure import now
from ganzoo_bench.setting import Setting
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets, transforms
from torchvision.transforms.functional import to_pil_image

from benchmarks.textbook import LATENT, DigitDiscriminator, DigitGenerator, Patches, UNet
from ganzoo.data.load import load

Part: TypeAlias = Literal["end-to-end", "step-only"]
"""With the loading of data, or on one batch that is on the device already."""
Pair: TypeAlias = tuple[Tensor, Tensor]
PAIRS = 64
"""Pairs of pictures that Pix2Pix trains on: it is timed step by step, not by the epoch."""


class Loop(ABC):
    """A training loop, taken apart: where its batches come from, and what it does with one."""

    generator: nn.Module
    discriminator: nn.Module
    loader: DataLoader[Pair]

    def __init__(self, setting: Setting, size: int, batch_size: int) -> None:
        self.device = setting.device
        self.transform = transforms.Compose(
            [transforms.Resize(size), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
        )
        # Without drop_last the last batch of an epoch would be less work than ours.
        self.loader = DataLoader(self.dataset(setting, size), batch_size, shuffle=True, drop_last=True)
        self.build(size)

    @abstractmethod
    def dataset(self, setting: Setting, size: int) -> Dataset[Pair]:
        """Pictures, transformed one by one each time."""

    @abstractmethod
    def build(self, size: int) -> None:
        """The networks and their optimizers."""

    @abstractmethod
    def step(self, first: Tensor, second: Tensor) -> tuple[float, float]:
        """One iteration: the losses of the generator and of the discriminator."""

    def inputs(self, first: Tensor, second: Tensor) -> Pair:
        """What a step takes, of a batch on the device."""
        return first, second

    def batches(self) -> Iterator[Pair]:
        """What the steps take, one epoch after the other."""
        while True:
            for first, second in self.loader:
                yield self.inputs(first.to(self.device), second.to(self.device))


class DCGANLoop(Loop):
    """DCGAN on MNIST: Adam as torch has it, cross entropy of probabilities."""

    def dataset(self, setting: Setting, size: int) -> Dataset[Pair]:
        # This unpacks the digits that ship with ganzoo to where torchvision looks for them.
        load(setting.options("dcgan", limit=1, batch_size=1), frozenset({"image"}), folder=setting.data)
        digits: Dataset[Pair] = datasets.MNIST(str(setting.data), transform=self.transform)
        return digits

    def build(self, size: int) -> None:
        self.generator = DigitGenerator(size).to(self.device)
        self.discriminator = DigitDiscriminator(size).to(self.device)
        self.loss = nn.BCELoss()
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters())
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters())

    def inputs(self, images: Tensor, labels: Tensor) -> Pair:
        return images, torch.randn(len(images), LATENT, device=self.device)

    def step(self, real: Tensor, noise: Tensor) -> tuple[float, float]:
        ones = torch.ones(len(real), 1, dtype=real.dtype, device=self.device)
        zeros = torch.zeros(len(real), 1, dtype=real.dtype, device=self.device)

        self.generator_optimizer.zero_grad()
        fake = self.generator(noise)
        generator_loss = self.loss(self.discriminator(fake), ones)
        generator_loss.backward()
        self.generator_optimizer.step()

        self.discriminator_optimizer.zero_grad()
        real_loss = self.loss(self.discriminator(real), ones)
        fake_loss = self.loss(self.discriminator(fake.detach()), zeros)
        discriminator_loss = (real_loss + fake_loss) / 2
        discriminator_loss.backward()
        self.discriminator_optimizer.step()

        return generator_loss.item(), discriminator_loss.item()


class Pictures(Dataset[Pair]):
    """Pairs of PIL images. They are decoded once: that costs the reference less than a textbook's files on disk."""

    def __init__(self, pairs: list[tuple[object, object]], transform: transforms.Compose) -> None:
        self.pairs = pairs
        self.transform = transform

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        source, target = self.pairs[index]
        return self.transform(source), self.transform(target)


class Pix2PixLoop(Loop):
    """Pix2Pix on OpenMoji: cross entropy of logits, and 100 times the mean absolute difference."""

    def dataset(self, setting: Setting, size: int) -> Dataset[Pair]:
        options = setting.options("pix2pix", image_size=size, limit=PAIRS)
        columns = load(options, options.gan.needs, folder=setting.data).streams[0]
        images = zip(columns["source"], columns["target"], strict=True)
        return Pictures([(to_pil_image(source), to_pil_image(target)) for source, target in images], self.transform)

    def build(self, size: int) -> None:
        self.generator = UNet(size).to(self.device)
        self.discriminator = Patches(size).to(self.device)
        self.loss, self.distance = nn.BCEWithLogitsLoss(), nn.L1Loss()
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))

    def step(self, source: Tensor, target: Tensor) -> tuple[float, float]:
        self.generator_optimizer.zero_grad()
        fake = self.generator(source)
        logits = self.discriminator(fake, source)
        generator_loss = self.loss(logits, torch.ones_like(logits)) + 100 * self.distance(fake, target)
        generator_loss.backward()
        self.generator_optimizer.step()

        self.discriminator_optimizer.zero_grad()
        logits = self.discriminator(target, source)
        real_loss = self.loss(logits, torch.ones_like(logits))
        logits = self.discriminator(fake.detach(), source)
        fake_loss = self.loss(logits, torch.zeros_like(logits))
        discriminator_loss = (real_loss + fake_loss) / 2
        discriminator_loss.backward()
        self.discriminator_optimizer.step()

        return generator_loss.item(), discriminator_loss.item()


LOOPS: dict[str, type[Loop]] = {"dcgan": DCGANLoop, "pix2pix": Pix2PixLoop}


@dataclass(frozen=True)
class Work:
    """What a loop does: which GAN, on images of which size, so many at a time."""

    setting: Setting
    gan: str
    size: int
    batch_size: int
    strict: bool = False
    """Whether float32 is computed as such on a GPU, too, where torch's convolutions are else done in TF32."""


def seconds_per_iteration(work: Work, part: Part, iterations: int) -> float:
    """For a process of its own: runs the loop there, and keeps it for the next call."""
    torch.backends.cudnn.allow_tf32 = not work.strict
    loop, batches = _kept(work)
    if part == "step-only":
        batches = itertools.repeat(next(batches))
    start_iteration = now()
    for first, second in itertools.islice(batches, iterations):
        loop.step(first, second)
    return (now() - start_iteration) / iterations


@functools.lru_cache(maxsize=1)
def _kept(work: Work) -> tuple[Loop, Iterator[Pair]]:
    loop = LOOPS[work.gan](work.setting, work.size, work.batch_size)
    return loop, loop.batches()
