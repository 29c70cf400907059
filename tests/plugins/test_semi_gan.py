"""The semi-supervised GAN: K logits that stand for K + 1 classes, and what its terms see."""

import pytest
import torch
from ganzoo_semi_gan import SemiGAN, shifted
from torch.nn import functional as F

from ganzoo import Batch, Networks
from ganzoo.data.example import example_batch, example_spec


def ready(gan: SemiGAN) -> tuple[Networks, Batch]:
    torch.manual_seed(0)
    data = example_spec(gan.needs, (1, 16, 16))
    nets = gan.networks(data)
    return nets, gan.generate(nets, example_batch(data, gan.noise_shape(), rows=8))


def test_the_probability_of_a_fake_is_that_of_a_class_more() -> None:
    gan = SemiGAN(noise=0.0, shift=0)
    nets, batch = ready(gan)
    logits = gan.classify(nets, batch.image)
    assert logits.shape == (8, 5)
    real = gan.discriminate(nets, batch.image, batch)
    assert real.shape == (8, 1)
    softmax = torch.cat([logits, torch.zeros(8, 1)], 1).softmax(1)
    torch.testing.assert_close(torch.sigmoid(-real[:, 0]), softmax[:, 5])
    # So cross entropy on that logit is the paper's unsupervised loss.
    fake = torch.cat([gan.classify(nets, batch.fake), torch.zeros(8, 1)], 1).log_softmax(1)[:, 5]
    expected = -((1 - softmax[:, 5]).log().mean() + fake.mean()) / 2
    torch.testing.assert_close(gan.discriminator_loss(nets, batch)["adversarial"], expected)


def test_labels_are_read_beside_their_own_images_alone() -> None:
    gan = SemiGAN(noise=0.0, shift=0, class_weight=2.0)
    nets, batch = ready(gan)
    losses = gan.discriminator_loss(nets, batch)
    expected = 2 * F.cross_entropy(gan.classify(nets, batch.labelled_image), batch.label)
    torch.testing.assert_close(losses["class"], expected)
    other = gan.discriminator_loss(nets, batch.replace(image=-batch.image))
    assert other["class"] == losses["class"]
    assert other["adversarial"] != losses["adversarial"]


def test_features_that_match_cost_nothing() -> None:
    gan = SemiGAN(noise=0.0, shift=0)
    nets, batch = ready(gan)
    same = batch.replace(fake=batch.image.flip(0))  # the mean over the batch is what counts
    assert gan.generator_loss(nets, same)["feature_matching"].item() == pytest.approx(0, abs=1e-10)
    term = gan.generator_loss(nets, batch)["feature_matching"]
    assert term > 0
    assert all(gradient is not None for gradient in torch.autograd.grad(term, list(nets.generator.parameters())))


def test_images_are_shifted_each_in_its_own_way_and_classified_as_they_are() -> None:
    torch.manual_seed(0)
    images = torch.arange(64.0).view(1, 1, 8, 8).expand(50, 3, -1, -1)
    moved = shifted(images, 2)
    assert moved.shape == images.shape
    steps = {(int(image[0, 4, 4] - 36) + 18) // 8 - 2 for image in moved}
    assert steps == {-2, -1, 0, 1, 2}
    assert torch.equal(moved[:, 0], moved[:, 2])
    assert torch.equal(shifted(images, 0), images)
    gan = SemiGAN()
    nets, batch = ready(gan)
    nets.eval()
    assert torch.equal(gan.classify(nets, batch.image), gan.classify(nets, batch.image))
