"""What the page asks for, made: requests as they come from a browser, answered with pictures or a plain error."""

import base64
import binascii
import warnings
from threading import Lock

import torch
from PIL import Image
from torch import Tensor

from ganzoo import TrainedGAN, pictures
from ganzoo.data import open_image
from ganzoo.errors import DataError, OptionError, typed
from ganzoo_serve.gate import mebibytes
from ganzoo_serve.knobs import knobs, turned

MOST = 64
"""Images in one picture."""
SEEDS = 2**53 - 1
"""The largest seed: the largest whole number that a browser can count to."""
PIXELS = 2**19
"""Of an upload at most, for a GAN that translates pictures of any size as they are."""
FEW = 12
"""Classes at most that have a column each."""
STEPS = 8
"""Images of a way between two seeds."""


class PageBackend:
    """Makes pictures with a trained GAN, one request at a time. All values may be anything: browsers send them."""

    def __init__(self, trained: TrainedGAN, most_bytes: int) -> None:
        self.trained = trained
        self.knobs = knobs(trained)
        self.most_bytes = most_bytes
        """How large an uploaded file may be."""
        self._lock = Lock()

    def _caption(self, text: str | None) -> str | None:
        """An empty box: None for a GAN without captions; "" for one that needs one, which then says what is missing."""
        return text or "" if self.trained.takes_text else text or None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of its classes, if it takes any."""
        return self.trained.data.classes if self.trained.takes_classes else ()

    def images(self, seed: object, count: object, chosen: str | None, text: str | None, *turns: object) -> Image.Image:
        """Those of a seed, in one picture; one image is that image and nothing else.

        Raises:
            UserError: a value cannot be.
        """
        number, many = _whole("seed", seed, 0, SEEDS), _whole("count", count, 1, MOST)
        with self._lock:
            trained = turned(self.trained, self.knobs, turns)
            made = trained.generate(many, number, text=self._caption(text), classes=chosen)
        if many == 1:
            return pictures.to_picture(made[0])
        together = len(self.classes) if chosen is None and len(self.classes) <= FEW else 1
        return pictures.grid(made, pictures.columns_of(many, together))

    def between(
        self, first: object, second: object, share: object, chosen: str | None, text: str | None, *turns: object
    ) -> Image.Image:
        """The image so far on the way from one seed to another.

        Raises:
            UserError: a value cannot be.
        """
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise OptionError(f"the way between two seeds cannot be {typed(share)}: it goes from 0 to 1")
        return pictures.to_picture(self._way(first, second, torch.tensor([float(share)]), chosen, text, turns)[0])

    def way(self, first: object, second: object, chosen: str | None, text: str | None, *turns: object) -> Image.Image:
        """The whole way from one seed to another, in steps.

        Raises:
            UserError: a value cannot be.
        """
        shares = torch.linspace(0, 1, STEPS)
        return pictures.grid(self._way(first, second, shares, chosen, text, turns), columns=STEPS)

    def _way(
        self,
        first: object,
        second: object,
        shares: Tensor,
        chosen: str | None,
        text: str | None,
        turns: tuple[object, ...],
    ) -> Tensor:
        seeds = _whole("seed", first, 0, SEEDS), _whole("seed", second, 0, SEEDS)
        with self._lock:
            trained = turned(self.trained, self.knobs, turns)
            return trained.between(*seeds, shares.tolist(), text=self._caption(text), classes=chosen)

    def translated(self, upload: object, *turns: object) -> tuple[Image.Image, Image.Image]:
        """An uploaded picture as the GAN is shown it, scaled and cut; and what it makes of it.

        Args:
            upload: `{"file": "data:...;base64,...", "name": "cat.png"}`, as the pad of the page sends it.
            turns: values of the knobs.

        Raises:
            UserError: it is no picture, or too large a file; or a value cannot be.
        """
        content, name = self._file(upload)
        with self._lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of what is odd in a file: of no use to who draws
            picture = open_image(content, name)
            self._check_size(picture, name)
            source = self.trained.source_of(picture)[None]
            made = turned(self.trained, self.knobs, turns).translate(source)
        return pictures.to_picture(source[0]), pictures.to_picture(made[0])

    def _check_size(self, picture: Image.Image, name: str) -> None:
        """Refuses what would keep all others waiting: a GAN that takes any size takes it as large as it is."""
        _, height, width = self.trained.data.source_shape
        most = max(PIXELS, height * width)
        if self.trained.gan.any_size and picture.width * picture.height > most:
            raise DataError(
                f"'{name}' has {picture.width} x {picture.height} pixels, and this page translates {most:,} at most; "
                "scale it down, or use `ganzoo translate`"
            )

    def _file(self, upload: object) -> tuple[bytes, str]:
        """The bytes of an upload, and its name."""
        if not isinstance(upload, dict) or not isinstance(upload.get("file"), str):
            raise DataError("there is no picture yet: draw one, or choose a file")
        name = upload.get("name")
        name = typed(name)[1:-1] if isinstance(name, str) and name.strip() else "the drawing"
        packed = upload["file"].partition("base64,")[2]
        if len(packed) // 4 * 3 > self.most_bytes + 3:
            raise DataError(f"'{name}' is too large a file: {mebibytes(self.most_bytes)} is the most; scale it down")
        try:
            return base64.b64decode(packed, validate=True), name
        except (binascii.Error, ValueError) as error:
            raise DataError(f"'{name}' cannot be read: it was not sent whole; try again") from error


def _whole(name: str, value: object, least: int, most: int) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most and value % 1 == 0:
        return int(value)
    said = "nothing" if value is None else typed(value)
    raise OptionError(f"option '{name}' cannot be {said}: it is a whole number from {least} to {most}")
