"""`ganzoo completion`: what a shell needs to complete commands, and what it is told of GANs and their options.

To import torch and every plugin takes seconds, which nobody waits for after a TAB. So what they provide is kept in the
user's cache, and made anew when an installed plugin, or a file of ganzoo's own, is another.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from ganzoo.cli.flags import Flag

PLUGINS = "GANZOO_PLUGINS"
"""As in ganzoo.plugins, which is too slow to import for `--help`."""
VARIABLE = "_GANZOO_COMPLETE"
"""The environment variable by which a shell asks; click's own rule for a command called ganzoo."""

HELP = """Print what makes a shell complete ganzoo's commands, options, GANs, data sets and run folders.

It works in shells that are started after this, once; the first TAB that needs what plugins provide takes seconds:

\b
bash
  ganzoo completion bash > ~/.ganzoo-completion.bash
  echo '. ~/.ganzoo-completion.bash' >> ~/.bashrc

\b
zsh (the second below the line of ~/.zshrc with compinit)
  ganzoo completion zsh > ~/.ganzoo-completion.zsh
  echo '. ~/.ganzoo-completion.zsh' >> ~/.zshrc

\b
fish
  ganzoo completion fish > ~/.config/fish/completions/ganzoo.fish
"""


@click.command(help=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Prints a shell's own script."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError(f"click does not know {shell}")
    click.echo(kind(ctx.find_root().command, {}, "ganzoo", VARIABLE).source())


def run_command(name: str, files: list[click.Option]) -> click.Command | None:
    """A stand-in for `ganzoo run NAME` that knows its options, and what they take, but cannot run.

    Args:
        name: of the GAN.
        files: options that are the same for every GAN.
    """
    gan = known()["gans"].get(name)
    return gan and click.Command(name, params=[*options(gan["flags"]), *files], help=gan["help"])


def options(flags: list[dict[str, Any]]) -> Iterator[click.Option]:
    """Options that complete as those do that were written down as `flags`."""
    for number, flag in enumerate(flags):
        names = [flag["spelling"], f"option{number}"]
        if flag["switch"]:
            names[0] += f"/--no-{flag['spelling'].removeprefix('--')}"
            yield click.Option(names, default=None, help=flag["help"], hidden=flag["hidden"])
        else:
            kind = click.Choice(flag["values"]) if flag["values"] else click.Path() if flag["path"] else None
            yield click.Option(
                names, type=kind, help=flag["help"], multiple=flag["multiple"], hidden=flag["hidden"], default=None
            )


def known() -> dict[str, Any]:
    """The GANs with their options, and those of `resume` and `evaluate`; from the cache, if it is of this very zoo."""
    from platformdirs import user_cache_path

    file, zoo = user_cache_path("ganzoo") / "completion.json", _fingerprint()
    with suppress(OSError, ValueError, TypeError, LookupError):
        kept = json.loads(file.read_bytes())
        if kept["zoo"] == zoo and isinstance(kept["gans"], dict) and isinstance(kept["pretrained"], list):
            return kept
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        found = {"zoo": zoo, **_ask()}  # what plugins print would be taken for completions
    with suppress(OSError):
        from ganzoo.base.io import write_json

        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, found)
    return found


def _fingerprint() -> str:
    """What changes when the zoo does: versions of plugins, and when their files were written."""
    parts: list[object] = [version("ganzoo"), _latest(Path(__file__).parents[1])]
    for entry in sorted(entry_points(group="ganzoo"), key=lambda entry: (entry.name, entry.value)):
        parts += [entry.name, entry.value, entry.dist and entry.dist.version, _written(entry.module.partition(".")[0])]
    for file in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
        with suppress(OSError):
            parts += [file, Path(file).stat().st_mtime_ns]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _latest(package: Path) -> int:
    return max(path.stat().st_mtime_ns for path in package.rglob("*.py"))


def _written(module: str) -> int:
    with suppress(Exception):  # an import system of somebody's own may do anything
        spec = find_spec(module)
        if spec and spec.origin:
            return Path(spec.origin).stat().st_mtime_ns
    return 0


def _ask() -> Mapping[str, Any]:
    from ganzoo.cli import config_flags
    from ganzoo.plugins import zoo

    gans: dict[str, Any] = {}
    for name, gan in sorted(zoo().gans.items()):
        with suppress(Exception):  # a plugin's own; the others are completed
            flags = [flag for group in config_flags.by_run(gan).values() for flag in group]
            gans[name] = {"help": gan.summary(), "flags": [_written_down(flag) for flag in flags]}
    others = {"resume": config_flags.by_resume(), "evaluate": config_flags.by_evaluate()}
    shipped = sorted(zoo().pretrained)
    return {
        "gans": gans,
        "pretrained": shipped,
        **{name: [_written_down(flag) for flag in told.values()] for name, told in others.items()},
    }


def _written_down(flag: "Flag") -> dict[str, Any]:
    return {
        "spelling": flag.spelling,
        "help": flag.help.partition(":")[0],
        "values": flag.values,
        "path": flag.form == "PATH",
        "switch": flag.is_switch,
        "multiple": flag.is_repeated,
        "hidden": flag.hidden,
    }


COMMANDS = [completion]
