"""CGAN: the class goes into both networks, and data without classes is refused."""

from pathlib import Path

import pytest
import torch
from ganzoo_acgan import ACGAN
from ganzoo_cgan import CGAN
from ganzoo_semi_gan import SemiGAN
from PIL import Image
from shared import Command

import ganzoo
from ganzoo import Batch, DataSpec
from ganzoo.data.example import example_batch, example_spec


def spec(*classes: str) -> DataSpec:
    return DataSpec(dataset="some", shapes={"image": (1, 16, 16), "label": ()}, classes=classes)


def test_another_class_another_image_and_another_judgement() -> None:
    torch.manual_seed(0)
    gan, data = CGAN(), spec("a", "b", "c")
    nets = gan.networks(data).eval()
    noise = torch.randn(1, gan.latent_dim).expand(3, -1)
    batch = Batch(noise=noise, label=torch.arange(3), image=torch.rand(1, 1, 16, 16).expand(3, -1, -1, -1))
    images = gan.generate(nets, batch).fake
    assert all((images[one] - images[other]).abs().max() > 0.01 for one, other in ((0, 1), (0, 2), (1, 2)))

    judged = gan.discriminate(nets, batch.image, batch)
    assert judged.shape == (3, 1)
    assert torch.pdist(judged).min() > 1e-4


def test_both_players_learn_from_the_class() -> None:
    torch.manual_seed(0)
    gan = CGAN()
    data = example_spec(gan.needs, (1, 16, 16))
    nets = gan.networks(data)
    batch = gan.generate(nets, example_batch(data, gan.noise_shape(), rows=3))
    seen = batch.label.unique()
    absent = [label for label in range(len(data.classes)) if label not in seen]
    normalization = nets.get_parameter("generator.norms.1.affine.weight")  # 2 features x classes
    (gradient,) = torch.autograd.grad(gan.generator_loss(nets, batch)["adversarial"], normalization, retain_graph=True)
    assert gradient[:, seen].any()
    assert not gradient[:, absent].any()
    planes = nets.get_parameter("discriminator.layers.0.weight")  # features x (channels + classes) x 4 x 4
    (gradient,) = torch.autograd.grad(gan.discriminator_loss(nets, batch)["adversarial"], planes)
    assert gradient[:, 1:][:, seen].any()
    assert not gradient[:, 1:][:, absent].any()


def test_noise_still_varies_the_images_of_a_class() -> None:
    torch.manual_seed(0)
    gan = CGAN()
    nets = gan.networks(spec("a", "b", "c")).eval()
    same = Batch(noise=torch.randn(2, gan.latent_dim), label=torch.ones(2, dtype=torch.int64))
    first, second = gan.generate(nets, same).fake
    assert (first - second).abs().max() > 0.01


@pytest.mark.parametrize("kind", [CGAN, ACGAN, SemiGAN])
@pytest.mark.parametrize(("classes", "found"), [((), "no classes"), (("a",), "only the class 'a'")])
def test_data_without_two_classes_is_refused(kind: type[ganzoo.GAN], classes: tuple[str, ...], found: str) -> None:
    with pytest.raises(
        ganzoo.DataError, match=f"'{kind.name}' needs images of two classes or more.*'some' has {found}"
    ):
        kind().networks(spec(*classes))


@pytest.mark.parametrize("name", ["cgan", "acgan"])
def test_a_folder_without_classes_gets_one_plain_line(command: Command, name: str) -> None:
    for folder in ("plain", "one/only"):
        Path(folder).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (16, 16), 60 * number).save(Path(folder) / f"{number}.png")
    for folder, words in (("plain", "have no classes: put those of each class into a sub-folder"), ("one", "'only'")):
        answer = command("run", name, "--data", f"folder:{folder}", "--image-size", "16", "--batch-size", "2")
        assert answer.status == 2
        assert words in answer.err
        assert answer.err.strip().count("\n") == 0
        assert not Path("runs").exists()
