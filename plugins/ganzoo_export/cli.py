"""`ganzoo export`, `push` and `pull`: trained GANs for other programs and other people."""

from pathlib import Path
from typing import Any

import rich_click as click

import ganzoo
from ganzoo.commands import CHECKPOINT, RUN, TARGET
from ganzoo.errors import no_exit

# Formats, names of files and the word for no licence are as in ganzoo_export, which imports torch.
LICENCE = click.option(
    "--licence",
    default="unknown",
    show_default=True,
    metavar="NAME",
    help="Under which licence the weights are, for the model card: cc-by-sa-4.0, mit, ...",
)
HALF = click.option("--half", is_flag=True, help="Store weights in half precision: half the size.")
ALL_NETWORKS = click.option(
    "--all-networks", is_flag=True, help="Keep discriminators too, for `ganzoo run --init-from`."
)


@click.command()
@RUN
@click.option(
    "--format",
    "form",
    type=click.Choice(["safetensors", "onnx", "torchexport"]),
    default="safetensors",
    show_default=True,
    help="Weights for ganzoo, a graph for onnxruntime and its like, or a graph for torch alone.",
)
@click.option(
    "-o",
    "--out",
    type=TARGET,
    metavar="FOLDER",
    help="Takes the export; one that is there is replaced.  [default: exports/RUN-FORMAT]",
)
@HALF
@ALL_NETWORKS
@LICENCE
@CHECKPOINT
def export(
    run: Path, form: str, out: Path | None, half: bool, all_networks: bool, licence: str, checkpoint: str
) -> None:
    """Make a folder of what makes images in the folder RUN, for others to use: a model file and its card.

    What was written is loaded again and compared with PyTorch; one that differs is not left behind.
    """
    from ganzoo_export.exporting import export as make

    with no_exit():
        made = make(run, form, out, checkpoint=checkpoint, licence=licence, half=half, all_networks=all_networks)
    size = made.model.stat().st_size / 2**20
    other = "full precision" if half else "PyTorch"
    same = f"differs from {other} by {made.difference:.2g} at most" if made.difference else "the same as PyTorch"
    click.echo(f"{made.model}: {size:.1f} MiB, {same}, {made.seconds:.1f} s")
    click.echo(made.folder / "README.md")
    if not made.at_end:
        click.echo("note: these weights are not from the end of the training, and the card says so", err=True)


@click.command()
@RUN
@click.argument("repository", metavar="USER/NAME")
@click.option("--public", is_flag=True, help="Make a repository that anybody can see; else it is private.")
@HALF
@ALL_NETWORKS
@LICENCE
@CHECKPOINT
def push(run: Path, repository: str, public: bool, **told: Any) -> None:
    """Upload what makes images in the folder RUN to the Hugging Face Hub: weights in safetensors, and a model card.

    The login of `hf auth login` is used, or HF_TOKEN.
    """
    from ganzoo_export import hub

    with no_exit():
        click.echo(hub.push(run, repository, public=public, **told))


@click.command()
@click.argument("repository", metavar="USER/NAME")
@click.option(
    "-o",
    "--out",
    type=TARGET,
    metavar="FOLDER",
    help="Takes the download; an export that is there is replaced.  [default: pulled/USER/NAME]",
)
@click.option("--revision", metavar="NAME", help="A branch, tag or commit.  [default: the newest]")
def pull(repository: str, out: Path | None, revision: str | None) -> None:
    """Download a GAN that was pushed to the Hugging Face Hub, for `ganzoo generate` and `ganzoo translate`."""
    from ganzoo_export import hub

    with no_exit():
        pulled = hub.pull(repository, out, revision=revision)
    if pulled.left:
        click.echo(f"note: not fetched, as pickles are never loaded: {', '.join(pulled.left)}", err=True)
    made = "translate" if pulled.trained.takes_images else "generate"
    click.echo(f"{pulled.folder}: {pulled.trained.gan.name}, iteration {pulled.trained.iteration}; ganzoo {made} it")


@ganzoo.hookimpl
def register_commands(register: ganzoo.Register) -> None:
    for command in (export, push, pull):
        register(command)
