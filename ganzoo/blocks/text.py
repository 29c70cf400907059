"""Networks for captions: encoders of captions and images to vectors, and a discriminator of both."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.blocks.compact import compact_layers, initialize_he
from ganzoo.blocks.conv import strided
from ganzoo.contract.networks import Discriminator


class CaptionEncoder(nn.Module):
    """Encoder from captions, as UTF-8 bytes, to vectors of length sqrt(words), with values on the scale of noise.

    Convolutions over the bytes, then the maximum and the mean over the caption, as in the character encoders of Reed et
    al. (2016, arXiv:1605.05395). Padding has no effect.

    Args:
        words: length of a vector.
        features: channels of the convolutions.
    """

    def __init__(self, words: int, *, features: int = 128) -> None:
        super().__init__()
        self.bytes = nn.Embedding(256, 32)
        self.layers = nn.ModuleList(
            [nn.Conv1d(32, features, 5, padding=2), nn.Conv1d(features, features, 5, padding=2)]
        )
        self.head = nn.Linear(2 * features, words)

    def forward(self, caption: Tensor) -> Tensor:
        """Map captions, N x L uint8, padded with zeros, to vectors, N x words."""
        there = (caption != 0).unsqueeze(1)
        found: Tensor = self.bytes(caption.int()).transpose(1, 2) * there
        for layer in self.layers:
            # Zeros again after each layer: padding is equivalent to the end of the field.
            found = F.relu(layer(found)) * there
        mean = found.sum(2) / there.sum(2).clamp(min=1)
        vectors: Tensor = self.head(torch.cat([found.amax(2), mean], 1))
        return F.normalize(vectors.float()) * vectors.shape[1] ** 0.5


class ImageEncoder(nn.Module):
    """Encoder from images to the vector space of captions: four convolutions of stride 2 and a linear layer.

    Args:
        shape: channels, height and width of the images; any size.
        words: length of a vector.
    """

    def __init__(self, shape: tuple[int, int, int], words: int) -> None:
        super().__init__()
        layers, (features, height, width) = strided(shape, 32)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(features * height * width, words))

    def forward(self, image: Tensor) -> Tensor:
        """Map images, N x C x H x W, to vectors, N x words."""
        vectors: Tensor = self.layers(image)
        return vectors


class CaptionDiscriminator(Discriminator):
    """Discriminator of images and the vectors of captions, with one logit: real, and matching the caption.

    The discriminator of Reed et al. (2016, arXiv:1605.05396, section 4.1): convolutions of stride 2, then the caption,
    projected and concatenated with the features at every position, and a convolution of 1 x 1. The convolutions are
    those of `CompactDiscriminator`, without normalization.

    Args:
        shape: channels, height and width of the images; sides multiples of 4, and at least 8.
        words: length of a caption's vector.
        width: channels of the generator at full size; the first convolution has twice as many.

    Raises:
        SizeError: a side is not a multiple of 4, or shorter than 8.
    """

    def __init__(self, shape: tuple[int, int, int], words: int, *, width: int = 16) -> None:
        super().__init__()
        layers, (features, height, sideways) = compact_layers(shape, width)
        self.images = nn.Sequential(*layers)
        self.captions = nn.Sequential(nn.Linear(words, features), nn.LeakyReLU(0.2))
        self.both = nn.Sequential(
            nn.Conv2d(2 * features, features, 1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(features * height * sideways, 1),
        )
        initialize_he(self)

    def forward(self, image: Tensor, meaning: Tensor) -> Tensor:
        """Map images, N x C x H x W, and vectors, N x words, to logits, N x 1."""
        seen = self.images(image)
        said = self.captions(meaning)[:, :, None, None].expand(-1, -1, *seen.shape[2:])
        logits: Tensor = self.both(torch.cat([seen, said], 1))
        return logits


def match(images: Tensor, captions: Tensor, temperature: float = 0.1) -> Tensor:
    """Return the contrastive loss of vectors of images and of their captions, N x words each: 0-dimensional.

    The mean of two cross entropies, over the cosines of every image with every caption: which caption is the image's,
    and which image is the caption's (Zhang et al., 2020, arXiv:2010.00747, eq. 4).
    """
    cosines = F.normalize(images) @ F.normalize(captions).T / temperature
    own = torch.arange(len(cosines), device=cosines.device)
    return (F.cross_entropy(cosines, own) + F.cross_entropy(cosines.T, own)) / 2
