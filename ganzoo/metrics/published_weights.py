"""Published weights: downloaded once, verified by SHA-256, and loaded without running code."""

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

from ganzoo.base.io import expanduser
from ganzoo.errors import DataError, OptionError

log = logging.getLogger(__name__)

Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""64 lower-case hexadecimal digits."""


@dataclass(frozen=True)
class PublishedWeights:
    """Well-known file of weights."""

    title: str
    """Name of the network, for messages."""
    address: str
    sha256: str
    megabytes: int
    by_place: str
    """Command line form for naming such a file, for messages."""
    by_sha256: str
    """Command line form for naming the checksum of such a file."""

    @property
    def name(self) -> str:
        """File name."""
        return self.address.rpartition("/")[2]

    def load(self, folder: Path, file: Path | None = None, sha256: str | None = None) -> dict[str, Tensor]:
        """Load the weights by name, on the CPU.

        Args:
            folder: download directory; a missing file is downloaded to `folder/weights`.
            file: local file, instead of a download.
            sha256: checksum of that file, if its weights are not the published ones.

        Raises:
            OptionError: if there is a checksum without a file.
            DataError: if the file is not available or cannot be read, or has another checksum.
        """
        if sha256 and file is None:
            raise OptionError(f"option 'sha256' says which weights a file holds: name it, too, by {self.by_place}")
        place = expanduser(file) if file else folder / "weights" / self.name
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
        except (OSError, RuntimeError) as error:  # URLError is an OSError; a checksum mismatch is a RuntimeError
            raise DataError(
                f"the weights of {self.title} cannot be downloaded: {' '.join(str(error).split())}\n"
                f"get {self.address} elsewhere and put it into '{place.parent}', or say where it is by {self.by_place}"
            ) from error


def _read(content: bytes, place: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors or PyTorch file, without running code."""
    try:
        if place.suffix == ".safetensors":
            return safetensors.torch.load(content)
        stream = BytesIO(content)
        held = torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # both libraries raise many kinds of errors for other files
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"'{place}' holds no weights that can be read: {reason}") from error
    if not (isinstance(held, dict) and all(isinstance(value, Tensor) for value in held.values())):
        raise DataError(f"'{place}' holds no weights that can be read: it is no table of tensors")
    return held
