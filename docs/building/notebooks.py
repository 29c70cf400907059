"""Notebooks as pages."""

import posixpath
from pathlib import Path

from nbconvert import MarkdownExporter


def page(file: Path, name: str) -> tuple[str, dict[str, bytes]]:
    """A notebook's text and pictures: the page, and the pictures by their names in the site."""
    exporter = MarkdownExporter()  # type: ignore[no-untyped-call]  # a part of nbconvert without types
    text, resources = exporter.from_filename(str(file))
    pictures = {f"{Path(name).stem}-{picture}": content for picture, content in resources["outputs"].items()}
    for picture in pictures:
        text = text.replace(f"]({picture.removeprefix(Path(name).stem + '-')})", f"]({picture})")
    up = "../" * (name.count("/"))
    text += f"\n\nThe notebook itself: [{Path(name).name}]({up}files/docs/{name})\n"
    return text, {posixpath.join(posixpath.dirname(name), picture): content for picture, content in pictures.items()}
