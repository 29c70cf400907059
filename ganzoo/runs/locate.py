"""Location of trained weights: one rule for everything that takes a run folder or the name of a pretrained GAN."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from ganzoo.base.io import digest, expanduser
from ganzoo.base.registry import registry_of
from ganzoo.contract.gan import GAN
from ganzoo.contract.pretrained import PretrainedGAN
from ganzoo.errors import RunFolderError, typed
from ganzoo.runs.folder import RunFolder

RUNS = Path("runs")
"""Default folder of runs; as in ganzoo.training.run, which is a higher layer."""
REINSTALL = "install that package again: pip install --force-reinstall --no-deps {}"


def locate(run: str | Path) -> Path:
    """Return the folder of a run, an export, or a pretrained GAN. An existing folder takes precedence over a name.

    Raises:
        RunFolderError: neither exists; the message suggests the closest of both. Or a pretrained GAN is damaged.
    """
    path = expanduser(run)
    found = registry_of(PretrainedGAN).get(str(run))
    if _exists(path):
        if found is not None and not RunFolder(path).holds_run:
            raise RunFolderError(
                f"{path} is no run folder: it has no {RunFolder(path).config.name}, and it hides the pretrained GAN of "
                f"that name; work in another folder, or type {found.folder}"
            )
        return path
    if found is None:
        raise RunFolderError(f"{path} is no run folder: it has no {RunFolder(path).config.name}{_advice(str(run))}")
    check_whole(found)
    return Path(found.folder)


def shipped(folder: Path) -> PretrainedGAN | None:
    """Return the pretrained GAN of a folder, which is part of a package and must not be written to, or None."""
    place = folder.resolve()
    return next((found for found in registry_of(PretrainedGAN).values() if Path(found.folder).resolve() == place), None)


def check_resumes(run: Path) -> None:
    """Check that a run to be resumed is not the name of a pretrained GAN.

    Raises:
        RunFolderError: it is one.
    """
    if not _exists(expanduser(run)) and str(run) in registry_of(PretrainedGAN):
        raise RunFolderError(
            f"'{run}' is a pretrained GAN, which makes images and cannot be trained further; begin a run with its "
            f"weights by `ganzoo run {_gan_of(registry_of(PretrainedGAN)[str(run)])} --init-from {run}`"
        )


def _gan_of(pretrained: PretrainedGAN) -> str:
    files = RunFolder(Path(pretrained.folder))
    table = files.read(files.config).get("gan")
    name = table.get(GAN.key) if isinstance(table, dict) else None
    return name if isinstance(name, str) else "GAN"


def check_whole(pretrained: PretrainedGAN) -> None:
    """Check the files of a pretrained GAN against their checksums.

    Raises:
        RunFolderError: names the first damaged file.
    """
    folder = RunFolder(Path(pretrained.folder))
    digests = folder.read(folder.export).get("files")
    problem = "" if isinstance(digests, Mapping) and digests else f"its {folder.export.name} lists no checksums"
    for name, expected in digests.items() if isinstance(digests, Mapping) else ():
        file = folder.path / name
        try:
            actual = digest(file)
        except OSError as error:
            problem = problem or f"{file} cannot be read ({error.strerror or error})"
            continue
        if actual != expected:
            problem = problem or f"{file} is not what was exported: its checksum differs"
    if problem:
        package = registry_of(PretrainedGAN).origin(pretrained)
        raise RunFolderError(
            f"the pretrained GAN '{pretrained.name}' of {package} is damaged: {problem}; "
            f"{REINSTALL.format(package.partition(' ')[0])}"
        )


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    return True


def _advice(run: str) -> str:
    """Suggest the pretrained GAN and the run with the closest names."""
    name = run.rstrip(os.sep)
    meant = {f"the pretrained '{known}'": known for known in registry_of(PretrainedGAN)}
    near = [words for words in meant if meant[words] in difflib.get_close_matches(name, meant.values(), n=1)]
    paths = {path: path for path in map(str, _runs(Path(name).parent))}
    paths |= {path: Path(path).name for path in map(str, _runs(RUNS))}
    for path, stem in paths.items():
        if difflib.get_close_matches(name, [stem], n=1, cutoff=0.8):
            near.append(path)
            break
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if Path(name).name != name or not registry_of(PretrainedGAN):
        return ""
    return f", and no pretrained GAN is called {typed(name)}; `ganzoo pretrained` lists those"


def _runs(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if RunFolder(path).holds_run)
    except OSError:
        return []
