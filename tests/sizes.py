"""What a picture in a file is like."""

from pathlib import Path

from PIL import Image


def size(file: Path) -> tuple[str, int, int]:
    with Image.open(file) as picture:
        picture.load()
        return picture.mode, picture.width, picture.height
