"""A discriminator that judges an image piece by piece."""

import torch
from torch import Tensor, nn

from ganzoo.blocks.sizes import check_size
from ganzoo.blocks.weights import Initialization, initialize_as
from ganzoo.networks import Discriminator


class PatchDiscriminator(Discriminator):
    """One logit for each patch of an image and what it was made from (Isola et al., 2016, arXiv:1611.07004).

    A patch is 16 x 16 pixels apart from the next and sees 94 x 94 of them.

    Args:
        shapes: channels, height and width of the images to judge, then of each image that it is given beside them.
        initialization: how its weights are drawn.

    Raises:
        SizeError: the images are smaller than 32 x 32.
    """

    def __init__(self, *shapes: tuple[int, int, int], initialization: Initialization = "normal") -> None:
        super().__init__()
        for shape in shapes:
            # At 16 x 16 a single value would be left, which InstanceNorm cannot scale.
            check_size(type(self).__name__, shape, multiple=1, least=32)
        channels = sum(shape[0] for shape in shapes)
        layers: list[nn.Module] = []
        for features in (64, 128, 256, 512):
            layers.append(nn.Conv2d(channels, features, 4, stride=2, padding=1))
            if features > 64:
                layers.append(nn.InstanceNorm2d(features))
            layers.append(nn.LeakyReLU(0.2))
            channels = features
        self.layers = nn.Sequential(*layers, nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(channels, 1, 4, padding=1))
        initialize_as(self, initialization)

    def forward(self, image: Tensor, *condition: Tensor) -> Tensor:
        """Images, N x C x H x W, and what they were made from, to logits, N x 1 x H/16 x W/16."""
        logits: Tensor = self.layers(torch.cat([image, *condition], dim=1))
        return logits
