"""What every GAN is given by its base: spectral normalisation, and the losses that it takes."""

import pytest
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.config import validate
from ganzoo.contract.networks import normalise_spectrally
from ganzoo.data.example import example_batch, example_spec
from ganzoo.engine.engine import Engine
from ganzoo.errors import OptionError
from ganzoo.options.performance import PerformanceOptions
from ganzoo.plugins import zoo
from ganzoo.testing import check_gan

GANS = sorted(zoo().gans)
LOSSES = sorted(zoo().losses)


@pytest.mark.parametrize("name", GANS)
def test_every_gan_takes_spectral_normalisation(name: str) -> None:
    gan = validate(zoo().gan(name), {"spectral_norm": True})
    spec = example_spec(gan.needs, (1, 32, 32), gan.scale_factor)
    engine = Engine(gan, gan.build(spec), speed=PerformanceOptions.plain())
    for _ in range(3):
        engine.step(example_batch(spec, gan.noise_shape()), everyone=True)
    stretched = [
        torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item()
        for network in engine.nets.children()
        if isinstance(network, ganzoo.Discriminator)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    assert len(stretched) > 1
    assert all(0.7 < value < 1.4 for value in stretched), stretched


def test_what_is_normalised_spectrally_keeps_the_contract() -> None:
    class Normalised(zoo().gan("dcgan")):  # type: ignore[misc]  # the registry is asked at run time
        """DCGAN, its discriminator normalised."""

        spectral_norm: bool = True

    check_gan(Normalised)


def test_embeddings_and_convolutions_of_sequences_are_normalised_too() -> None:
    class Reader(ganzoo.Discriminator):
        """Of words."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Embedding(7, 5), nn.Conv1d(4, 3, 3))

        def forward(self, words: Tensor) -> Tensor:
            return self.layers(words)

    reader = Reader()
    assert normalise_spectrally(ganzoo.Networks(discriminator=reader)) == 2
    for _ in range(50):
        reader(torch.randint(7, (2, 4)))
    for layer in reader.layers:
        assert isinstance(layer.weight, Tensor)
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() == pytest.approx(1, rel=0.05)


def test_without_a_discriminator_there_is_nothing_to_normalise() -> None:
    class Bare(zoo().gan("dcgan")):  # type: ignore[misc]  # likewise
        """Its discriminator is none by name."""

        def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
            return ganzoo.Networks(generator=nn.Linear(4, 4), discriminator=nn.Linear(4, 4))

    with pytest.raises(OptionError, match="no discriminator"):
        Bare(spectral_norm=True).build(example_spec(frozenset({"image"})))


@pytest.mark.parametrize("name", GANS)
def test_a_gan_takes_the_losses_whose_demands_it_meets_and_says_so_of_the_others(name: str) -> None:
    gan = zoo().gan(name)
    if "loss" in gan.model_fields:
        assert gan.allows(type(gan.model_fields["loss"].default))
    for label in LOSSES:
        loss = zoo().losses[label]
        if "loss" not in gan.model_fields:
            with pytest.raises(OptionError, match="no option is called"):
                validate(gan, {"loss": label})
            continue
        if gan.allows(loss):
            assert validate(gan, {"loss": label}).model_dump(mode="json")["loss"]["kind"] == label
            continue
        with pytest.raises(OptionError, match=f"option 'loss' cannot be '{label}' for '{name}'.*losses that will do"):
            validate(gan, {"loss": label})
