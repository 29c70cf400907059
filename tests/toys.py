"""Networks as small as they can be, and random images with every field that a GAN may ask for."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganzoo
from ganzoo.data.load import Data, DataOptions, load

SIZE, LATENT, CLASSES, WORDS, BATCH = 8, 4, 3, 6, 4
PIXELS = SIZE * SIZE


class ToyGenerator(ganzoo.Generator):
    """Vectors to grey images."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 16), nn.LeakyReLU(0.2), nn.Linear(16, PIXELS), nn.Tanh())

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.layers(torch.cat(inputs, 1)).view(-1, 1, SIZE, SIZE)


class ToyTranslator(ganzoo.Generator):
    """Grey images to grey images."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1), nn.Tanh())

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class ToyDiscriminator(ganzoo.Discriminator):
    """Images, and vectors beside them, to one logit each."""

    def __init__(self, condition: int = 0) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(PIXELS + condition, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def forward(self, images: Tensor, *condition: Tensor) -> Tensor:
        return self.layers(torch.cat([images.flatten(1), *condition], 1))


class ToyClassifier(ganzoo.Discriminator):
    """Images to a logit and to one for each class."""

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.trunk = nn.Linear(PIXELS, 16)
        self.score, self.classes = nn.Linear(16, 1), nn.Linear(16, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = F.leaky_relu(self.trunk(images.flatten(1)), 0.2)
        return self.score(features), self.classes(features)


class ToyData(ganzoo.Dataset):
    """Random images with every field there is; what is labelled is scarce, and targets are fewer than sources."""

    name = "toy"
    channels = 1
    classes = ("a", "b", "c")
    provides = frozenset({"image", "source", "target", "labelled_image", "label", "caption"})

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        images = torch.randint(256, (24, *request.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
        labelled = 6 if "labelled_image" in request.fields else 24
        every = {
            "image": images,
            "source": images.flip(3),
            "target": images[:15] if "image" not in request.fields and self.unpaired else images,
            "labelled_image": images[:labelled],
            "label": torch.arange(labelled) % CLASSES,
            "caption": torch.randint(97, 123, (24, 5), dtype=torch.uint8),
        }
        return ganzoo.InMemoryData({name: every[name] for name in request.fields}, self.classes)

    unpaired: bool = False


def toy_data(gan: ganzoo.GAN) -> Data:
    """What the GAN asks for, by the way that all data comes."""
    options = DataOptions(data=ToyData(unpaired=bool(gan.streams)), image_size=(SIZE, SIZE), batch_size=BATCH)
    return load(options, gan.needs, gan.streams)
