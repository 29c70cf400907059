"""Every GAN of the zoo, found in the registry: no list of names, no exceptions."""

from pathlib import Path
from typing import Any

import pytest
import torch

import ganzoo
from ganzoo.engine.checkpoint import checkpoints
from ganzoo.engine.training import Callback, Training
from ganzoo.plugins import zoo
from ganzoo.testing import check_gan

GANS = sorted(zoo().gans)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 32, 64), (4, 64, 32)], ids=str)
@pytest.mark.parametrize("name", GANS)
def test_it_keeps_the_contract_at_any_shape(name: str, shape: tuple[int, int, int]) -> None:
    check_gan(zoo().gan(name), shape)


@pytest.mark.parametrize("name", GANS)
def test_it_runs_stops_goes_on_and_makes_pictures_without_data(name: str, tmp_path: Path) -> None:
    class Stop(Callback):
        """Stops after the first checkpoint."""

        def iterated(self, training: Training) -> None:
            if training.engine.iteration == 3:
                raise KeyboardInterrupt

    options: dict[str, Any] = {
        "image_size": 32,
        "limit": 8,
        "batch_size": 2,
        "epochs": 1,
        "checkpoint_every": 2,
        "precision": "fp32",
    }
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run(name, out=tmp_path / "stopped", callback=Stop(), **options)
    stopped = ganzoo.run(name, out=tmp_path / "stopped", **options)
    whole = ganzoo.run(name, out=tmp_path / "whole", **options)
    assert checkpoints(tmp_path / "whole" / "checkpoints")[-1].name == "00000004"
    assert len(whole.nets.state_dict()) > 0
    for key, value in whole.nets.state_dict().items():
        assert torch.equal(value, stopped.nets.state_dict()[key]), key

    trained = ganzoo.load(tmp_path / "whole")
    if "source" in trained.gan.needs:
        images = trained.translate(torch.rand(3, *trained.data.source_shape) * 2 - 1)
    else:
        images = trained.generate(3)
    assert images.shape == (3, *trained.data.shape)
    assert images.abs().max() <= 1


@pytest.mark.parametrize("name", GANS)
def test_it_says_what_it_is(name: str) -> None:
    gan = zoo().gan(name)
    assert gan.summary()
    assert gan.paper(), "its module's docstring names no paper"
    assert 2014 <= int(gan.year()) <= 2100
    assert gan.dataset in zoo().datasets
    assert gan.needs <= zoo().datasets[gan.dataset].provides
