"""What ganzoo brings passes the checks that it holds others to: the whole registry, no exceptions."""

import hashlib
import importlib.util
from pathlib import Path

import pytest
import torch

from ganzoo.config import build
from ganzoo.plugins import zoo
from ganzoo.testing import check_extractor, check_gan, check_loss_scheme, check_metric


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_every_gan_keeps_the_contract(name: str) -> None:
    check_gan(zoo().gan(name))


@pytest.mark.parametrize("kind", sorted(zoo().losses))
def test_every_loss_keeps_the_contract(kind: str) -> None:
    check_loss_scheme(zoo().losses[kind])


FEWER = {"subset_size": 40, "subsets": 10, "splits": 2}
"""Of what a figure is the mean over: whatever has such options is tried with less."""


@pytest.mark.parametrize("kind", sorted(zoo().metrics))
def test_every_metric_keeps_the_contract(kind: str, tmp_path: Path) -> None:
    metric = zoo().metrics[kind]
    options: dict[str, object] = {name: value for name, value in FEWER.items() if name in metric.model_fields}
    if "weights" in metric.model_fields:
        options |= weights(tmp_path)
    check_metric(build(metric, options), tmp_path)


def weights(folder: Path) -> dict[str, object]:
    """Random weights of AlexNet's form in place of those that are downloaded."""
    from torchvision.models import alexnet

    torch.manual_seed(0)
    held = {name: value for name, value in alexnet().state_dict().items() if name.startswith("features.")}
    file = folder / "alexnet.pth"
    torch.save(held, file)
    return {"weights": file, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def test_the_extractor_that_ships_keeps_the_contract(tmp_path: Path) -> None:
    check_extractor(zoo().extractors["digits"], tmp_path)
    assert importlib.util.find_spec("ganzoo_data_mnist")
