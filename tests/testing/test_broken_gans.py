"""Each thing that `check_gan` looks for is found in a GAN that has it wrong, and said in words that help."""

import pytest
import torch
from misshapen import (
    BadAdvice,
    Changing,
    Coded,
    Large,
    LooseLayers,
    LooseTensor,
    NeedsData,
    NoAdvice,
    OneSided,
    OneSize,
    OutOfRange,
    Outside,
    Overlapping,
    Remembering,
    SquareAdvice,
    Together,
    TwoOfAName,
    WrongShape,
)
from mistaken import (
    NoDefault,
    NoDescription,
    NotInstalled,
    Reserved,
    Sound,
    Undocumented,
    Unkept,
    Written,
    WrongMayChange,
    WrongRecipe,
    WrongRecipeNetworks,
    WrongRecipePlayer,
)
from mistrained import (
    Counting,
    Exploding,
    Forgetful,
    Frozen,
    Half,
    Idle,
    Infinite,
    Meddling,
    NoSlope,
    NotItsNetwork,
    OwnType,
    Rounding,
    Still,
    Waiting,
)

import ganzoo
from ganzoo.testing import check_gan


def test_a_sound_gan_passes_and_nothing_is_missed_afterwards() -> None:
    before = torch.get_rng_state()
    check_gan(Sound)
    check_gan(Sound(latent_dim=3), (3, 8, 16))
    check_gan(Frozen, (1, 8, 8))
    check_gan(Coded, (1, 8, 8))
    check_gan(Large, (1, 16, 16))
    check_gan(Sound, (1, 8, 8), thorough=True)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("gan", "says"),
    [
        (Undocumented, "Undocumented has no docstring"),
        (NoDescription, r"the option 'width' of NoDescription has no description.*Field\("),
        (NoDefault, r"NoDefault cannot be made without options \(option 'width' is needed\)"),
        (WrongRecipe, "the recipe 'paper' of WrongRecipe cannot be followed: no option is called 'widht'"),
        (WrongRecipePlayer, "the recipe 'paper' of WrongRecipePlayer cannot be followed: no player is called 'critic'"),
        (WrongRecipeNetworks, "the recipe 'deep' of .* cannot be followed: images of 16 cannot be halved so often"),
        (WrongMayChange, "may_change names widht, which is no option of WrongMayChange"),
        (Reserved, "Reserved calls a field 'epochs', which is an option of every run"),
        (Unkept, r"Unkept cannot be kept in a config.json \(.*types that pydantic writes as JSON"),
        (Written, "Written is not the same after a round trip .*: 'width' is written as '03', and then as '3'"),
        (NotInstalled, "no loss is called 'unregistered'.*register it by a hook, and install .* pip install -e"),
        (TwoOfAName, "two of its codes have one name: slant, slant"),
        (Outside, "the code 'slant' lies outside of its noise"),
        (OneSided, r"the code 'slant' does not read what was put: read\(\) must be the inverse of entries\(\)"),
        (Overlapping, "'kind' lies where 'slant' does|'slant' lies where 'kind' does"),
        (Large, r"it takes no images of 1 x 8 x 8 \(no .*\): give check_gan .*check_gan\(Large, \(1, 16, 16\)\)"),
        (Infinite, r"the loss 'generator/log' is -inf on random images.*guard logarithms"),
        (NoSlope, r"the gradient of the player 'generator' by 'generator.*' is not finite.*\+ 1e-8"),
        (Idle, "no loss of the player 'generator' depends on 'generator.spare.weight'.*requires_grad_"),
        (Meddling, "'other' moved, although no player trains it"),
        (Still, "no weight of 'generator' moved, although a player trains it"),
        (Waiting, "cannot be a CUDA graph: .*may depend on tensors alone"),
        (Counting, "'.*' trains otherwise when an iteration is recorded and replayed: .*no Python value that changes"),
        (Half, "'generator.layer.weight' is torch.bfloat16; weights that a player moves stay float32"),
        (Exploding, "trained in bf16, not all of 'generator.layer.bias' is finite"),
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
        (SquareAdvice, "its SizeError for 8x16 advises image-size 16 or 24, which it refuses as well"),
        (Remembering, r"makes no images from its run folder alone \(TypeError.*not at files or data"),
        (NotItsNetwork, "the player 'painter' trains 'painter', which is no network of this GAN"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_is_wrong_is_found_and_said_in_two_lines(gan: type[ganzoo.GAN], says: str) -> None:
    with pytest.raises(AssertionError, match=says) as caught:
        check_gan(gan, (1, 8, 8))
    assert str(caught.value).count("\n") <= 1
