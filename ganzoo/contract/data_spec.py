"""Data specification: the properties of a data set that networks depend on."""

from pydantic import Field, field_validator

from ganzoo.config import Config

LONGEST = 2**16
"""Maximum of an image's side in pixels, and of the values in one row of another field."""


def is_side(value: object) -> bool:
    """Whether a value is a valid height or width of an image in pixels."""
    return type(value) is int and 0 < value <= LONGEST


def whole_number(value: object) -> object:
    """Parse a whole number from the command line for a Literal field; return anything else unchanged."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 9 else value


class DataSpec(Config):
    """Shape of one row of a data set. Saved in the run folder, so that sampling needs no data."""

    dataset: str = Field(description="name of the data set")
    shapes: dict[str, tuple[int, ...]] = Field(description="shape of one row by field; images are C, H, W")
    classes: tuple[str, ...] = Field((), description="names of the classes, by label")

    @field_validator("shapes")
    @classmethod
    def _check(cls, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        for name, shape in shapes.items():
            image = name in ("image", "labelled_image", "source", "target")
            if not all(map(is_side, shape)) or (image and (len(shape) != 3 or shape[0] not in (1, 3, 4))):
                raise ValueError(f"'{name}' has the shape {shape}, which no data can have")
        if shapes.keys().isdisjoint(("image", "target")):
            raise ValueError("there is neither 'image' nor 'target', of which one says what images to make")
        return shapes

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images to generate."""
        channels, height, width = self.shapes["image" if "image" in self.shapes else "target"]
        return channels, height, width

    @property
    def source_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the source images."""
        channels, height, width = self.shapes["source"]
        return channels, height, width
