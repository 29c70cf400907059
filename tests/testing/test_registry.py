"""What ganzoo brings passes the checks that it holds others to: the whole registry, no exceptions."""

import hashlib
from pathlib import Path

import pytest
import torch

from ganzoo.config import validate
from ganzoo.data.dataset import DataRequest
from ganzoo.errors import DataError
from ganzoo.plugins import zoo
from ganzoo.testing import check_dataset, check_extractor, check_gan, check_loss_scheme, check_metric
from ganzoo.testing.configuration import check_configuration
from ganzoo.testing.dataset import check_declarations


@pytest.mark.parametrize("thorough", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["fast", "thorough"])
@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_every_gan_keeps_the_contract(name: str, thorough: bool) -> None:
    check_gan(zoo().gan(name), thorough=thorough)


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
    check_metric(validate(metric, options), tmp_path)


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


@pytest.mark.parametrize("name", sorted(zoo().datasets))
def test_every_data_set_declares_what_it_is(
    name: str, ganzoo_classes: Path, ganzoo_pairs: Path, ganzoo_shards: Path
) -> None:
    """Those of other people's files are loaded in tests/data, from small files of their real formats."""
    kind = zoo().datasets[name]
    if "path" not in kind.model_fields:
        config = kind()
        check_configuration(config)
        check_declarations(config)
        return
    several = {"class_count": 2} if "class_count" in kind.model_fields else {}
    suits = []
    for place in (ganzoo_classes, ganzoo_pairs, ganzoo_shards):
        config = validate(kind, {"path": str(place), **several})
        try:
            config.load(DataRequest(config.provides, (8, 8), 3))
        except DataError:
            continue
        suits.append(place)
        check_dataset(config)
    assert len(suits) == 1


@pytest.mark.parametrize("name", ["mnist", "openmoji"])
def test_the_data_sets_that_ship_keep_the_contract(name: str, data_folder: Path) -> None:
    check_dataset(zoo().datasets[name], data_folder)
