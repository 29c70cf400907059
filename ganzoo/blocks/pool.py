"""Earlier fakes, so that a discriminator does not forget what it has seen."""

import torch
from torch import Tensor, nn


class ReplayPool(nn.Module):
    """Gives back an earlier image in place of every second one (Shrivastava et al., 2016, arXiv:1612.07828).

    Until it is full it keeps what it is given and gives the same back. From then on each image, by an even chance, is
    given back itself, or changes places with one of the pool. The images of a batch that are more than the pool holds
    pass through it. In evaluation mode all do, and nothing is kept.

    Its state is in buffers and no choice is made in Python, so that iterations can be recorded.

    Args:
        shape: channels, height and width of the images.
        size: how many images it holds; 0: it gives back what it is given.
    """

    def __init__(self, shape: tuple[int, int, int], size: int = 50) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self.images: Tensor
        self.filled: Tensor

    def forward(self, fakes: Tensor) -> Tensor:
        """Images, N x C x H x W, to as many, some of them from earlier calls; they are detached."""
        size = len(self.images)
        if not (self.training and size):
            return fakes.detach()
        new, beyond = fakes.detach().split([min(len(fakes), size), max(0, len(fakes) - size)])
        full, device = self.filled >= size, fakes.device
        # Both are places that differ from one another, so that no two images are written to the same.
        next_ones = (torch.arange(len(new), device=device) + self.filled) % size
        places = torch.where(full, torch.rand(size, device=device).argsort()[: len(new)], next_ones)
        old = self.images[places]
        swapped = full & (torch.rand(len(new), 1, 1, 1, device=device) < 0.5)
        self.images.index_copy_(0, places, torch.where(swapped | ~full, new, old).to(self.images.dtype))
        self.filled.add_(len(new)).clamp_(max=size)
        return torch.cat([torch.where(swapped, old.to(new.dtype), new), beyond])
