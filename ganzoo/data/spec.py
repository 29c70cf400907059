"""What a network must know of its data."""

from pydantic import Field

from ganzoo.config import Config


class DataSpec(Config):
    """The shape of one row of a data set. Kept in the run folder, so that generating needs no data."""

    dataset: str = Field(description="the name of the data set")
    shapes: dict[str, tuple[int, ...]] = Field(description="field to the shape of one row: images are C, H, W")
    classes: tuple[str, ...] = Field((), description="what the labels mean, by number")

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
