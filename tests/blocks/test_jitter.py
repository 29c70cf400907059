"""Random changes of pairs: alike in a row, of the size and range they were, mirrored half of the time."""

import pytest
import torch

from ganzoo.blocks import jitter


@pytest.mark.parametrize("enlarged", [1.0, 1.1])
def test_source_and_target_are_changed_alike(enlarged: float) -> None:
    torch.manual_seed(0)
    image = torch.rand(16, 3, 20, 24) * 2 - 1
    source, target = jitter(image[:, :1], image, enlarged=enlarged)
    assert (source.shape, target.shape) == ((16, 1, 20, 24), image.shape)
    torch.testing.assert_close(source, target[:, :1])
    assert not torch.equal(target, image)
    assert target.abs().max() <= 1


def test_images_that_are_not_enlarged_are_mirrored_or_left_alone_to_the_last_bit() -> None:
    torch.manual_seed(0)
    image = torch.rand(64, 1, 4, 6)
    (made,) = jitter(image, enlarged=1)
    same = [torch.equal(one, other) for one, other in zip(made, image, strict=True)]
    mirrored = [torch.equal(one, other.flip(2)) for one, other in zip(made, image, strict=True)]
    assert all(one != other for one, other in zip(same, mirrored, strict=True))
    assert 16 < sum(mirrored) < 48


def test_what_is_cut_out_is_a_part_of_that_size_within_the_image() -> None:
    torch.manual_seed(0)
    across = torch.linspace(-1 + 1 / 100, 1 - 1 / 100, 100).expand(200, 1, 100, 100)
    (made,) = jitter(across, enlarged=1.25)
    left, right = made[:, 0, 0, 0], made[:, 0, 0, -1]
    torch.testing.assert_close((right - left).abs(), torch.full((200,), 0.8 * 1.98), rtol=0, atol=0.01)
    assert made.abs().max() <= 1
    assert ((left + right) / 2).abs().max() > 0.17, "it is cut out anywhere"
    assert 60 < int((left > right).sum()) < 140, "and mirrored half of the time"


def test_the_random_numbers_are_torchs_own() -> None:
    image = torch.rand(4, 1, 8, 8)
    torch.manual_seed(3)
    (first,) = jitter(image)
    torch.manual_seed(3)
    assert torch.equal(jitter(image)[0], first)
