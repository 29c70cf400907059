"""Grids that cannot be: of no images, or larger than the memory."""

import pytest
import torch

from ganzoo import pictures
from ganzoo.errors import OptionError


def test_no_images_make_no_grid() -> None:
    with pytest.raises(ValueError, match="there are no images"):
        pictures.grid(torch.empty(0, 1, 4, 4), 5)


def test_where_no_memory_is_free_there_is_none_for_a_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(2, 1, 4, 4)
    for free, refused in ((None, False), (0, True), (10**9, False)):
        monkeypatch.setattr(pictures, "free_memory", lambda free=free: free)
        if refused:
            with pytest.raises(OptionError, match="there is no memory for one picture of 14x8 pixels"):
                pictures.grid(images, 2)
        else:
            assert pictures.grid(images, 2).size == (14, 8)


def test_to_pixels_stays_within_a_byte() -> None:
    images = torch.tensor([-3.0, -1.0, 0.0, 1.0, 1.02]).view(1, 1, 1, 5)
    pixels = pictures.to_pixels(images)
    assert (pixels.dtype, pixels.shape) == (torch.uint8, (1, 1, 5, 1))
    assert pixels.flatten().tolist() == [0, 0, 128, 255, 255]
