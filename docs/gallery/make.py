"""Makes the gallery: pictures of trained runs, and a page that shows each with the command that made it.

python docs/gallery/make.py [--add] RUN... [--out FOLDER]

The page is of the runs that are named, in their order; what it showed before is removed, or with `--add` stays. What a
run shows follows from what its GAN takes. Each picture is made by the command that stands below it, or was left by the
run itself.
"""

import argparse
import contextlib
import html
import io
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image

import ganzoo
from ganzoo.cli import main as ganzoo_command
from ganzoo.runs.folder import RunFolder

HERE = Path(__file__).parent
ROWS = 4
TEXTS = {
    "mnist": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "openmoji": ("grinning face", "cat face", "red apple", "sun", "house", "bicycle"),
}
"""What to ask a GAN for that makes images from captions, by its data set."""
WALK = ("--interpolate", "6", "--frames", "60", "--fps", "15", "-n", "10", "--columns", "10")
LARGE = 400
"""Pixels: what is not as wide is shown twice as large."""
PAGE = "index.md"
STARTS = re.compile(r" (begun|continued) at iteration ")
"""What a log says when a training starts."""
PLACES = {"--out", "--data-dir", "--config", "--display", "--plugin"}
"""Options of a training that say where things lie, or how its progress was shown."""
HEAD = """# Gallery

What some GANs made after a few minutes of training; nothing was picked out. Each section begins with the command that
trained it and how long that took, on a machine that also did other work. Under each picture is the command that made
it; where there is none, the picture is the run's last sample grid.

{contents}

Emojis are OpenMoji's (CC BY-SA 4.0), and so are the pictures made of them; digits are learned from MNIST (CC BY-SA
3.0).

This page is made by a script, from run folders: `python docs/gallery/make.py runs/*`.
"""
SECTION = re.compile(r"^## (.+)\n(?:(?!## ).*\n?)*", re.MULTILINE)
"""What a page says of a run, below its name."""
SHOWN = re.compile(r'<img src="([^"/]+)"')


@dataclass(frozen=True)
class Exhibit:
    """One picture: its ending, what it shows, and what makes it; without that, it is the run's last sample grid."""

    ending: str
    caption: str
    options: tuple[str, ...] = ()

    def words(self, run: str, out: str) -> list[str]:
        """The command, as it is typed."""
        return ["ganzoo", "generate", run, *self.options, "-o", out]


def exhibits(trained: ganzoo.TrainedGAN) -> Iterator[Exhibit]:
    """What there is to be shown of a trained GAN, by what it takes; none is known by its name."""
    texts = TEXTS.get(trained.data.dataset, ())
    if trained.takes_images or (trained.takes_text and not texts):
        what = (
            "in turn what it is given, what it makes of it, and what was wanted" if trained.takes_images else "samples"
        )
        yield Exhibit(".png", f"As the run left it: {what}.")
        return
    told: list[str] = []
    columns, caption = 10, "The first forty images."
    if trained.takes_text:
        told = [word for text in texts for word in ("--text", text)]
        columns, caption = len(texts), f"A column for each caption: {', '.join(texts)}."
    elif trained.takes_classes and 1 < len(trained.data.classes) <= 16:
        columns, caption = len(trained.data.classes), "A column for each class."
    yield Exhibit(".png", caption, (*told, "-n", str(ROWS * columns), "--columns", str(columns)))
    for code in {type(code): code for code in reversed(trained.gan.codes)}.values():  # the first of each kind
        low, high, steps = (0, code.count - 1, "") if isinstance(code, ganzoo.Category) else (-1, 1, ":10")
        caption = f"In each row the same noise; along it the code `{code.name}` goes from {low} to {high}."
        yield Exhibit(f"-{code.name}.png", caption, ("--codes", f"{code.name}={low}..{high}{steps}", "-n", str(ROWS)))
    if not (trained.takes_text or trained.takes_classes):  # of a class, there is less of a way to be gone
        yield Exhibit("-walk.webp", "Ten walks, each through six images and back to the first.", WALK)


def trained_by(said: str, name: str) -> str:
    """The command of a training, as it can be typed anywhere: without the places of the machine that it ran on."""
    words = shlex.split(said)
    words = words[words.index("run") :] if "run" in words else words[1:]
    kept: list[str] = []
    following = iter(words)
    for word in following:
        option = word.partition("=")[0]
        if option in PLACES:
            next(following if option == word else iter(()), None)
        else:
            kind, colon, place = word.rpartition(":")  # folder:PATH, pairs:PATH
            kept.append(f"{kind}{colon}{Path(place).name}" if Path(place).is_absolute() else word)
    return shlex.join(["ganzoo", *kept, "--out", f"runs/{name}"])


def time_taken(lines: Iterable[str]) -> timedelta:
    """How long a run trained, by its log: it may have been stopped and continued."""
    taken, since = timedelta(), None
    for line in lines:
        try:
            when = datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S")
        except ValueError:
            continue  # of a traceback
        if since is not None and " INFO " in line and not STARTS.search(line):
            taken, since = taken + (when - since), when
        if STARTS.search(line):
            since = when
    return taken


def facts(run: Path, trained: ganzoo.TrainedGAN, about: Mapping[str, str]) -> str:
    """What the training took, and on what: as its folder tells."""
    folder = ganzoo.RunFolder(run)
    rows = folder.lines(folder.metrics)
    images = max((int(row.get("images", 0)) for row in rows), default=0)
    seconds = round(time_taken(folder.log.read_text(encoding="utf-8").splitlines()).total_seconds())
    minutes = f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
    devices = [f"{about['cpu']} ({about['cpu threads']} thread{'s' * (about['cpu threads'] != '1')} used)"]
    devices += [name for key, name in about.items() if key.startswith("cuda:")]
    shape = "x".join(map(str, reversed(trained.data.shape[1:])))
    return (
        f"{trained.iteration:,} iterations, {images:,} images of {shape} in {minutes}; {', '.join(devices)}; "
        f"ganzoo {about['ganzoo']}, torch {about['torch']}, Python {about['python']}."
    )


def section(run: Path, out: Path) -> str:
    """Makes the pictures of a run, and gives the part of the page that shows them."""
    name, trained = run.resolve().name, ganzoo.load(run, device="cpu")
    folder = ganzoo.RunFolder(run)
    about = {key: str(value) for key, value in folder.read(folder.environment).items()}
    paper = trained.gan.paper()
    parts = [f"## {name}", f"{trained.gan.summary()}{f' {paper}.' if paper else ''}"]
    parts += [block(trained_by(about["command"], name)), facts(run, trained, about)]
    for exhibit in exhibits(trained):
        file = out / f"{name}{exhibit.ending}"
        if exhibit.options:
            carry_out(exhibit.words(str(run), str(file)))
        else:
            shutil.copyfile(last_grid(run), file)
        with Image.open(file) as picture:
            width = picture.width * (2 if picture.width <= LARGE else 1)
        parts.append(f'<img src="{file.name}" width="{width}" alt="{name}: {html.escape(exhibit.caption)}">')
        parts.append(exhibit.caption)
        if exhibit.options:
            parts.append(block(shlex.join(exhibit.words(f"runs/{name}", file.name))))
    return "\n\n".join(parts)


def carry_out(words: Sequence[str]) -> None:
    """Runs a command as the terminal would, in this process; what it says is not repeated."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ganzoo_command(list(words[1:]))
    except SystemExit as stop:
        if stop.code:
            raise


def last_grid(run: Path) -> Path:
    """The last sample grid that a run left.

    Raises:
        UserError: it has left none.
    """
    grids = RunFolder(run).grids()
    if not grids:
        raise ganzoo.UserError(f"{run} has no sample grid yet; go on with it by `ganzoo resume {run}`")
    return grids[-1]


def block(line: str) -> str:
    return f"```bash\n{line}\n```"


def make(runs: Sequence[Path], out: Path, add: bool = False) -> Path:
    """Makes the gallery of these runs and says where its page is; what it showed goes once the new one is there.

    With `add` the runs it showed before stay, but for those of the same name.

    Raises:
        UserError: one is no run, or two have the same name.
    """
    names = [run.resolve().name for run in runs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ganzoo.UserError(f"two runs are called '{min(twice)}', and so would be their pictures; rename one")
    page = out / PAGE
    before = page.read_text("utf-8") if page.is_file() else ""
    with tempfile.TemporaryDirectory() as draft:
        kept = {found[1]: found[0].strip() for found in SECTION.finditer(before)} if add else {}
        sections = kept | {name: section(run, Path(draft)) for name, run in zip(names, runs, strict=True)}
        contents = " · ".join(f"[{name}](#{name})" for name in sections)
        text = "\n\n".join([HEAD.format(contents=contents).strip(), *sections.values()]) + "\n"
        out.mkdir(parents=True, exist_ok=True)
        for file in sorted(Path(draft).iterdir()):
            shutil.copyfile(file, out / file.name)
    page.write_text(text, "utf-8")  # after what it shows
    for old in set(SHOWN.findall(before)) - set(SHOWN.findall(text)):
        (out / old).unlink(missing_ok=True)
    return page


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Makes the gallery of run folders.")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run folder, as `ganzoo run` left it")
    parser.add_argument("--add", action="store_true", help="to those that the page is of already")
    parser.add_argument(
        "--out", type=Path, default=HERE, help="where the page and its pictures go; the old ones are removed"
    )
    asked = parser.parse_args(words)
    try:
        print(make(asked.runs, asked.out, asked.add))  # noqa: T201 - what the script has to say
    except ganzoo.UserError as error:
        parser.exit(2, f"Error: {error}\n")


if __name__ == "__main__":
    main()
