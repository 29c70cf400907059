"""Pretrained GANs: weights shipped in a package, under a name that replaces a run folder in commands."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ganzoo.base.registry import Registry
from ganzoo.errors import ContractError

EXPORT = "export.json"
"""File that identifies an export; as in ganzoo.runs.folder, which is a higher layer."""


@dataclass(frozen=True)
class PretrainedGAN:
    """Pretrained weights under a name: a folder written by `ganzoo export`.

    A package registers one for each folder that it ships, through the hook `register_pretrained`, for use in `ganzoo
    generate NAME` and `ganzoo.load("NAME")`. Its files are read, and their checksums verified, only then.

    Args:
        name: lower-case words joined by `-`, usually the name of the GAN.
        folder: the export within the installed package: `Path(__file__).parent / "digits"`.
    """

    name: str
    folder: Path

    noun: ClassVar[str] = "pretrained GAN"
    key: ClassVar[str] = "name"

    def label(self) -> str:
        """Return the name of its registration."""
        return self.name

    @property
    def is_there(self) -> bool:
        """Whether the folder is an export."""
        return (Path(self.folder) / EXPORT).is_file()


class PretrainedRegistry(Registry[PretrainedGAN]):
    """Registered pretrained GANs. Their folders are not read before use."""

    def check_content(self, thing: PretrainedGAN) -> None:
        if not thing.is_there:
            raise ContractError(
                f"the folder of the pretrained GAN '{thing.name}' is no export: {thing.folder} has no export.json"
            )
