"""What a network must know of its data."""

from pydantic import Field, field_validator

from ganzoo.config import Config

LONGEST = 2**16
"""Pixels of an image's side, and values in one row of another field, at most."""


def is_side(value: object) -> bool:
    """Whether an image may be so many pixels high or wide."""
    return type(value) is int and 0 < value <= LONGEST


def whole_number(value: object) -> object:
    """A whole number that was typed, for a field that allows some of them; anything else as it is."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 9 else value


class DataSpec(Config):
    """The shape of one row of a data set. Kept in the run folder, so that generating needs no data."""

    dataset: str = Field(description="the name of the data set")
    shapes: dict[str, tuple[int, ...]] = Field(description="field to the shape of one row: images are C, H, W")
    classes: tuple[str, ...] = Field((), description="what the labels mean, by number")

    @field_validator("shapes")
    @classmethod
    def _check(cls, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        for name, shape in shapes.items():
            image = name in ("image", "labelled_image", "source", "target")
            if not all(map(is_side, shape)) or (image and (len(shape) != 3 or shape[0] not in (1, 3, 4))):
                raise ValueError(f"'{name}' has the shape {shape}, which is none that data has")
        if shapes.keys().isdisjoint(("image", "target")):
            raise ValueError("there is neither 'image' nor 'target', of which one says what images to make")
        return shapes

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images to make."""
        channels, height, width = self.shapes["image" if "image" in self.shapes else "target"]
        return channels, height, width

    @property
    def source_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images to translate."""
        channels, height, width = self.shapes["source"]
        return channels, height, width
