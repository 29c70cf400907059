"""Each thing that `check_gan` looks for is found in a GAN that has it wrong, and said in words that help."""

import pytest
import torch
from mistaken import (
    BadAdvice,
    Changing,
    Forgetful,
    Idle,
    Infinite,
    LooseLayers,
    LooseTensor,
    Meddling,
    NeedsData,
    NoAdvice,
    NoDefault,
    NoDescription,
    NoSlope,
    NotItsNetwork,
    OneSize,
    OutOfRange,
    OwnType,
    Reserved,
    Rounding,
    Sound,
    Still,
    Together,
    Undocumented,
    Unkept,
    Waiting,
    WrongRecipe,
    WrongShape,
)

import ganzoo
from ganzoo.testing import check_gan


def test_a_sound_gan_passes_and_nothing_is_missed_afterwards() -> None:
    before = torch.get_rng_state()
    check_gan(Sound)
    check_gan(Sound(latent_dim=3), (3, 8, 16))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("gan", "says"),
    [
        (Undocumented, "Undocumented has no docstring"),
        (NoDescription, r"the option 'width' of NoDescription has no description.*Field\("),
        (NoDefault, r"NoDefault cannot be made without options \(option 'width' is needed\)"),
        (WrongRecipe, "the recipe 'paper' of WrongRecipe cannot be followed: no option is called 'widht'"),
        (Reserved, "Reserved calls a field 'epochs', which is an option of every run"),
        (Unkept, r"Unkept cannot be kept in a config.json \(.*types that pydantic writes as JSON"),
        (Infinite, r"the loss 'generator/log' is -inf on random images.*guard logarithms"),
        (NoSlope, r"the gradient of the player 'generator' by 'generator.*' is not finite.*\+ 1e-8"),
        (Idle, "no loss of the player 'generator' depends on 'generator.spare.weight'.*requires_grad_"),
        (Meddling, "'other' moved, although no player trains it"),
        (Still, "no weight of 'generator' moved, although a player trains it"),
        (Waiting, "cannot be a CUDA graph: .*may depend on tensors alone"),
        (OwnType, "does not train in bf16 .*call networks as a whole"),
        (Rounding, "in bf16 the gradient of the player 'discriminator' points elsewhere than in float32"),
        (Forgetful, "a run that goes on from a checkpoint is another: keep what training changes in parameters and"),
        (OutOfRange, r"sample\(\) gives values from 2.00 to 2.00; images are in \[-1, 1\]"),
        (WrongShape, r"sample\(\) gives \(4, 1, 7, 8\); expected \(4, 1, 8, 8\)"),
        (NeedsData, r"sample\(\) reads more than its inputs: .*the batch has no 'image'"),
        (Together, "an image depends on those made beside it"),
        (Changing, "sampling changed generator.made; in evaluation mode nothing may change"),
        (LooseTensor, r"'generator.scale' holds a tensor that is not registered.*self.register_buffer"),
        (LooseLayers, "'generator.layers' holds a layer that is not registered.*nn.ModuleList"),
        (OneSize, r"fails on images of 3 x 8 x 16 \(channels, height, width; .*raise ganzoo.SizeError"),
        (NoAdvice, "its SizeError for 8x16 does not say what to type: end it in 'try --image-size"),
        (BadAdvice, "its SizeError for 8x16 advises image-size 16x16, which it refuses as well"),
        (NotItsNetwork, "the player 'painter' trains 'painter', which is no network of this GAN"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_is_wrong_is_found_and_said_in_two_lines(gan: type[ganzoo.GAN], says: str) -> None:
    with pytest.raises(AssertionError, match=says) as caught:
        check_gan(gan, (1, 8, 8))
    assert str(caught.value).count("\n") <= 1
