"""CycleGAN: image to image, learned without pairs (Zhu et al., 2017, arXiv:1703.10593)."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import PatchDiscriminator, PatchSize, ReplayPool, ResidualGenerator, jitter
from ganzoo.losses import PER_SAMPLE, LeastSquares

THERE = ("source", "fake", "generator", "discriminator", "pool")
BACK = ("target", "back_fake", "back_generator", "back_discriminator", "back_pool")
TURNED = dict(zip(THERE + BACK, BACK + THERE, strict=True))


class CycleGAN(ganzoo.TwoPlayer):
    """Unpaired image to image: translation to the other domain and back restores the image.

    Two collections are enough, say photographs and paintings, without a painting of each photograph. One generator
    translates to the other domain and another back, and a discriminator on each side makes the results look like the
    collection. To keep the content, an image translated there and back has to equal the original.

    The recipe `paper` is the paper's, with its identity loss for paintings. `quick` differs intentionally: it omits the
    identity loss, which takes a third of the time, and has networks a quarter as wide, patches that fit small images, a
    higher learning rate and an exponential moving average (EMA) of the weights.
    """

    name = "cyclegan"
    dataset = "openmoji"
    needs = frozenset({"source", "target"})
    streams = (frozenset({"target"}),)
    real = "target"
    provides = frozenset({PER_SAMPLE})
    recipes = {
        "quick": {
            "image_size": "64x64",
            "batch_size": 4,
            "epochs": 8,
            "optimizer": {"lr": 5e-4, "betas": (0.5, 0.999)},
            "lr_schedule": "linear",
            "ema_images": 1000,
            "identity": 0,
        },
        "paper": {
            "image_size": "256x256",
            "batch_size": 1,
            "epochs": 200,
            "lr_schedule": "linear",
            "width": 64,
            "patch": 70,
            "jitter": True,
        },
    }

    loss: ganzoo.Loss = LeastSquares()
    # The paper has 10, with least squares that are not halved for the generator as here.
    cycle: float = Field(5.0, ge=0, description="weight of the cycle consistency loss (eq. 3)")
    identity: float = Field(0.5, ge=0, description="weight of the identity loss, as a multiple of `cycle`")
    pool: int = Field(50, ge=0, description="size of the pool of earlier fakes, half of those shown to a discriminator")
    width: int = Field(16, gt=0, description="channels of the networks' first layers (64 in the paper)")
    blocks: int | None = Field(None, gt=0, description="residual blocks (default: 6, or 9 from 256 pixels on)")
    jitter: bool = Field(False, description="train on random crops of slightly enlarged, randomly mirrored images")
    patch: PatchSize | None = Field(
        None,
        description="side of the discriminator's patches in pixels (default: 34, or 70 from 128 pixels on)",
    )

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        source, target = data.source_shape, data.shape
        if self.identity and source[0] != target[0]:
            advice = f"try --channels {max(source[0], target[0])} or --identity 0"
            raise ganzoo.SizeError(f"the identity loss cannot compare {source[0]} and {target[0]} channels; {advice}")
        patch = self.patch or (70 if max(target[1:]) >= 128 else 34)
        return ganzoo.Networks(
            generator=ResidualGenerator(source, target[0], width=self.width, blocks=self.blocks),
            back_generator=ResidualGenerator(target, source[0], width=self.width, blocks=self.blocks),
            discriminator=PatchDiscriminator(target, width=self.width, patch=patch),
            back_discriminator=PatchDiscriminator(source, width=self.width, patch=patch),
            pool=ReplayPool(target, self.pool),
            back_pool=ReplayPool(source, self.pool),
        )

    def players(self) -> Sequence[ganzoo.Player]:
        generator, discriminator = super().players()
        back = replace(discriminator, name="back_discriminator", loss=lambda *turn: discriminator.loss(*turned(*turn)))
        return replace(generator, trains=("generator", "back_generator")), discriminator, back

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        if self.jitter:
            (source,), (target,) = jitter(batch.source), jitter(batch.target)
            batch = batch.replace(source=source, target=target)
        return batch.replace(fake=nets.generator(batch.source), back_fake=nets.back_generator(batch.target))

    def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
        return nets.generator(batch.source)

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        back = self.one_way(*turned(nets, batch)).items()
        return self.one_way(nets, batch) | {f"back_{term}": value for term, value in back}

    def one_way(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        """Return one generator's losses, with the cycle loss through the other."""
        losses = super().generator_loss(nets, batch)
        losses["cycle"] = self.cycle * F.l1_loss(nets.back_generator(batch.fake), batch.source)
        if self.identity:
            losses["identity"] = self.cycle * self.identity * F.l1_loss(nets.generator(batch.target), batch.target)
        return losses

    def discriminator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        return super().discriminator_loss(nets, batch.replace(fake=nets.pool(batch.fake)))


def turned(nets: ganzoo.Networks, batch: ganzoo.Batch) -> tuple[ganzoo.Networks, ganzoo.Batch]:
    """Swap the two directions of translation."""
    networks = {TURNED.get(name, name): network for name, network in nets.named_children()}
    return ganzoo.Networks(**networks), ganzoo.Batch(**{TURNED.get(name, name): batch[name] for name in batch})


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(CycleGAN)
