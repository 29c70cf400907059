"""Trained weights that a package ships, under a name that commands take in place of a run folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ganzoo.base.registry import Registry
from ganzoo.errors import ContractError

EXPORT = "export.json"
"""The file by which an export is told from other folders; as in ganzoo.runs.folder, a layer above."""


@dataclass(frozen=True)
class PretrainedGAN:
    """Trained weights under a name: a folder that `ganzoo export` wrote.

    A package registers one for each folder that it ships, through the hook `register_pretrained`. `ganzoo generate
    NAME` and `ganzoo.load("NAME")` then use it; its files are read no sooner than that, and their checksums verified.

    Args:
        name: the word by which it is used: lower-case words joined by `-`. Mostly that of the GAN.
        folder: the export, wherever the package is installed: `Path(__file__).parent / "digits"`.
    """

    name: str
    folder: Path

    noun: ClassVar[str] = "pretrained GAN"
    key: ClassVar[str] = "name"

    def label(self) -> str:
        """The name by which it is registered."""
        return self.name

    @property
    def is_there(self) -> bool:
        """Whether the folder is an export."""
        return (Path(self.folder) / EXPORT).is_file()


class PretrainedRegistry(Registry[PretrainedGAN]):
    """The registered trained weights. Of their folders nothing is read before one is used."""

    def check_content(self, thing: PretrainedGAN) -> None:
        if not thing.is_there:
            raise ContractError(
                f"the folder of the pretrained GAN '{thing.name}' is no export: {thing.folder} has no export.json"
            )
