"""`ganzoo new NAME`: a package for a GAN of one's own."""

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import rich_click as click

import ganzoo
from ganzoo.commands import AS_JSON, TARGET
from ganzoo.errors import UnknownName, no_exit
from ganzoo_new.families import FAMILIES


class FamilyChoice(click.Choice[str]):
    """One of the families; for another it names the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            raise UnknownName("family", value, self.choices)
        return super().convert(value, param, ctx)


@click.command()
@click.argument("name")
@click.option(
    "--family",
    type=FamilyChoice(list(FAMILIES)),
    default="noise",
    show_default=True,
    help="What it makes images from: noise, classes, pairs of images, unpaired images, or captions.",
)
@click.option(
    "-o",
    "--out",
    type=TARGET,
    metavar="FOLDER",
    help="Takes the package; a new folder, or an empty one.  [default: ./NAME]",
)
@click.option("--author", help="Who is named in the licence.  [default: git's user.name]")
@AS_JSON
def new(name: str, family: str, out: Path | None, author: str | None, as_json: bool) -> None:
    """Make a package for a new GAN called NAME, such as my-gan: it trains as it stands, and is yours to change.

    One module with the GAN, under 50 lines; its test; README, licence (MIT), pyproject.toml, a CI file.
    """
    from ganzoo_new.package import compose, write

    with no_exit():
        package = compose(name, family, git_user() if author is None else author)
    folder = out or Path(name)
    write(package, folder)
    commands = package.commands(folder)
    if as_json:
        about = {"name": name, "family": family, "folder": str(folder), "module": package.module}
        click.echo(json.dumps({**about, "files": sorted(package.files), "next": commands}, indent=2))
        return
    lines = package.files[package.module].count("\n")
    click.echo(f"{folder / package.module}: {lines} lines, the GAN; beside it {len(package.files) - 1} other files")
    click.echo("\n".join(("next:", *(f"  {command}" for command in commands))))


def git_user() -> str:
    """The name that git puts under commits; empty if it knows none."""
    with suppress(OSError, subprocess.SubprocessError, UnicodeDecodeError):
        if git := shutil.which("git"):
            # Its own words and nothing that was typed.
            asked = subprocess.run(  # noqa: S603
                [git, "config", "--get", "user.name"], capture_output=True, encoding="utf-8", timeout=5, check=False
            )
            return asked.stdout.strip()
    return ""


@ganzoo.hookimpl
def register_commands(register: ganzoo.Register) -> None:
    register(new)
