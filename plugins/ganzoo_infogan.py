"""InfoGAN: codes that acquire a meaning without labels (Chen et al., 2016, arXiv:1606.03657)."""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import COMPACT_RECIPE, CompactDiscriminator, CompactGenerator


class InfoGAN(ganzoo.Adversarial):
    """Noise to image, with codes that a recognition network must recover from the image.

    In a plain GAN, no single number of the noise has a meaning. Here a part of it is reserved for codes, and a second
    output of the discriminator has to recover the codes from the image. Recoverable codes must be visible, so without
    any label they come to represent variations of the images: the digit, its slant, its width.

    min_{G,Q} max_D V(D, G) - lambda L_I(G, Q) with L_I = E[log Q(c|G(z, c))] + H(c) (eq. 5 and 6): the codes are a
    uniform category and uniform values in [-1, 1]. Q shares all of D but the last layer; it predicts the category with
    a softmax and each value with a Gaussian. Codes are derived from `batch.noise`, like the rest of the noise.
    """

    name = "infogan"
    grid_columns = 10
    # Less noise leaves the digit to the category; smaller steps, the paper's for the generator, raise the purity.
    recipes = {"quick": {**COMPACT_RECIPE, "optimizer": {"lr": 1e-3, "betas": (0.5, 0.99)}, "latent_dim": 16}}

    categories: int = Field(10, ge=2, description="number of values of the categorical code")
    continuous: int = Field(2, ge=1, description="number of continuous codes")
    category_weight: float = Field(1.0, ge=0, description="weight of the category's information (lambda in the paper)")
    continuous_weight: float = Field(0.1, ge=0, description="weight of the continuous codes' information")

    def noise_shape(self) -> tuple[int, ...]:
        return (self.latent_dim + self.continuous + self.categories,)

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        answers = 1 + self.categories + 2 * self.continuous
        return ganzoo.Networks(
            generator=CompactGenerator(self.noise_shape()[0], data.shape),
            discriminator=CompactDiscriminator(data.shape, outputs=answers),
        )

    @property
    def codes(self) -> tuple[ganzoo.Code, ...]:
        values = (
            ganzoo.Continuous(f"continuous-{number + 1}", self.latent_dim + number) for number in range(self.continuous)
        )
        return ganzoo.Category("category", self.latent_dim + self.continuous, self.categories), *values

    def read(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes in rows of `batch.noise`: categories, int64, N; values in [-1, 1], N x continuous."""
        category, *values = self.codes
        return category.read(noise), torch.stack([value.read(noise) for value in values], 1)

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        category, values = self.read(batch.noise)
        # Concatenated with the noise, where it determines the shape: as a condition of every layer's normalization it
        # came to represent thickness, and several categories gave the same digit.
        one_hot = (category[:, None] == torch.arange(self.categories, device=category.device)).to(values.dtype)
        noise = torch.cat([batch.noise[:, : self.latent_dim], values, one_hot], 1)
        return batch.replace(fake=nets.generator(noise))

    def grid_noise(self, noise: Tensor) -> Tensor:
        """Return a row for each category, along which only the first continuous code grows, from -1 to 1."""
        category, first, *others = self.codes
        columns = self.grid_columns
        numbers = torch.arange(self.categories * columns, device=noise.device)
        even = torch.linspace(-1, 1, columns + 2, dtype=noise.dtype, device=noise.device)[1:-1]
        rows = noise[:1].expand(len(numbers), -1)
        for other in others:
            rows = other.put(rows, torch.zeros_like(numbers))
        return category.put(first.put(rows, even[numbers % columns]), numbers // columns)

    def answers(self, nets: ganzoo.Networks, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the discriminator's logits of images being real, N x 1, and its prediction of the codes."""
        logits = nets.discriminator(self.augmented(nets, images))
        return logits[:, :1], logits[:, 1:]

    def discriminate(self, nets: ganzoo.Networks, images: Tensor, batch: ganzoo.Batch) -> Tensor:
        return self.answers(nets, images)[0]

    def information(self, found: Tensor, noise: Tensor) -> ganzoo.Losses:
        """Return -lambda L_I without the constant H(c), from Q's outputs for fakes, N x (categories + 2 continuous)."""
        category, values = self.read(noise)
        named, mean, spread = found.split([self.categories, self.continuous, self.continuous], 1)
        variance = F.softplus(spread) + 1e-2  # bounded from below, as the likelihood has no upper bound at 0
        surprise = (variance.log() + (values - mean).square() / variance).sum(1).mean() / 2
        return {
            "category": self.category_weight * F.cross_entropy(named, category),
            "continuous": self.continuous_weight * surprise,
        }

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        fake, found = self.answers(nets, batch.fake)
        return self.generator_terms(nets, batch, fake) | self.information(found, batch.noise)

    def discriminator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        real, (fake, found) = self.discriminate(nets, batch.image, batch), self.answers(nets, batch.fake.detach())
        return self.discriminator_terms(nets, batch, real, fake) | self.information(found, batch.noise)


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(InfoGAN)
