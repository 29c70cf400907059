"""The way from one seed to another, through the noise between them."""

import torch
from torch import Tensor

from ganzoo.api import TrainedGAN
from ganzoo.data.batch import Batch
from ganzoo.engine.training import fixed_noise
from ganzoo.inputs import Class, input_fields


def between(
    trained: TrainedGAN,
    first: int,
    second: int,
    shares: Tensor,
    *,
    text: str | None = None,
    classes: Class | None = None,
) -> Tensor:
    """Images on the way between the first ones of two seeds, N x C x H x W in [-1, 1], on the CPU.

    Args:
        trained: the GAN.
        first: the seed of the image at 0.
        second: the seed of the image at 1.
        shares: how far along each is, N, from 0 to 1.
        text: what all of them show, for a GAN that makes images from captions.
        classes: the class of all of them, for a GAN with classes; None: the first.

    Raises:
        UserError: as `TrainedGAN.generate`.
    """
    gan, count, device = trained.gan, len(shares), trained.device
    start, end = (fixed_noise(1, gan.noise_shape(), seed)["noise"][0] for seed in (first, second))
    noise = torch.stack([slerp(start, end, float(share)) for share in shares])
    if classes is None and trained.takes_classes:
        classes = 0
    fields = {"noise": noise, **input_fields(gan, trained.data, count, text, classes)}
    batch = Batch(**fields, step=torch.zeros((), dtype=torch.int64)).to(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
        torch.manual_seed(first)
        return gan.sample(trained.nets, batch).float().cpu()


def slerp(first: Tensor, second: Tensor, share: float) -> Tensor:
    """A point on the arc between two noise vectors, or rows of them, D or N x D (Shoemake, 1985; White, 2016).

    Normal noise of many dimensions lies near a sphere; a straight line would lead through the inside, where the
    generator has never been.
    """
    cosine = torch.cosine_similarity(first, second, dim=-1).clamp(-1, 1).unsqueeze(-1)
    angle = torch.arccos(cosine)
    straight = torch.lerp(first, second, share)
    arc = (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin().clamp(min=1e-6)
    return torch.where(angle.sin() < 1e-3, straight, arc)  # the same direction, or opposite ones: there is no arc
