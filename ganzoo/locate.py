"""Where trained weights lie: one rule for all that takes a run folder, or the name of a pretrained GAN in its place."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from ganzoo.engine.folder import RunFolder
from ganzoo.errors import RunFolderError, typed
from ganzoo.files import digest, expanded
from ganzoo.gan import GAN
from ganzoo.plugins import zoo
from ganzoo.pretrained import PretrainedGAN

RUNS = Path("runs")
"""Where runs go unless a place is named; as in ganzoo.engine.run, a layer above."""
REINSTALL = "install that package again: pip install --force-reinstall --no-deps {}"


def locate(run: str | Path) -> Path:
    """The folder of a run, of an export, or of the pretrained GAN of that name. A folder of that name wins.

    Raises:
        RunFolderError: there is neither; it suggests the nearest of both. Or a pretrained GAN's files are damaged.
    """
    path = expanded(run)
    found = zoo().pretrained.get(str(run))
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
    """The pretrained GAN whose folder this is: a part of a package, in which nothing is to be written."""
    place = folder.resolve()
    return next((found for found in zoo().pretrained.values() if Path(found.folder).resolve() == place), None)


def check_resumes(run: Path) -> None:
    """Refuses the name of a pretrained GAN where a run is to go on.

    Raises:
        RunFolderError: it is one.
    """
    if not _exists(expanded(run)) and str(run) in zoo().pretrained:
        raise RunFolderError(
            f"'{run}' is a pretrained GAN, which makes images and cannot be trained further; begin a run with its "
            f"weights by `ganzoo run {_gan_of(zoo().pretrained[str(run)])} --init-from {run}`"
        )


def _gan_of(pretrained: PretrainedGAN) -> str:
    files = RunFolder(Path(pretrained.folder))
    table = files.read(files.config).get("gan")
    name = table.get(GAN.key) if isinstance(table, dict) else None
    return name if isinstance(name, str) else "GAN"


def check_whole(pretrained: PretrainedGAN) -> None:
    """Refuses a pretrained GAN whose files are not those that its package was made with.

    Raises:
        RunFolderError: naming the first that is not.
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
        package = zoo().pretrained.origin(pretrained)
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
    """What may have been meant: the nearest pretrained GAN and the nearest run."""
    name = run.rstrip(os.sep)
    meant = {f"the pretrained '{known}'": known for known in zoo().pretrained}
    near = [words for words in meant if meant[words] in difflib.get_close_matches(name, meant.values(), n=1)]
    paths = {path: path for path in map(str, _runs(Path(name).parent))}
    paths |= {path: Path(path).name for path in map(str, _runs(RUNS))}
    for path, stem in paths.items():
        if difflib.get_close_matches(name, [stem], n=1, cutoff=0.8):
            near.append(path)
            break
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if Path(name).name != name or not zoo().pretrained:
        return ""
    return f", and no pretrained GAN is called {typed(name)}; `ganzoo pretrained` lists those"


def _runs(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if RunFolder(path).holds_run)
    except OSError:
        return []
