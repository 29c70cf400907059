"""Statistics of real images that others computed, or that are kept for later: mean and covariance of features."""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.errors import DataError, OptionError
from ganzoo.files import drafted, expanded

Numbers: TypeAlias = NDArray[np.float64]

ROUNDING = 1e-3
"""Difference between a covariance and its transpose, as a share of its largest entry, at most."""


@dataclass(frozen=True)
class Statistics:
    """Mean and covariance of the features of a set of images."""

    mu: Numbers
    """D."""
    sigma: Numbers
    """D x D."""

    @classmethod
    def of(cls, features: Tensor) -> "Statistics":
        """Statistics of features, N x D."""
        rows = features.double().numpy()
        return cls(rows.mean(0), np.cov(rows, rowvar=False))

    @classmethod
    def read(cls, file: Path) -> "Statistics":
        """Statistics of an .npz file with the arrays `mu` and `sigma`; others in it count for nothing.

        TTUR, clean-fid, NVIDIA's EDM and ADM ("guided diffusion") publish such files.

        Raises:
            DataError: it cannot be read, or holds something else. Nothing that is pickled in it is run.
        """
        place = expanded(file)
        try:
            with place.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
                mu, sigma = (np.asarray(held[name], dtype=np.float64) for name in ("mu", "sigma"))
        except OSError as error:
            raise DataError(f"'{file}' cannot be read: {error.strerror or error}; name another --reference") from error
        except (KeyError, TypeError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise DataError(
                f"'{file}' holds no reference statistics: an .npz file with the arrays 'mu' and 'sigma' is expected"
            ) from error
        if mu.ndim != 1 or len(mu) < 2 or sigma.shape != (len(mu), len(mu)):
            raise DataError(
                f"'{file}' holds no reference statistics: its 'mu' has the shape {mu.shape} and its 'sigma' "
                f"{sigma.shape}; expected (D,) and (D, D)"
            )
        whole = np.isfinite(mu).all() and np.isfinite(sigma).all()
        if not whole or np.abs(sigma - sigma.T).max() > ROUNDING * np.abs(sigma).max():
            raise DataError(f"'{file}' holds no reference statistics: its 'sigma' is no covariance of finite numbers")
        return cls(mu, sigma)

    @property
    def width(self) -> int:
        """Number of features."""
        return len(self.mu)

    def checksum(self) -> str:
        """The SHA-256 of the numbers, whatever else a file of them holds."""
        digest = hashlib.sha256(f"mu and sigma of {self.width} features\n".encode())
        for part in (self.mu, self.sigma):
            digest.update(np.ascontiguousarray(part, dtype="<f8").tobytes())
        return digest.hexdigest()

    def save(self, file: Path) -> None:
        """Writes an .npz file that `read`, and the tools named there, can read.

        Raises:
            OptionError: the file's name ends in something else, or it cannot be written.
        """
        place = expanded(file)
        check_name(file)
        try:
            with drafted(place.with_name(f".{os.getpid()}.{place.name}"), place) as draft, draft.open("xb") as stream:
                np.savez(stream, mu=self.mu, sigma=self.sigma)
        except OSError as error:
            raise OptionError(
                f"'{file}' cannot be written: {error.strerror or error}; give another --save-reference"
            ) from error


def check_name(file: Path) -> None:
    """Refuses a name for a file of statistics that is not that of an .npz file.

    Raises:
        OptionError: naming one that would do.
    """
    if file.suffix.lower() != ".npz" or expanded(file).is_dir():
        raise OptionError(f"'{file}' is no .npz file; try --save-reference {file.with_suffix('.npz')}")
