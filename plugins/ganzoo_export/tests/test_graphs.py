"""Graphs of the zoo's GANs as files: the same images as PyTorch, for any number of them, and only what makes them."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from ganzoo_export import graphs
from ganzoo_export.tests.odd import odd
from ganzoo_export.trace import Traced, trace
from torch import nn

import ganzoo
from ganzoo.data.example import example_spec
from ganzoo.errors import SizeError, UserError
from ganzoo.plugins import zoo

SIDES = (8, 16, 32, 64)


def small(name: str) -> ganzoo.TrainedGAN:
    """An untrained GAN of the smallest size that it can have, its weights all drawn: none hides behind a zero."""
    torch.manual_seed(0)
    gan = zoo().gan(name).model_validate({})
    for side in SIDES:
        spec = example_spec(gan.needs, (1, side, side), gan.scale_factor)
        try:
            nets = gan.build(spec).eval()
        except SizeError:
            continue
        with torch.no_grad():
            for value in nets.parameters():
                if not value.any() or value.numel() == 1:
                    nn.init.normal_(value, std=0.5)
            for name_, buffer in nets.named_buffers():
                if name_.endswith("running_var"):
                    buffer.uniform_(0.5, 2)
        return ganzoo.TrainedGAN(Path(), gan, spec, nets)
    raise AssertionError(f"{name} has no size among {SIDES}")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_onnxruntime_makes_the_images_that_pytorch_makes(name: str, tmp_path: Path) -> None:
    trained = small(name)
    traced = trace(trained)
    difference = graphs.write_onnx(traced, trained, tmp_path)
    assert 0 <= difference <= 1e-3
    (file,) = tmp_path.iterdir()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    assert [place.name for place in session.get_inputs()] == list(traced.shapes)
    assert {place.shape[0] for place in (*session.get_inputs(), *session.get_outputs())} == {"batch"}
    expected = trained.gan.sample  # of the GAN itself, not of what was traced
    inputs = traced.inputs(trained, 7)
    (made,) = session.run(["image"], {key: value.numpy() for key, value in inputs.items()})
    with torch.no_grad():
        images = expected(trained.nets, ganzoo.Batch(**inputs, step=torch.zeros((), dtype=torch.int64)))
    assert made.shape == (7, *trained.data.shape)
    assert np.abs(made - images.numpy()).max() <= 1e-3
    assert images.std() > 0.01, "there is something to compare"
    weights = sum(math.prod(tensor.dims) for tensor in onnx.load(file).graph.initializer)
    makes = sum(value.numel() for part in traced.networks for value in trained.nets.get_submodule(part).parameters())
    assert "discriminator" not in traced.networks
    assert weights <= 2 * makes, "what makes no images is left out"


@pytest.mark.slow
def test_torch_alone_makes_them_too(tmp_path: Path) -> None:
    trained = small("stylegan2")
    traced = trace(trained)
    assert graphs.write_torchexport(traced, trained, tmp_path) == 0
    module = torch.export.load(tmp_path / graphs.PT2).module()
    assert module(**traced.inputs(trained, 4)).shape == (4, *trained.data.shape)
    assert traced.networks == {"mapping", "synthesis"}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["normal", "uniform", "in place"])
def test_a_strangers_gan_needs_no_line_for_it(mode: str, tmp_path: Path) -> None:
    trained = odd(mode)
    traced: Traced = trace(trained)
    assert graphs.write_onnx(traced, trained, tmp_path) <= 1e-3
    assert traced.drawn == ((f"random_{mode}_0",) if mode in ("normal", "uniform") else ())
    if traced.drawn:
        (name,) = traced.drawn
        session = onnxruntime.InferenceSession(tmp_path / graphs.ONNX)
        inputs = {key: value.numpy() for key, value in traced.inputs(trained, 2).items()}
        (first,), (again,) = session.run(None, inputs), session.run(None, inputs)
        (other,) = session.run(None, inputs | {name: inputs[name] / 2})
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("permutation", "it draws random numbers as it makes images, by aten.randperm"),
        ("len", "must not ask how many rows a tensor has by len"),
    ],
)
def test_what_cannot_be_a_graph_is_refused_in_plain_words(mode: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        trace(odd(mode))


def test_an_export_that_makes_other_images_is_refused(tmp_path: Path) -> None:
    trained = odd("wrong")
    with pytest.raises(UserError, match=r"was not exported: onnxruntime and PyTorch differ by 0\.\d+, more than"):
        graphs.write_onnx(trace(trained), trained, tmp_path)


@pytest.mark.parametrize(
    ("of", "write"),
    [("onnxruntime.InferenceSession", graphs.write_onnx), ("torch.export.load", graphs.write_torchexport)],
)
def test_what_a_runtime_cannot_read_is_refused_in_plain_words(
    of: str, write: Callable[..., float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **options: object) -> None:
        raise NotImplementedError("no kernel for\nthis")

    trained = odd("plain")
    traced = trace(trained)
    monkeypatch.setattr(of, refuse)
    with pytest.raises(UserError, match=r"cannot be run by .*: no kernel for this"):
        write(traced, trained, tmp_path)
