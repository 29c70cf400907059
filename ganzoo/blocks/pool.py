"""Replay pool of earlier fakes, against forgetting in the discriminator."""

import torch
from torch import Tensor, nn


class ReplayPool(nn.Module):
    """Pool that replaces every second image by an earlier one (Shrivastava et al., 2016, arXiv:1612.07828).

    Until it is full, it stores and returns its inputs. Then each image, with probability 1/2, is returned unchanged or
    swapped with one in the pool. Images of a batch beyond the size of the pool pass through. In evaluation mode all do,
    and nothing is stored.

    All state is in buffers, and there is no control flow in Python, so that iterations can be captured.

    Args:
        shape: channels, height and width of the images.
        size: capacity in images; 0: inputs are returned.
    """

    def __init__(self, shape: tuple[int, int, int], size: int = 50) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self.images: Tensor
        self.filled: Tensor

    def forward(self, fakes: Tensor) -> Tensor:
        """Return as many detached images, N x C x H x W, some of them from earlier calls."""
        size = len(self.images)
        if not (self.training and size):
            return fakes.detach()
        new, beyond = fakes.detach().split([min(len(fakes), size), max(0, len(fakes) - size)])
        full, device = self.filled >= size, fakes.device
        # Both are distinct positions, so that no two images are written to the same one.
        next_ones = (torch.arange(len(new), device=device) + self.filled) % size
        places = torch.where(full, torch.rand(size, device=device).argsort()[: len(new)], next_ones)
        old = self.images[places]
        swapped = full & (torch.rand(len(new), 1, 1, 1, device=device) < 0.5)
        self.images.index_copy_(0, places, torch.where(swapped | ~full, new, old).to(self.images.dtype))
        self.filled.add_(len(new)).clamp_(max=size)
        return torch.cat([torch.where(swapped, old.to(new.dtype), new), beyond])
