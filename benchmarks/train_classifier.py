"""Trains the digit classifier that the zoo is measured with: `python -m benchmarks.train_classifier`.

Some three minutes of computing on one thread of an AMD EPYC. The test digits are looked at once, at the end.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from ganzoo_data_mnist.classifier import SIDE, DigitClassifier
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganzoo.data.dataset import DataRequest, InMemoryData, Split
from ganzoo.data.in_memory import to_float
from ganzoo.data.load import data_folder
from ganzoo.plugins import zoo

FILE = Path(__file__).parents[1] / "plugins" / "ganzoo_data_mnist" / "classifier.safetensors"
BATCH = 128
LR = 3e-3
"""The highest learning rate; it rises for a tenth of the time and falls along a cosine."""
DECAY = 0.998
"""Of the moving average of the weights, which is what is kept."""
SIZES = (SIDE, SIDE, 32, 64)
"""Sizes that digits are brought to and back from, as those of a GAN are."""


def digits(split: Split) -> tuple[Tensor, Tensor]:
    """All images of a split in [-1, 1], N x 1 x 28 x 28, and their labels."""
    fields = frozenset({"image", "label"})
    table = zoo().datasets["mnist"]().load(DataRequest(fields, (SIDE, SIDE), 1, split, folder=data_folder()))
    assert isinstance(table, InMemoryData)
    return to_float(table.columns["image"]), table.columns["label"]


def varied(images: Tensor) -> Tensor:
    """The same digits, turned, scaled, sheared and moved a little, each by itself."""
    count = len(images)
    turn, shear = (torch.empty(count).uniform_(-0.2, 0.2) for _ in range(2))
    width, height = (torch.empty(count).uniform_(0.88, 1.12) for _ in range(2))
    shift = torch.empty(count, 2).uniform_(-0.15, 0.15)
    rows = [
        torch.stack([width * turn.cos(), shear - turn.sin(), shift[:, 0]], 1),
        torch.stack([turn.sin(), height * turn.cos(), shift[:, 1]], 1),
    ]
    where = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, where, align_corners=False) - 1  # what comes in from outside is dark


def train(epochs: int) -> DigitClassifier:
    """A classifier trained from scratch."""
    images, labels = digits("train")
    classifier = DigitClassifier().to(memory_format=torch.channels_last)
    average = AveragedModel(classifier, multi_avg_fn=get_ema_multi_avg_fn(DECAY), use_buffers=True)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=LR, weight_decay=0.05)
    total = epochs * (len(images) // BATCH)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total, pct_start=0.1)
    for epoch in range(epochs):
        order = torch.randperm(len(images))
        for rows in order[: total // epochs * BATCH].split(BATCH):
            side = SIZES[int(torch.randint(len(SIZES), ()))]
            shown = F.interpolate(varied(images[rows]), (side, side), mode="bilinear", antialias=True)
            loss = F.cross_entropy(classifier(shown), labels[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate.step()
            average.update_parameters(classifier)
        sys.stdout.write(f"epoch {epoch + 1} of {epochs}: loss {loss.item():.3f}\n")
        sys.stdout.flush()
    kept = average.module
    assert isinstance(kept, DigitClassifier)
    return kept.eval()


@torch.no_grad()
def accuracy(classifier: DigitClassifier, side: int) -> float:
    """The share of the 10,000 test digits that it gets right, shown in that size."""
    images, labels = digits("test")
    shown = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
    guesses = torch.cat([classifier(part).argmax(1) for part in shown.split(500)])
    return float((guesses == labels).double().mean())


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Trains the digit classifier that ganzoo ships.")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=FILE, metavar="FILE")
    given = parser.parse_args(words)
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    start_iteration = time.perf_counter()
    classifier = train(given.epochs)
    facts = {"seconds": float(math.ceil(time.perf_counter() - start_iteration))}
    facts |= {f"accuracy_{side}": accuracy(classifier, side) for side in (28, 32, 64)}
    save_file({name: value.contiguous() for name, value in classifier.state_dict().items()}, given.out)
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
