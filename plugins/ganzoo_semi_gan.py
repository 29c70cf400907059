"""Semi-supervised GAN: a classifier from few labels (Salimans et al., 2016, arXiv:1606.03498).

Odena (2016, arXiv:1606.01583) had the same idea in the same month.
"""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.blocks import CompactGenerator, StridedClassifier, check_classes
from ganzoo.losses import CrossEntropy


class SemiGAN(ganzoo.Adversarial):
    """Few labels and many images: the discriminator is a classifier with an additional class for fakes.

    Labels are expensive and images are not. The discriminator becomes a classifier of the known classes and one more,
    "generated": to tell fakes from real images it must learn what real ones look like, from all of them, and a few
    labels are then enough to name the classes. The classifier is the goal, not the images.

    For K classes it returns K logits l; a fake is the class K + 1 with the logit 0, so that an image is real with
    probability Z / (Z + 1), Z = sum(exp(l)), whose logit is logsumexp(l) (section 5). The generator matches the mean of
    its features, |E[f(x)] - E[f(G(z))]|^2 (eq. 1), which gives better classifiers than fooling it.
    """

    name = "semi-gan"
    needs = frozenset({"image", "labelled_image", "label"})
    inputs = frozenset()
    streams = (frozenset({"labelled_image", "label"}),)

    recipes = {"quick": {"image_size": "32x32", "epochs": 5, "lr_schedule": "linear", "ema_images": 5000}}

    optimizer: ganzoo.AnyOptimizer = ganzoo.Adam(lr=1e-3, betas=(0.5, 0.999))
    noise: float = Field(0.3, ge=0, description="standard deviation of the noise before each layer of the classifier")
    shift: int = Field(2, ge=0, description="largest random shift of images in each direction, in pixels")
    class_weight: float = Field(1.0, ge=0, description="weight of the cross entropy of labeled images")

    @classmethod
    def allows(cls, loss: type[ganzoo.LossScheme]) -> bool:
        return issubclass(loss, CrossEntropy)  # under which its logits are those of K + 1 classes

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        classes = check_classes(self.name, data)
        return ganzoo.Networks(
            generator=CompactGenerator(self.latent_dim, data.shape),
            discriminator=StridedClassifier(data.shape, classes, noise=self.noise),
        )

    def classify(self, nets: ganzoo.Networks, images: Tensor) -> Tensor:
        """Return class logits, N x classes, of images without augmentation, for networks in evaluation mode."""
        return nets.discriminator(images)[0]

    def answers(self, nets: ganzoo.Networks, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return class logits, N x classes, and features, N x F, of augmented images."""
        return nets.discriminator(self.augmented(nets, shifted(images, self.shift)))

    def discriminate(self, nets: ganzoo.Networks, images: Tensor, batch: ganzoo.Batch) -> Tensor:
        logits, _ = self.answers(nets, images)
        return logits.logsumexp(1, keepdim=True)

    def generator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        (_, real), (_, fake) = self.answers(nets, batch.image), self.answers(nets, batch.fake)
        return {"feature_matching": (real.mean(0) - fake.mean(0)).square().mean()}

    def discriminator_loss(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Losses:
        logits, _ = self.answers(nets, batch.labelled_image)
        losses = super().discriminator_loss(nets, batch)
        return losses | {"class": self.class_weight * F.cross_entropy(logits, batch.label)}


def shifted(images: Tensor, most: int) -> Tensor:
    """Shift each image randomly by up to `most` pixels in each direction, repeating the edge."""
    count, channels, height, width = images.shape
    device = images.device
    down, across = torch.randint(2 * most + 1, (2, count, 1), device=device)
    rows = (down + torch.arange(height, device=device))[:, None, :, None]
    columns = (across + torch.arange(width, device=device))[:, None, None, :]
    number = torch.arange(count, device=device)[:, None, None, None]
    channel = torch.arange(channels, device=device)[:, None, None]
    return F.pad(images, (most, most, most, most), mode="replicate")[number, channel, rows, columns]


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(SemiGAN)
