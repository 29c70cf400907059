"""What `ganzoo generate` is asked to make, and the making of it: images, walks through them, sweeps of codes."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ganzoo import pictures
from ganzoo.cli.progress import shown
from ganzoo.commands import pairs
from ganzoo.contract.codes import Code, settings
from ganzoo.errors import OptionError
from ganzoo.sampling import animation, output_files
from ganzoo.sampling.requests import turns
from ganzoo.sampling.trained import TrainedGAN

Array: TypeAlias = np.ndarray[Any, Any]
MANY, ROWS, FPS, FRAMES = 64, 8, 25, 120
"""What there is unless told otherwise: images, rows of a sweep, frames a second, frames of a film."""
LARGEST = 10_000_000
"""Images of an array at most: their classes and captions are held at once."""


@dataclass(frozen=True)
class Generation:
    """The flags of `ganzoo generate`; None: not given."""

    out: Path
    count: int | None
    seed: int
    text: tuple[str, ...]
    classes: tuple[str, ...]
    truncation: float | None
    codes: tuple[str, ...]
    interpolate: int | None
    frames: int | None
    fps: int | None
    is_open: bool
    columns: int | None
    batch_size: int

    @cached_property
    def kind(self) -> output_files.Kind:
        """Into what the images go."""
        return output_files.kind_of(self.out, film=self.interpolate is not None)

    def check(self) -> None:
        """Refuses what does not go together.

        Raises:
            OptionError: saying what does.
        """
        pairs(self.codes, "--codes")
        given = {"--frames": self.frames, "--fps": self.fps, "--open": self.is_open or None}
        wrong = [flag for flag, value in given.items() if value is not None]
        if wrong and self.interpolate is None:
            raise OptionError(f"option '{wrong[0]}' is of walks through images; add --interpolate 8, or leave it out")
        if self.fps is not None and self.kind != "film":
            raise OptionError(f"option '--fps' is of films, and '{self.out}' is none; try a .gif or a .mp4 as --out")
        if self.kind == "film":
            animation.check_fps(self.out, self.fps or FPS)
        if self.kind == "npz":
            self._check_array()
        one_each = self.kind == "npz" or (self.kind in ("folder", "zip") and self.interpolate is None)
        if self.columns is not None and one_each:
            raise OptionError(f"option '--columns' is of grids, and '{self.out}' is none; try a .png as --out")

    def _check_array(self) -> None:
        count = self.count or 1
        if self.interpolate is not None and count > 1:
            raise OptionError(f"option '--count' cannot be {count}: an array takes the frames of one walk")
        if count > LARGEST:
            raise OptionError(
                f"option '--count' cannot be {count}: an array takes {LARGEST} images at most; give a folder or a .zip "
                "as --out"
            )

    def make(self, trained: TrainedGAN) -> None:
        """Makes them and writes them.

        Raises:
            UserError: it cannot be; nothing was written.
        """
        told = settings(trained.gan.codes, trained.gan.name, pairs(self.codes, "--codes") or None)
        swept = {code: values for code, values in told.items() if len(values) > 1}
        inputs: dict[str, Any] = {
            "text": self.text or None,
            "classes": self.classes or None,
            "truncation": self.truncation,
        }
        if swept and self.interpolate is not None:
            code = next(iter(swept))
            raise OptionError(f"code '{code.name}' has one value in a walk; leave --interpolate out to see several")
        if swept:
            self._sweep(trained, told, inputs)
            return
        inputs["codes"] = {code.name: value for code, (value,) in told.items()} or None
        if self.interpolate is not None:
            self._walk(trained, self.interpolate, inputs)
            return
        count = self.count or MANY
        parts = trained.generate_in_batches(count, self.seed, self.batch_size, **inputs)
        columns = pictures.columns_of(count, max(len(self.text), len(self.classes)))
        self._write(parts, count, columns, lambda: self._beside(trained, torch.arange(count)))

    def _sweep(self, trained: TrainedGAN, told: Mapping[Code, Sequence[float]], inputs: Mapping[str, Any]) -> None:
        lengths = [len(values) for values in told.values() if len(values) > 1]
        rows = self.count or (ROWS if len(lengths) == 1 else 1)
        codes = {code.name: values for code, values in told.items()}
        parts = trained.sweep(codes, rows, self.seed, self.batch_size, **inputs)
        combinations = math.prod(lengths)

        def beside() -> dict[str, Array]:
            left = torch.arange(rows * combinations)
            said = self._beside(trained, left // combinations)
            for name, values in reversed(codes.items()):
                said[name] = np.array(values)[(left % len(values)).numpy()]
                left = left // len(values)
            return said

        self._write(parts, rows * combinations, lengths[-1], beside)

    def _walk(self, trained: TrainedGAN, points: int, inputs: Mapping[str, Any]) -> None:
        walks = self.count or 1
        way: dict[str, Any] = {"seed": self.seed, "closed": not self.is_open, "batch_size": self.batch_size}
        usual = 2 * points if self.kind == "picture" else max(FRAMES, points)
        frames = self.frames if self.frames is not None else usual
        made = trained.interpolate(points, frames, count=walks, **way, **inputs)
        made = shown(made, frames * walks, "images")
        if self.kind == "picture":  # a strip, one below the other
            places = (walk * frames + frame for frame in range(frames) for walk in range(walks))
            columns = self.columns or frames
            output_files.write_picture(self.out, lambda: pictures.grid_of(made, frames * walks, columns, places))
            return
        if self.kind == "npz":
            output_files.write_arrays(self.out, made, frames, {"seed": np.array(self.seed)})
            return
        columns = self.columns or max(1, round(walks**0.5))
        whole = (pictures.grid(images, columns) for images in made)
        if self.kind == "film":
            animation.write_film(self.out, whole, frames, self.fps or FPS)
        else:
            output_files.write_files(self.out, whole, frames)

    def _write(self, parts: Iterable[Tensor], count: int, columns: int, beside: Callable[[], dict[str, Array]]) -> None:
        parts = shown(parts, count, "images")
        if self.kind == "picture":
            output_files.write_picture(self.out, lambda: pictures.grid_of(parts, count, self.columns or columns))
        elif self.kind == "npz":
            output_files.write_arrays(self.out, parts, count, beside())
        else:
            output_files.write_files(
                self.out, (pictures.to_picture(image) for images in parts for image in images), count
            )

    def _beside(self, trained: TrainedGAN, numbers: Tensor) -> dict[str, Array]:
        """What a .npz says of images with the inputs of these numbers."""
        said: dict[str, Array] = {"seed": np.array(self.seed)}
        if trained.takes_text and self.text:
            said["captions"] = np.array(self.text)[numbers.numpy() % len(self.text)]
        if trained.takes_classes:
            labels = turns(trained.gan, trained.data, self.text or None, self.classes or None)["label"]
            said |= {"labels": labels[numbers % len(labels)].numpy(), "classes": np.array(trained.data.classes)}
        return said
