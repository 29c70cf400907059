"""Semi-supervised GAN: a classifier from few labels (Salimans et al., 2016, arXiv:1606.03498).

Odena (2016, arXiv:1606.01583) had the same idea in the same month.
"""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import StridedClassifier, UpsampleGenerator


class SemiGAN(ganzoo.Adversarial):
    """Few labels: the discriminator is a classifier, and fakes are what belongs to no class."""

    name = "semi-gan"
    needs = frozenset({"image", "labelled_image", "label"})
    inputs = frozenset()
    streams = (frozenset({"labelled_image", "label"}),)

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-3, betas=(0.5, 0.999))
    width: int = 32
    generator_width: int = 32
    noise: float = 0.3
    shift: int = Field(2, ge=0, description="pixels by which images move at random, at most")
    unsupervised: float = 1.0

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(
            generator=UpsampleGenerator(self.latent_dim, data.shape, features=self.generator_width),
            discriminator=StridedClassifier(data.shape, len(data.classes), features=self.width, noise=self.noise),
        )

    def classify(self, nets, images):
        return nets.discriminator(images)[0]

    def answers(self, nets, images):
        return nets.discriminator(self.augmented(nets, shifted(images, self.shift)))

    def judge(self, nets, images, batch):
        return self.answers(nets, images)[0].logsumexp(1, keepdim=True)

    def generator_loss(self, nets, batch):
        _, fake = self.answers(nets, batch.fake)
        _, real = self.answers(nets, batch.image)
        return {"feature_matching": (real.mean(0) - fake.mean(0)).square().mean()}

    def discriminator_loss(self, nets, batch):
        losses = super().discriminator_loss(nets, batch)
        logits, _ = self.answers(nets, batch.labelled_image)
        losses = {n: self.unsupervised * v for n, v in losses.items()}
        return losses | {"class": F.cross_entropy(logits, batch.label)}


def shifted(images: Tensor, most: int) -> Tensor:
    count, channels, height, width = images.shape
    down, right = torch.randint(2 * most + 1, (2, count, 1), device=images.device)
    rows = (down + torch.arange(height, device=images.device))[:, None, :, None]
    columns = (right + torch.arange(width, device=images.device))[:, None, None, :]
    number = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[:, None, None]
    return F.pad(images, (most,) * 4, mode="replicate")[number, channel, rows, columns]


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(SemiGAN)
