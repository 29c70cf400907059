"""The networks for captions: what fills a caption up changes nothing, and what it says does."""

import math

import pytest
import torch

from ganzoo.blocks import CaptionDiscriminator, CaptionEncoder, ImageEncoder, match
from ganzoo.data.text import encode

TEXTS = ["a seven", "a handwritten 7", "grinning face", "ä", ""]


@pytest.fixture
def encoder() -> CaptionEncoder:
    torch.manual_seed(0)
    return CaptionEncoder(16)


def test_what_fills_a_caption_up_changes_nothing(encoder: CaptionEncoder) -> None:
    short = encoder(encode(TEXTS, 15))
    for length in (16, 64, 200):
        torch.testing.assert_close(encoder(encode(TEXTS, length)), short)
    # Nor do the weights learn from it.
    encoder(encode(["a seven"], 64)).sum().backward()
    assert encoder.bytes.weight.grad is not None
    assert not encoder.bytes.weight.grad[0].any()
    assert encoder.bytes.weight.grad[ord("s")].any()


def test_captions_that_differ_become_vectors_that_differ(encoder: CaptionEncoder) -> None:
    vectors = encoder(encode(["a seven", "a eleven", "seven a", "a seve", "A seven", ""], 32))
    assert torch.pdist(vectors).min() > 0.01
    assert vectors.isfinite().all()


def test_vectors_are_about_as_large_as_noise(encoder: CaptionEncoder) -> None:
    lengths = encoder(encode(TEXTS, 32)).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((len(TEXTS),), 4.0))


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 8, 28), (4, 32, 20)], ids=str)
def test_images_are_judged_with_their_captions_and_encoded(shape: tuple[int, int, int]) -> None:
    images, meaning = torch.rand(3, *shape), torch.randn(3, 16)
    assert ImageEncoder(shape, 16)(images).shape == (3, 16)
    judge = CaptionDiscriminator(shape, 16).eval()
    logits = judge(images, meaning)
    assert logits.shape == (3, 1)
    assert not torch.isclose(judge(images, meaning.roll(1, 0)), logits).any(), "the caption counts"
    assert not torch.isclose(judge(images.flip(0), meaning)[::2], logits[::2]).any(), "the image counts"


def test_a_match_is_no_loss_and_a_muddle_is_that_of_guessing() -> None:
    vectors = torch.eye(5) * 3
    assert match(vectors, vectors * 7).item() < 1e-3
    assert match(vectors, vectors.roll(1, 0)).item() > 9
    assert match(torch.ones(5, 5), vectors).item() == pytest.approx(math.log(5))
