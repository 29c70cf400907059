"""The Hugging Face Hub: `ganzoo push` and `ganzoo pull`, of safetensors and JSON alone.

What is pulled may come from anybody. Only files of known names are fetched, none of them is ever unpickled, and before
the folder is there its sizes, its checksums and its weights were looked at and one image was made.
"""

import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import torch

from ganzoo import RunFolder, TrainedGAN, load
from ganzoo.base.io import digest
from ganzoo.base.system import held_to_free_memory
from ganzoo.errors import OptionError, RunFolderError, UserError, check_installed, typed
from ganzoo_export import graphs
from ganzoo_export.card import UNKNOWN
from ganzoo_export.exporting import CARD, FILES, PICTURE, check_place, exchanged, export
from ganzoo_export.trace import made_up

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PULLED = Path("pulled")
"""Where what is pulled goes unless a place is named."""
MIB = 2**20
LARGEST = {
    FILES.model.name: 16 * 1024 * MIB,
    "config.json": MIB,
    "data.json": MIB,
    "environment.json": MIB,
    "export.json": MIB,
    "evaluations.jsonl": 16 * MIB,
    CARD: MIB,
    PICTURE: 64 * MIB,
}
"""The files that are fetched, and how many bytes each may have."""
NEEDED = (FILES.model.name, "config.json", "data.json", "export.json")
PICKLES = {".bin", ".ckpt", ".joblib", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth"}
"""How names end of what could run code when it is loaded."""
REPOSITORY = re.compile(r"[A-Za-z0-9][\w-]*(\.[\w-]+)*/[A-Za-z0-9][\w-]*(\.[\w-]+)*", re.ASCII)


@dataclass(frozen=True)
class Pulled:
    """What was pulled."""

    folder: Path
    trained: TrainedGAN
    left: tuple[str, ...]
    """Files of the repository that could run code, and were not fetched."""


def push(
    run: str | Path,
    repository: str,
    *,
    public: bool = False,
    checkpoint: str | int = "newest",
    licence: str = UNKNOWN,
    half: bool = False,
    all_networks: bool = False,
) -> str:
    """Exports a run as safetensors and uploads that, with its card, as one commit; gives the address.

    Args:
        run: the run folder, or an export of it.
        repository: "user/name"; it is made if there is none.
        public: a repository that is made is one that anybody can see. One that is there stays as it is.
        checkpoint: see `ganzoo.load`.
        licence: see `export`.
        half: see `export`.
        all_networks: see `export`.

    Raises:
        UserError: it cannot be exported, there is no login, or the Hub refuses or cannot be reached.
    """
    api, token = client(repository), _token()
    with tempfile.TemporaryDirectory() as parent:
        made = export(
            run,
            out=Path(parent) / "export",
            checkpoint=checkpoint,
            licence=licence,
            repository=repository,
            half=half,
            all_networks=all_networks,
        )
        with _said(repository):
            api.create_repo(repository, private=not public, exist_ok=True, token=token)
            api.upload_folder(
                repo_id=repository,
                folder_path=made.folder,
                commit_message=f"{made.name}, iteration {made.iteration}",
                token=token,
            )
    return f"{api.endpoint}/{repository}"


def pull(repository: str, out: str | Path | None = None, *, revision: str | None = None) -> Pulled:
    """Downloads what `push` uploaded into a folder that `ganzoo.load` takes up, once it was found to be that.

    Args:
        repository: "user/name".
        out: the folder; an export that is there is replaced. None: `pulled/user/name`.
        revision: a branch, tag or commit.

    Raises:
        UserError: there is no such repository, it cannot be reached, or its files are not what is asked for; nothing is
            left behind.
    """
    api = client(repository)
    place = Path(out) if out is not None else PULLED / repository
    check_place(place)
    with _said(repository):
        info = api.model_info(repository, revision=revision, files_metadata=True, token=_token(needed=False))
    sizes, left = _wanted(repository, info)
    with exchanged(place) as draft:
        with _said(repository):
            api.snapshot_download(
                repository, revision=info.sha, allow_patterns=list(sizes), local_dir=draft, token=_token(needed=False)
            )
        rmtree(draft / ".cache", ignore_errors=True)  # the client's own notes
        with _named(repository, draft):
            _check_files(repository, draft, sizes)
        trained = _tried_out(repository, draft)
    trained.folder = place
    return Pulled(place, trained, left)


def client(repository: str) -> "HfApi":
    """What speaks to the Hub, or to what HF_ENDPOINT names.

    Raises:
        UserError: the library is missing, or the repository cannot be called so.
    """
    if len(repository) > 96 or not REPOSITORY.fullmatch(repository):
        raise OptionError(f"a repository cannot be called {typed(repository)}: write user/name")
    check_installed("the Hub", "hub", "huggingface_hub")
    from huggingface_hub import HfApi

    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="ganzoo")


def _token(*, needed: bool = True) -> str | None:
    from huggingface_hub import get_token

    token = get_token()
    if needed and not token:
        raise UserError("you are not logged in to the Hub: run `hf auth login`, or set HF_TOKEN")
    return token


@contextmanager
def _said(repository: str) -> Iterator[None]:
    """Within, says what the Hub's answers mean.

    Raises:
        UserError: in place of the client's own errors.
    """
    from huggingface_hub import errors

    try:
        with warnings.catch_warnings():  # of the client, about the libraries that it uses
            warnings.simplefilter("ignore")
            yield
    except UserError:
        raise
    except errors.GatedRepoError as error:
        raise UserError(f"'{repository}' is gated: ask for access on its page, and run `hf auth login`") from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"the Hub has no '{repository}' that you may see; is it spelt right, and are you logged in "
            "(`hf auth login`)?"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"'{repository}' has no such --revision") from error
    except errors.HfHubHTTPError as error:
        status, reason = error.response.status_code, _line(error.server_message or error)
        may = "your token may not do that; " if status in (401, 403) else ""
        raise UserError(f"the Hub refuses '{repository}' ({status}): {may}{reason}") from error
    except Exception as error:  # what the HTTP client, the network and the disk bring
        reason = _line(error.__cause__ or error)
        raise UserError(f"the Hub cannot be reached, or broke off: {reason}; nothing was changed here") from error


def _line(value: object) -> str:
    words = " ".join(str(value).split())
    return words[:200] or type(value).__name__


def _wanted(repository: str, info: Any) -> tuple[dict[str, int], tuple[str, ...]]:
    """The files of a repository to fetch with their sizes, and those that could run code, which are not.

    Raises:
        RunFolderError: it has not what is needed, or has what nobody needs.
    """
    sizes = {str(file.rfilename): file.size for file in info.siblings or ()}
    for name in sizes:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
            raise RunFolderError(
                f"'{repository}' is refused: it has a file called {typed(name)}, outside of its folder"
            )
    pickles = tuple(sorted(name for name in sizes if PurePosixPath(name).suffix.lower() in PICKLES))
    for name in NEEDED:
        if name not in sizes:
            instead = f"; it has {', '.join(map(typed, pickles[:3]))}, and pickles are never loaded" if pickles else ""
            raise RunFolderError(
                f"'{repository}' is refused: it has no {name}, so it was not made by `ganzoo push`{instead}"
            )
    return {name: _size(repository, name, sizes[name]) for name in LARGEST if name in sizes}, pickles


def _size(repository: str, name: str, size: object) -> int:
    """How many bytes a file has.

    Raises:
        RunFolderError: it is more than it may.
    """
    if not isinstance(size, int) or size > LARGEST[name]:
        said = f"{size / MIB:,.0f} MiB" if isinstance(size, int) else "of unknown size"
        raise RunFolderError(
            f"'{repository}' is refused: {name} is {said}, and at most {LARGEST[name] / MIB:,.0f} MiB are taken"
        )
    return size


def _check_files(repository: str, folder: Path, sizes: dict[str, int]) -> None:
    """Refuses what is not what was announced, or not what was exported."""
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    plain = {name: path.stat().st_size for name, path in there.items() if path.is_file() and not path.is_symlink()}
    if there.keys() != sizes.keys() or plain != sizes:
        raise RunFolderError(f"'{repository}' is refused: its files are not those that it lists; try again")
    files = RunFolder(folder)
    if files.picture.is_file() and not _is_png(files.picture):
        raise RunFolderError(f"'{repository}' is refused: {files.picture.name} is no PNG")
    digests = files.read(files.export).get("files")
    for name, path in there.items():
        if isinstance(digests, dict) and name in digests and digests[name] != digest(path):
            raise RunFolderError(f"'{repository}' is refused: {name} is not what was exported, its checksum differs")


def _is_png(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(8) == b"\x89PNG\r\n\x1a\n"


def _tried_out(repository: str, draft: Path) -> TrainedGAN:
    """Takes up what was fetched, and makes one image.

    Raises:
        UserError: there is none, or of another shape than it says.
    """
    try:
        with _named(repository, draft):
            trained = load(draft, device="cpu")
        if more := sorted(trained.data.shapes.keys() - trained.gan.needs):
            raise RunFolderError(
                f"'{repository}' is refused: its data.json has {typed(more[0])}, no field of '{trained.gan.name}'"
            )
        with held_to_free_memory(), torch.no_grad():
            made = graphs.maker(trained)(made_up(trained, 1))
    except (AttributeError, LookupError, RuntimeError, MemoryError, TypeError, ValueError) as error:
        raise RunFolderError(f"'{repository}' is refused: no image can be made with it ({_line(error)})") from error
    if tuple(made.shape) != (1, *trained.data.shape):
        raise RunFolderError(f"'{repository}' is refused: it makes images of another shape than it says")
    return trained


@contextmanager
def _named(repository: str, draft: Path) -> Iterator[None]:
    """Within, errors name the repository, and not the folder that will be gone when they are read.

    Raises:
        RunFolderError: in place of an error that names the folder.
    """
    try:
        yield
    except UserError as error:
        words = str(error)
        if str(draft) not in words:
            raise
        words = words.replace(f"{draft}{os.sep}", "").replace(str(draft), f"'{repository}'")
        raise RunFolderError(f"'{repository}' is refused: {words}") from error
