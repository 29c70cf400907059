"""What an export says of itself, without its weights being loaded: what `ganzoo pretrained` shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.base.io import number
from ganzoo.config import validate
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.gan import GAN
from ganzoo.contract.pretrained import PretrainedGAN
from ganzoo.errors import RunFolderError, UserError
from ganzoo.metrics.protocol import Protocol
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.listing import leading, size_of

TEXT = "anything"
"""A caption that speaks of no data set in particular."""


def example_text(data: DataSpec) -> str:
    """A caption that is not too long for the data."""
    return TEXT[: data.shapes["caption"][0]]


def command_for(run: str, gan: type[GAN] | None, data: DataSpec) -> str:
    """The command line that makes images with a run folder, an export or a pretrained GAN.

    Args:
        run: as it is typed.
        gan: what makes them; None: it is not installed.
        data: what it was trained on.
    """
    inputs = gan.needs & gan.inputs if gan else frozenset()
    if "source" in inputs:
        return f"ganzoo translate {run} picture.png -o translated.png"
    words = f" --text {example_text(data)}" if "caption" in inputs else ""
    return f"ganzoo generate {run} -n 64{words} -o images.png"


@dataclass(frozen=True)
class Summary:
    """What is known of a pretrained GAN."""

    name: str
    gan: str
    """The name of the GAN that was trained, whether it is installed or not."""
    data: DataSpec
    iteration: int
    figures: Mapping[str, float]
    protocol: Mapping[str, Any]
    """How the figures were measured."""
    networks: tuple[str, ...]
    precision: str
    command: str
    """What was typed to train it; empty if that is not known."""
    provided_by: str
    folder: Path
    card: Path
    picture: Path | None
    size: int
    """Bytes of all files."""

    @property
    def installed(self) -> type[GAN] | None:
        """The GAN, if it is installed."""
        return zoo().gans.get(self.gan)

    @property
    def measured(self) -> str:
        """How the figures were measured, in words."""
        try:
            return str(validate(Protocol, self.protocol))
        except UserError:  # that of another version
            return "; ".join(f"{name}: {value}" for name, value in self.protocol.items())

    @property
    def usage(self) -> str:
        """A command that makes images with it."""
        return command_for(self.name, self.installed, self.data)

    def values(self) -> dict[str, object]:
        """All of it as JSON values."""
        return {
            "name": self.name,
            "gan": self.gan,
            "data": self.data.dataset,
            "image": list(self.data.shape),
            "iteration": self.iteration,
            "figures": dict(self.figures),
            "protocol": dict(self.protocol),
            "networks": list(self.networks),
            "precision": self.precision,
            "command": self.command,
            "usage": self.usage,
            "bytes": self.size,
            "folder": str(self.folder),
            "card": str(self.card),
            "picture": str(self.picture) if self.picture else None,
            "from": self.provided_by,
        }


def summary(pretrained: PretrainedGAN) -> Summary:
    """What the files of a pretrained GAN tell.

    Raises:
        RunFolderError: one is missing, or cannot be read.
    """
    files = RunFolder(Path(pretrained.folder))
    about, gan = files.read(files.export), files.read(files.config).get("gan")
    if not isinstance(gan, dict) or not isinstance(gan.get(GAN.key), str):
        raise RunFolderError(f"{files.config} does not say which GAN was trained")
    environment = files.read(files.environment) if files.environment.is_file() else {}
    rows = [row for row in files.lines(files.evaluations) if isinstance(row.get("figures"), dict)]
    measured = leading(rows) if rows else {"figures": {}}
    protocol = measured.get("protocol")
    return Summary(
        name=pretrained.name,
        gan=gan[GAN.key],
        data=files.load(files.data, DataSpec),
        iteration=int(number(about.get("iteration")) or 0),
        figures={name: value for name, value in measured["figures"].items() if number(value) is not None},
        protocol=protocol if isinstance(protocol, dict) else {},
        networks=tuple(map(str, about.get("networks") or ())),
        precision=str(about.get("precision", "float32")),
        command=str(environment.get("command", "")),
        provided_by=zoo().pretrained.origin(pretrained),
        folder=files.path,
        card=files.card,
        picture=files.picture if files.picture.is_file() else None,
        size=size_of(files.path),
    )


def of_gan(name: str) -> list[str]:
    """The names of the pretrained GANs that were trained from the GAN of that name, its namesake first."""
    found = []
    for pretrained in zoo().pretrained.values():
        files = RunFolder(Path(pretrained.folder))
        try:
            gan = files.read(files.config).get("gan")
        except RunFolderError:  # `ganzoo pretrained` says why
            continue
        if isinstance(gan, dict) and gan.get(GAN.key) == name:
            found.append(pretrained.name)
    return sorted(found, key=lambda other: (other != name, other))
