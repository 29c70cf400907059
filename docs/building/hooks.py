"""What mkdocs calls as it builds the site: adds the pages that are made, and keeps links inside."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parents[2]))  # mkdocs loads this file alone

from docs.building import commands, links, notebooks, reference, zoo

NAMED = re.compile(r"^\| `([a-z0-9-]+)` (?=\|)", re.MULTILINE)
"""The first cell of a row, if it is a name."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the pages that are made into the navigation, where their first one stands."""
    for section in config.nav or []:
        for entries in section.values():
            if isinstance(entries, list):
                entries[:] = [new for entry in entries for new in _expanded(entry)]
    return config


def _expanded(entry: Any) -> Iterator[Any]:
    yield entry
    if entry == f"{zoo.HERE}/index.md":
        for family, members in zoo.families().items():
            yield {family.capitalize(): [{gan.name: f"{zoo.HERE}/{gan.name}.md"} for gan in members]}
    elif entry == "reference/index.md":
        yield from ({title: reference.file(title)} for title in reference.pages())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made, those that lie elsewhere, and the files that pages lead to."""
    for name, content in _made().items():
        files.append(File.generated(config, name, content=content))
    for name, path in links.included().items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        files.remove(notebook)
        source = str(notebook.abs_src_path)
        text, pictures = notebooks.page(Path(source), notebook.src_uri)
        files.append(File.generated(config, notebook.src_uri.replace(".ipynb", ".md"), content=text))
        for name, picture in pictures.items():
            files.append(File.generated(config, name, content=picture))
        files.append(File.generated(config, f"{links.COPIED}/docs/{notebook.src_uri}", abs_src_path=source))
    for page in [file for file in files if file.is_documentation_page()]:
        for name, lead in links.outside(page.content_string, page.src_uri).items():
            if files.get_file_from_path(name) is None:
                copied = File.generated(config, name, abs_src_path=str(links.ROOT / lead))
                copied.inclusion = InclusionLevel.NOT_IN_NAV
                files.append(copied)
    return files


def _made() -> dict[str, str]:
    made = {f"{zoo.HERE}/{gan.name}.md": zoo.page(gan) for gan in zoo.gans()}
    made |= {reference.file(title): content for title, content in reference.pages().items()}
    return made | {"reference/index.md": reference.index(), "commands.md": commands.page()}


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Fills in the overview of the zoo, leads from tables to the pages of their GANs, and keeps links inside."""
    name = page.file.src_uri
    markdown = markdown.replace(zoo.OVERVIEW, zoo.overview()) if zoo.OVERVIEW in markdown else markdown
    if page.file.generated_by and name not in links.included():
        return markdown
    known = {gan.name for gan in zoo.gans()}
    up = "../" * name.count("/")
    return NAMED.sub(
        lambda found: f"| [`{found[1]}`]({up}{zoo.HERE}/{found[1]}.md) " if found[1] in known else found[0],
        links.inside(markdown, name),
    )
