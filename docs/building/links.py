"""Pages that lie at the top level of the repository, and links that lead out of docs/: in the site, all is inside."""

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository."""
INCLUDED = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "plugins/README.md": "plugins.md",
    "THIRD_PARTY_NOTICES.md": "notices.md",
}
"""Pages that lie elsewhere, and what they are called in the site."""
COPIED = "files"
"""The folder of the site in which other files lie that a page leads to."""
TARGET = re.compile(r"""(?P<before>\]\(|\b(?:src|href)=")(?P<path>(?![a-z]+:|#|/)[^)"\s#]+)""")


def included() -> dict[str, Path]:
    """Pages of the site that lie elsewhere, as far as they are there."""
    return {page: ROOT / file for file, page in INCLUDED.items() if (ROOT / file).is_file()}


def place(page: str) -> str:
    """Where a page of the site lies in the repository."""
    return next((file for file, name in INCLUDED.items() if name == page), f"docs/{page}")


def outside(markdown: str, page: str) -> dict[str, str]:
    """Files of the repository that a page leads to and the site does not hold of itself, by their names in the site."""
    found = (target(match["path"], page) for match in TARGET.finditer(markdown))
    return {name: file for file, name in found if name.startswith(f"{COPIED}/") and (ROOT / file).is_file()}


def inside(markdown: str, page: str) -> str:
    """A page whose links stay in the site."""

    def lead(match: re.Match[str]) -> str:
        _, name = target(match["path"], page)
        return match["before"] + posixpath.relpath(name, posixpath.dirname(page) or ".")

    return TARGET.sub(lead, markdown)


def target(path: str, page: str) -> tuple[str, str]:
    """The file that a link of a page leads to: in the repository, and what it is called in the site."""
    file = posixpath.normpath(posixpath.join(posixpath.dirname(place(page)), path))
    if (ROOT / file).is_dir() and f"{file}/README.md" in INCLUDED:
        file = f"{file}/README.md"
    if file in INCLUDED:
        return file, INCLUDED[file]
    return file, file.removeprefix("docs/") if file.startswith("docs/") else f"{COPIED}/{file}"
