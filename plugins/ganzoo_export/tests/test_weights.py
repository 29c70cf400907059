"""Exports of weights, for GANs that no graph can hold or that draw random numbers."""

import json
from pathlib import Path

import pytest
import torch
from ganzoo_export.exporting import export
from ganzoo_export.tests.odd import OddGAN, odd
from ganzoo_export.weights import write_weights

import ganzoo
from ganzoo.base.io import write_json


def written(mode: str, place: Path) -> Path:
    """A folder with the GAN, untrained."""
    trained, folder = odd(mode), place / mode
    folder.mkdir()
    gan = {"name": "odd", **trained.gan.model_dump(mode="json", exclude={"name"})}
    write_json(folder / "config.json", {"gan": gan, "data": {"name": "x"}})
    write_json(folder / "data.json", trained.data.model_dump(mode="json"))
    write_json(folder / "export.json", {"iteration": 1})
    write_weights(trained, ("generator", "discriminator"), folder)
    return folder


@pytest.mark.parametrize("mode", ["normal", "uniform", "permutation", "numpy", "python", "len"])
def test_any_gan_is_exported_as_weights(mode: str, place: Path) -> None:
    folder = written(mode, place)
    made = export(folder, out=place / "out", gan=OddGAN)
    original, again = (ganzoo.load(path, device="cpu", gan=OddGAN) for path in (folder, made.folder))
    assert torch.equal(original.generate(5), again.generate(5))
    assert json.loads((made.folder / "export.json").read_text())["inputs"] == {"noise": ["batch", 12]}
    card = (made.folder / "README.md").read_text()
    assert ("This GAN draws random numbers as it makes images" in card) == (mode != "len")
    assert "random_" not in card


def test_weights_that_make_other_images_are_no_export(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_others(trained: ganzoo.TrainedGAN, networks: frozenset[str], folder: Path, *, half: bool) -> None:
        other = odd("normal")
        write_weights(other, networks, folder, half=half)

    folder = written("normal", place)
    monkeypatch.setattr("ganzoo_export.exporting.write_weights", write_others)
    with pytest.raises(ganzoo.UserError, match="what is loaded again makes other images"):
        export(folder, out=place / "out", gan=OddGAN)
    assert [path.name for path in place.iterdir()] == ["normal"]
