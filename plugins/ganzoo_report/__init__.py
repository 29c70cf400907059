"""Reports: what a run folder holds, or several side by side, as one HTML file that needs no network."""

from collections.abc import Sequence
from pathlib import Path

from ganzoo.base.io import write_atomically
from ganzoo.errors import OptionError, UserError

__all__ = ["write"]

NAME, COMPARISON = "report.html", "comparison.html"
"""What a report is called unless told otherwise: of one run, in its folder; of several, in the working directory."""


def write(
    runs: str | Path | Sequence[str | Path],
    file: str | Path | None = None,
    *,
    checkpoint: str | int = "newest",
    device: str = "auto",
    text: str | Sequence[str] = (),
) -> Path:
    """Write the report of a run, or of several side by side, and says where; the same as `ganzoo report`.

    What a run lacks (a checkpoint, samples, its plugin) is said in the report, and the rest is there.

    Args:
        runs: run folders, or names of pretrained GANs.
        file: ends in .html; what is there is replaced. None: `report.html` in the folder of the one run; in the
            working directory `NAME.html` of a pretrained GAN, and `comparison.html` of several runs.
        checkpoint: whose weights the images are made with: "newest", "best" or an iteration.
        device: where they are made.
        text: captions for the interpolation of one run, for a GAN that makes images from captions.

    Raises:
        UserError: a folder is no run, there is no such device, the checkpoint that was named is not there, or the
            file cannot be written; nothing was.
    """
    from ganzoo_report import page  # here, not above: for `ganzoo --help`, this module is imported
    from ganzoo_report.record import records

    folders = [Path(run) for run in ([runs] if isinstance(runs, str | Path) else runs)]
    if not folders:
        raise UserError("there is no run to report; name a run folder")
    found = records(folders)
    if text and len(found) > 1:
        raise OptionError("option 'text' is for the interpolation of one run; leave it out, or report each run alone")
    if checkpoint != "newest" and len(found) > 1:
        raise OptionError("option 'checkpoint' is for the report of one run; leave it out, or report each run alone")
    file = Path(file) if file is not None else _usual_target([record.folder.path for record in found])
    _check_target(file)
    captions = [text] if isinstance(text, str) and text else list(text)
    html = page.render(found, checkpoint, device, captions)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, html)
    except OSError as error:
        raise OptionError(f"'{file}' cannot be written: {error.strerror or error}; give another --out") from error
    return file


def _usual_target(folders: Sequence[Path]) -> Path:
    """Where a report goes unless a place is named: nothing is written into a package."""
    from ganzoo.run_folders import shipped

    if len(folders) > 1:
        return Path(COMPARISON)
    pretrained = shipped(folders[0])
    return Path(f"{pretrained.name}.html") if pretrained else folders[0] / NAME


def _check_target(file: Path) -> None:
    """Refuses, before anything is worked out, a file that is no page.

    Raises:
        OptionError: it is a folder, or does not end in .html.
    """
    if file.is_dir():
        raise OptionError(f"'{file}' is a folder; give a file in it, such as --out {file / NAME}")
    if file.suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"'{file}' does not end in .html, as a page does; try --out {file.with_suffix('.html')}")
