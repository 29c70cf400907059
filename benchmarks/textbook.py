"""The networks of the reference loops, as a textbook writes them: layers one after the other."""

from itertools import pairwise

import torch
from torch import Tensor, nn

LATENT = 64
"""Length of the noise vector."""


class DigitGenerator(nn.Module):
    """Noise to image: upsampling and convolution, twice."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.quarter = size // 4
        self.project = nn.Linear(LATENT, 128 * self.quarter**2)
        self.convolve = nn.Sequential(
            nn.BatchNorm2d(128),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(128, 128, 3, stride=1, padding=1),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(128, 64, 3, stride=1, padding=1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(64, 1, 3, stride=1, padding=1),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor) -> Tensor:
        return self.convolve(self.project(noise).view(len(noise), 128, self.quarter, self.quarter))


class DigitDiscriminator(nn.Module):
    """Image to the probability that it is real."""

    def __init__(self, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for given, made in pairwise((1, 16, 32, 64, 128)):
            layers += [nn.Conv2d(given, made, 3, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
            layers.append(nn.Dropout2d(0.25))
            if made > 16:
                layers.append(nn.BatchNorm2d(made))
        self.convolve = nn.Sequential(*layers)
        self.judge = nn.Sequential(nn.Linear(128 * (size // 16) ** 2, 1), nn.Sigmoid())

    def forward(self, image: Tensor) -> Tensor:
        return self.judge(self.convolve(image).view(len(image), -1))


class Down(nn.Module):
    """Half the size."""

    def __init__(self, given: int, made: int, *, normalize: bool, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(given, made, 4, stride=2, padding=1)]
        if normalize:
            layers.append(nn.InstanceNorm2d(made))
        layers.append(nn.LeakyReLU(0.2))
        if dropout:
            layers.append(nn.Dropout(dropout))
        self.model = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image)


class Up(nn.Module):
    """Twice the size, beside what the way down saw there."""

    def __init__(self, given: int, made: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(given, made, 4, stride=2, padding=1),
            nn.InstanceNorm2d(made),
            nn.ReLU(inplace=True),
        ]
        if dropout:
            layers.append(nn.Dropout(dropout))
        self.model = nn.Sequential(*layers)

    def forward(self, image: Tensor, seen: Tensor) -> Tensor:
        return torch.cat((self.model(image), seen), 1)


class UNet(nn.Module):
    """Image to image: Pix2Pix's generator. An image smaller than 256 x 256 takes fewer of the inner blocks."""

    def __init__(self, size: int) -> None:
        super().__init__()
        widths = (64, 128, 256, 512, 512, 512, 512, 512)[: size.bit_length() - 1]
        last = len(widths) - 1
        self.down = nn.ModuleList(
            Down(given, made, normalize=0 < block < last, dropout=0.5 if made == 512 else 0.0)
            for block, (given, made) in enumerate(pairwise((3, *widths)))
        )
        self.up = nn.ModuleList()
        given = widths[-1]
        for made in reversed(widths[:-1]):
            self.up.append(Up(given, made, dropout=0.5 if made == 512 else 0.0))
            given = 2 * made
        self.final = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(given, 3, 4, padding=1), nn.Tanh()
        )

    def forward(self, image: Tensor) -> Tensor:
        seen = []
        for down in self.down:
            image = down(image)
            seen.append(image)
        for up, beside in zip(self.up, reversed(seen[:-1]), strict=True):
            image = up(image, beside)
        return self.final(image)


class Patches(nn.Module):
    """An image and its source to one logit for each patch: Pix2Pix's discriminator. Any size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for given, made in pairwise((6, 64, 128, 256, 512)):
            layers.append(nn.Conv2d(given, made, 4, stride=2, padding=1))
            if made > 64:
                layers.append(nn.InstanceNorm2d(made))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.model = nn.Sequential(*layers, nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(512, 1, 4, padding=1))

    def forward(self, image: Tensor, source: Tensor) -> Tensor:
        return self.model(torch.cat((image, source), 1))
