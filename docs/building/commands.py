"""The page of the command line: what `--help` says of every command, from the commands themselves."""

import inspect
from collections.abc import Iterator

import click

from docs.building.markdown import code, linked, plain, table
from ganzoo.cli import root
from ganzoo.plugins import zoo

INTRODUCTION = """# The command line

Every command and option, from the commands themselves: the same is said by `ganzoo COMMAND --help`.
`-h` is short for `--help` everywhere."""


def page() -> str:
    """Every command below the other."""
    top = click.Context(root, info_name="ganzoo", color=False)
    return "\n\n".join([INTRODUCTION, *shown(root, top, 2), *below(root, top, 2)]) + "\n"


def below(group: click.Group, context: click.Context, depth: int) -> Iterator[str]:
    """The commands of a group, the GANs among them once: they differ in their own options only, which have pages."""
    names = group.list_commands(context)
    if set(names) <= zoo().gans.keys():
        yield f"Options of {code(names[0])}, as an example; each GAN's own are on its page of [the zoo](zoo/index.md)."
        names = names[:1]
    for name in names:
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context, color=False)
        yield from shown(command, inner, depth)
        if isinstance(command, click.Group):
            yield from below(command, inner, depth + 1)


def shown(command: click.Command, context: click.Context, depth: int) -> Iterator[str]:
    """One command."""
    anchor = "-".join(context.command_path.split()[1:]) or "ganzoo"
    yield f"{'#' * depth} {context.command_path} {{ #{anchor} }}"
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
    yield linked(prose(command.help or ""))
    rows = [entry(parameter, context) for parameter in command.get_params(context) if listed(parameter)]
    if rows:
        yield table(["option", "what it is"], rows)


def prose(text: str) -> str:
    """A docstring's paragraphs; those that are marked to stand as they are, do."""
    parts = []
    for paragraph in inspect.cleandoc(text).partition("\f")[0].split("\n\n"):
        kept = paragraph.removeprefix("\b\n")
        parts.append(f"```text\n{kept}\n```" if kept != paragraph else plain(paragraph))
    return "\n\n".join(parts)


def listed(parameter: click.Parameter) -> bool:
    """Whether `--help` shows it."""
    return isinstance(parameter, click.Option) and not parameter.hidden


def entry(parameter: click.Parameter, context: click.Context) -> tuple[str, str]:
    """A row of the table: how an option is typed, and what it is, in click's own words."""
    cli_name, text = parameter.get_help_record(context) or ("", "")
    return code(cli_name), plain(text)
