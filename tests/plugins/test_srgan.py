"""SRGAN: its content loss, chosen openly, its sizes, and run folders that need no download."""

import logging
from pathlib import Path
from typing import Literal

import pytest
import torch
from ganzoo_srgan import SRGAN
from torch import Tensor
from torchvision.models.vgg import cfgs, make_layers

import ganzoo
from ganzoo import DataSpec, Engine, PerformanceOptions
from ganzoo.blocks import VGGFeatures
from ganzoo.blocks.features import vgg_file
from ganzoo.data.example import example_batch
from ganzoo.data.load import Data
from ganzoo.options.run import RunOptions
from ganzoo.runs import checkpoint
from ganzoo.runs import weights as saved_weights
from ganzoo.runs.folder import RunFolder
from ganzoo.training import resume
from ganzoo.training import trainer as trainings

SPEC = DataSpec(dataset="x", shapes={"source": (3, 8, 8), "target": (3, 32, 32)})
SMALL = {"width": 4, "discriminator_width": 4, "blocks": 1, "layer": "2_2"}


def small(**options: object) -> SRGAN:
    return SRGAN.model_validate(SMALL | options)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torchvision's folder of weights, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch"


@pytest.fixture
def weights(kept: Path) -> dict[str, Tensor]:
    """A file such as torchvision keeps, of VGG19's first layers, with random weights."""
    torch.manual_seed(5)
    first = [64, 64, "M", 128, 128]
    assert cfgs["E"][:5] == first
    held = {f"features.{name}": value for name, value in make_layers(first).state_dict().items()}
    vgg_file().parent.mkdir(parents=True)
    torch.save(held, vgg_file())
    return held


def training(gan: SRGAN) -> trainings.Trainer:
    batch = example_batch(SPEC, rows=4)
    columns = {name: ((batch[name] + 1) * 127.5).round().to(torch.uint8) for name in SPEC.shapes}
    options = RunOptions.model_validate(
        {"gan": gan, "data": "openmoji", "image_size": 32, "batch_size": 2, "epochs": 2, "device": "cpu"}
    )
    return trainings.Trainer.build(options, Data(SPEC, (columns,), columns, columns))


@pytest.mark.parametrize("scale", [2, 4])
def test_it_makes_images_larger_by_its_scale(scale: Literal[2, 4]) -> None:
    torch.manual_seed(0)
    spec = DataSpec(dataset="x", shapes={"source": (1, 32 // scale, 64 // scale), "target": (1, 32, 64)})
    gan = small(scale=scale, warm_up=0)
    assert gan.scale_factor == scale
    engine = Engine(gan, gan.networks(spec), speed=PerformanceOptions.plain())
    losses = engine.step(example_batch(spec))
    assert losses.keys() == {"generator/adversarial", "generator/content", "discriminator/adversarial"}
    assert engine.sample(example_batch(spec)).shape == (4, 1, 32, 64)


@pytest.mark.parametrize(
    ("source", "target"), [((3, 32, 32), (3, 32, 32)), ((1, 8, 8), (3, 32, 32)), ((3, 8, 8), (3, 33, 34))]
)
def test_sizes_that_do_not_go_together_are_refused(source: tuple[int, ...], target: tuple[int, ...]) -> None:
    with pytest.raises(ganzoo.SizeError, match=r"at scale 4; try --as lowres, and sides that are multiples of 4$"):
        small().networks(DataSpec(dataset="x", shapes={"source": source, "target": target}))


def test_it_begins_with_the_pixels_alone_and_pays_for_nothing_else() -> None:
    torch.manual_seed(0)
    gan = small(warm_up=2)
    engine = Engine(gan, gan.networks(SPEC), speed=PerformanceOptions.plain())
    calls: list[int] = []
    engine.nets.discriminator.register_forward_hook(lambda *_: calls.append(engine.iteration))
    terms = [engine.step(example_batch(SPEC)) for _ in range(3)]
    assert [set(names) for names in terms[:2]] == [{"warm_up/content"}] * 2
    assert terms[2].keys() == {"generator/adversarial", "generator/content", "discriminator/adversarial"}
    assert calls == [2, 2, 2], "for the generator, and for real images and fakes"


def test_its_losses_are_weighed_as_its_options_say() -> None:
    gan = small(adversarial=0.5)
    nets = gan.networks(SPEC)
    batch = gan.generate(nets, example_batch(SPEC))
    losses = gan.generator_loss(nets, batch)
    judged = gan.loss.generator(batch.fake[:0], nets.discriminator(batch.fake))
    assert losses["adversarial"].item() == pytest.approx(judged.item() / 2, rel=1e-4)
    torch.testing.assert_close(losses["content"], (batch.fake - batch.target).square().mean())
    torch.testing.assert_close(gan.pixel_loss(nets, batch), {"content": losses["content"]})


def test_without_the_weights_pixels_are_compared_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    gan = small()
    assert gan.perceptual == "pixel"
    assert gan.model_dump()["perceptual"] == "pixel"
    with caplog.at_level(logging.INFO, "ganzoo"):
        assert "features" not in gan.networks(SPEC)
    assert [record.getMessage() for record in caplog.records] == ["the content loss compares pixels"]


def test_with_the_weights_their_features_are_compared(
    weights: dict[str, Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    gan = small(warm_up=0)
    assert gan.perceptual == "vgg"
    with caplog.at_level(logging.INFO, "ganzoo"):
        nets = gan.networks(SPEC)
    assert [record.getMessage() for record in caplog.records] == ["the content loss compares VGG19's features"]
    for name, value in nets.features.state_dict().items():
        assert name in ("mean", "std") or torch.equal(value, weights[name])
    batch = gan.generate(nets, example_batch(SPEC))
    losses = gan.generator_loss(nets, batch)
    distance = (nets.features(batch.fake) - nets.features(batch.target)).square().mean()
    torch.testing.assert_close(losses["content"], distance)


def test_the_features_are_frozen_and_their_file_may_have_torchs_older_form(weights: dict[str, Tensor]) -> None:
    torch.save(weights, vgg_file(), _use_new_zipfile_serialization=False)
    gan = small(warm_up=0)
    engine = Engine(gan, gan.networks(SPEC), speed=PerformanceOptions.plain())
    engine.step(example_batch(SPEC))
    assert torch.equal(engine.nets.features.state_dict()["features.0.weight"], weights["features.0.weight"])
    assert not engine.nets.features.training
    assert "features.features.0.weight" in engine.frozen


def test_the_features_are_those_of_torchvisions_network(weights: dict[str, Tensor]) -> None:
    features, images = VGGFeatures((3, 16, 16), "2_2"), torch.rand(2, 3, 16, 16)
    theirs = make_layers([64, 64, "M", 128, 128])
    theirs.load_state_dict({name.removeprefix("features."): value for name, value in weights.items()})
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 1, 3, 1, 1)
    torch.testing.assert_close(features(images * 2 - 1), theirs((images - mean) / std))
    grey = images[:, :1]
    torch.testing.assert_close(features(grey), features(grey.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(features(torch.cat([images, grey], 1)), features(images))


def test_all_layers_are_named_as_torchvision_names_them() -> None:
    with torch.device("meta"):
        whole, theirs = VGGFeatures((3, 32, 32), "5_4").features, make_layers(cfgs["E"])
    shapes = [{name: value.shape for name, value in layers.state_dict().items()} for layers in (whole, theirs)]
    assert shapes[0] == shapes[1]
    assert sum(weight.numel() for weight in whole.parameters()) == 20_024_384
    assert [type(layer) for layer in whole] == [type(layer) for layer in theirs][:-1]


def test_features_refuse_images_too_small_for_them() -> None:
    with pytest.raises(ganzoo.SizeError, match=r"VGG19 up to layer 5_4: .* at least 16; try --image-size 16x16$"):
        VGGFeatures((3, 8, 8), "5_4")


def test_a_run_folder_needs_no_weights_file(weights: dict[str, Tensor], tmp_path: Path) -> None:
    begun = training(small())
    resume.resume_or_initialize(begun, None)
    begun.step()
    files, shared = begun.state_dict()
    folder = RunFolder(tmp_path / "run")
    folder.create()
    checkpoint.write(folder.checkpoints, 1, files, shared)
    vgg_file().unlink()

    gan = SRGAN.model_validate(begun.options.gan.model_dump(mode="json"))
    assert gan.perceptual == "vgg"
    nets = gan.networks(SPEC)
    saved_weights.load_networks(nets, files | shared)
    assert torch.equal(nets.features.state_dict()["features.0.weight"], weights["features.0.weight"])

    going_on = training(gan)
    resume.resume_or_initialize(going_on, folder)  # fetches nothing
    assert going_on.engine.iteration == 1
    assert torch.equal(going_on.engine.nets.features.state_dict()["features.0.weight"], weights["features.0.weight"])


def test_weights_that_cannot_be_had_are_one_plain_line(monkeypatch: pytest.MonkeyPatch) -> None:
    run = training(small(perceptual="vgg"))  # building alone fetches nothing
    monkeypatch.setattr("ganzoo.blocks.features._address", lambda: "http://127.0.0.1:9/vgg19-dcbb9e9d.pth")
    with pytest.raises(ganzoo.DataError, match=r"cannot be downloaded .* or train with --perceptual pixel$") as error:
        resume.resume_or_initialize(run, None)
    assert "\n" not in str(error.value)


def test_weights_that_are_missing_are_downloaded_when_a_run_begins(
    weights: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = vgg_file().replace(tmp_path / "vgg19.pth")
    run = training(small(perceptual="vgg"))
    monkeypatch.setattr("ganzoo.blocks.features._address", elsewhere.as_uri)
    resume.resume_or_initialize(run, None)
    assert torch.equal(run.engine.nets.features.state_dict()["features.0.weight"], weights["features.0.weight"])
    assert vgg_file().is_file()


def test_a_file_of_something_else_is_named() -> None:
    vgg_file().parent.mkdir(parents=True)
    vgg_file().write_bytes(b"<html>not found</html>")
    with pytest.raises(ganzoo.DataError, match=r"does not hold the weights of VGG19 .*; remove it$"):
        small().networks(SPEC)
