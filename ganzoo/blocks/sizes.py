"""What data a network takes, and what it says of other data."""

from ganzoo.contract.data_spec import DataSpec
from ganzoo.errors import DataError, SizeError, typed


def check_size(network: str, shape: tuple[int, int, int], *, multiple: int, least: int) -> None:
    """Refuses images whose sides are too short or cannot be halved as often as the network needs.

    Args:
        network: its name, for the message.
        shape: channels, height and width of the images.
        multiple: of which both sides must be multiples.
        least: the shortest side allowed, a multiple of `multiple`.

    Raises:
        SizeError: naming the nearest sizes that work.
    """
    _, height, width = shape
    if all(side >= least and side % multiple == 0 for side in (height, width)):
        return
    rules = [f"multiples of {multiple}"] * (multiple > 1) + [f"at least {least}"] * (least > multiple)
    smaller = [max(least, side // multiple * multiple) for side in (height, width)]
    larger = [max(least, -(-side // multiple) * multiple) for side in (height, width)]
    sizes = dict.fromkeys(f"{high}x{wide}" for high, wide in (smaller, larger))
    raise SizeError(
        f"images of {height} x {width} pixels do not fit {network}: height and width must be {' and '.join(rules)}; "
        f"try --image-size {' or '.join(sizes)}"
    )


def check_classes(gan: str, data: DataSpec) -> int:
    """How many classes the data has, for a GAN that tells them apart.

    Args:
        gan: its name, for the message.
        data: what it is to be trained on.

    Raises:
        DataError: there are fewer than two.
    """
    if len(data.classes) > 1:
        return len(data.classes)
    found = f"only the class {typed(data.classes[0])}" if data.classes else "no classes"
    raise DataError(
        f"'{gan}' needs images of two classes or more, and '{data.dataset}' has {found}; try --data mnist, or "
        "--data folder:PATH with a sub-folder for each class"
    )
