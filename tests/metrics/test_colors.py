"""Colors as numbers: where they are known, and the distance that is made of them."""

import pytest
import torch
from torch import Tensor

from ganzoo.metrics.color_space import color_statistics, lab
from ganzoo.metrics.colors import color_distance


def filled(*colors: tuple[int, int, int], side: int = 4) -> Tensor:
    """Images of one color each, of which 255 is the most."""
    return (torch.tensor(colors).float() / 127.5 - 1)[:, :, None, None].expand(-1, -1, side, side)


def test_lab_has_the_values_that_everyone_finds() -> None:
    """As color calculators print them for sRGB and D65, such as Lindbloom's."""
    known = {
        (255, 0, 0): (53.24, 80.09, 67.20),
        (0, 255, 0): (87.73, -86.18, 83.18),
        (0, 0, 255): (32.30, 79.19, -107.86),
        (255, 255, 0): (97.14, -21.55, 94.48),
        (255, 255, 255): (100, 0, 0),
        (119, 119, 119): (50.03, 0, 0),
        (1, 1, 1): (0.27, 0, 0),
        (0, 0, 0): (0, 0, 0),
    }
    found = lab(filled(*known))[:, :, 0, 0]
    torch.testing.assert_close(found, torch.tensor(list(known.values())).float(), atol=0.02, rtol=0)


def test_grey_and_opacity() -> None:
    grey = torch.linspace(-1, 1, 16).view(1, 1, 4, 4)
    torch.testing.assert_close(color_statistics(grey), color_statistics(grey.expand(-1, 3, -1, -1)))
    colored = torch.rand(2, 3, 4, 4) * 2 - 1
    torch.testing.assert_close(color_statistics(torch.cat([colored, colored[:, :1]], 1)), color_statistics(colored))


def test_statistics_are_those_of_the_pixels() -> None:
    image = torch.cat([filled((255, 255, 255)), filled((0, 0, 0))], 3)
    torch.testing.assert_close(color_statistics(image), torch.tensor([[50.0, 0, 0, 50, 0, 0]]), atol=1e-2, rtol=0)


def test_the_distance_sees_colors_and_nothing_else() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(40, 3, 8, 8, generator=generator) * 2 - 1
    tints = torch.rand(40, 3, 1, 1, generator=generator) * 2 - 1
    images = (images + 2 * tints) / 3
    assert color_distance(images, images) == pytest.approx(0, abs=1e-5)
    assert color_distance(images, images.flip(0, 2, 3)) == pytest.approx(0, abs=1e-5), "order and place are nothing"
    grey = images.mean(1, keepdim=True)
    other = images.roll(1, 1)
    assert color_distance(images, other) > 1
    assert color_distance(images, grey) > 10
    average = images.mean((0, 2, 3), keepdim=True).expand_as(images)
    assert color_distance(images, average) > color_distance(images, images[:20]) > 0


def test_the_distance_of_single_colors_is_that_of_their_means() -> None:
    """Sets without any spread differ by the square of what their mean colors differ by."""
    first, second = filled((255, 0, 0)).repeat(5, 1, 1, 1), filled((255, 255, 255)).repeat(3, 1, 1, 1)
    squares = (100 - 53.24) ** 2 + 80.09**2 + 67.20**2
    assert color_distance(first, second) == pytest.approx(squares, rel=1e-3)
