"""Weights that were published: downloaded once, checked by their SHA-256, and read without running what is in them."""

import hashlib
import logging
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, TypeAlias

import safetensors.torch
import torch
from pydantic import Field
from torch import Tensor

from ganzoo.errors import DataError, OptionError
from ganzoo.files import expanded

log = logging.getLogger(__name__)

Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""64 hexadecimal digits, in lower case."""


@dataclass(frozen=True)
class Published:
    """A file of weights as everyone knows it."""

    title: str
    """What it is, for messages."""
    address: str
    sha256: str
    megabytes: int
    by_place: str
    """How a file of them is named on a command line, for messages; Python's names are alike."""
    by_sha256: str
    """Likewise, the checksum of such a file."""

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.address.rpartition("/")[2]

    def load(self, folder: Path, file: Path | None = None, sha256: str | None = None) -> dict[str, Tensor]:
        """The weights by name, on the CPU.

        Args:
            folder: where downloads are kept; a missing file is downloaded to `folder/weights`.
            file: another place of the file; then nothing is downloaded.
            sha256: the checksum of other weights than the published ones, which that file holds.

        Raises:
            OptionError: a checksum without a file.
            DataError: the file cannot be had or read, or its checksum is another.
        """
        if sha256 and file is None:
            raise OptionError(f"option 'sha256' says which weights a file holds: name it, too, by {self.by_place}")
        place = expanded(file) if file else folder / "weights" / self.name
        if file is None and not place.is_file():
            self._download(place)
        try:
            content = place.read_bytes()
        except OSError as error:
            raise DataError(f"there are no weights of {self.title} in '{place}': {error.strerror or error}") from error
        found, wanted = hashlib.sha256(content).hexdigest(), sha256 or self.sha256
        if found != wanted:
            advice = (
                f"give its SHA-256 by {self.by_sha256} to use it all the same" if file else "delete it and run again"
            )
            raise DataError(
                f"'{place}' does not hold {'what was said' if sha256 else f'the weights of {self.title}'}: its SHA-256 "
                f"is {found}, not {wanted}; {advice}"
            )
        return _read(content, place)

    def _download(self, place: Path) -> None:
        log.warning("downloading the weights of %s, %d MB, once, to '%s'", self.title, self.megabytes, place)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(self.address, str(place), self.sha256, progress=False)
        except (OSError, RuntimeError) as error:  # a URLError is an OSError; another checksum is a RuntimeError
            raise DataError(
                f"the weights of {self.title} cannot be downloaded: {' '.join(str(error).split())}\n"
                f"get {self.address} elsewhere and put it into '{place.parent}', or say where it is by {self.by_place}"
            ) from error


def _read(content: bytes, place: Path) -> dict[str, Tensor]:
    """Tensors of a file of safetensors, or of torch; of the latter nothing is run."""
    try:
        if place.suffix == ".safetensors":
            return safetensors.torch.load(content)
        stream = BytesIO(content)
        held = torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no such file trips both libraries up in many ways
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"'{place}' holds no weights that can be read: {reason}") from error
    if not (isinstance(held, dict) and all(isinstance(value, Tensor) for value in held.values())):
        raise DataError(f"'{place}' holds no weights that can be read: it is no table of tensors")
    return held
