"""Films: GIF and WebP by Pillow, MP4 by ffmpeg, a frame at a time."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageOps

from ganzoo.errors import OptionError, UserError, check_installed
from ganzoo.sampling.output_files import written

FASTEST = {".gif": 50}
"""Frames a second at most, by ending: what is faster, viewers of GIF slow down."""


def write_film(out: Path, frames: Iterable[Image.Image], count: int, fps: int) -> None:
    """So many frames of one size as a film in the format of the path's ending: .gif, .webp or .mp4.

    GIF and WebP begin again at their end.
    An MP4 is written frame by frame; of the others, the frames are held as bytes until all are there.

    Raises:
        UserError: it cannot be written, or there is no ffmpeg.
    """
    ending = out.suffix.lower()
    if ending == ".mp4":
        _need_ffmpeg()
    with written(out) as draft:
        draft.touch()
        opaque = map(_on_white, frames)
        if ending == ".mp4":
            _video(draft, opaque, fps)
        elif ending == ".gif":
            _animation(draft, map(_in_palette, opaque), "GIF", duration=_durations(count, fps, 10))
        else:
            _animation(draft, opaque, "WEBP", duration=_durations(count, fps, 1), quality=90)


def check_fps(out: Path, fps: int) -> None:
    """Refuses what viewers would not show.

    Raises:
        OptionError: so many frames a second are too many.
    """
    most = FASTEST.get(out.suffix.lower(), fps)
    if fps > most:
        raise OptionError(f"option 'fps' cannot be {fps}: a GIF shows {most} frames a second at most")


def _durations(count: int, fps: int, tick: int) -> list[int]:
    """Milliseconds of each frame, in whole ticks: none begins farther than half a tick from when it should."""
    begins = [round(1000 * frame / fps / tick) * tick for frame in range(count + 1)]
    return [later - sooner for sooner, later in pairwise(begins)]


def _animation(draft: Path, frames: Iterator[Image.Image], form: str, **options: int | list[int]) -> None:
    first = next(frames)
    with draft.open("wb") as stream:  # which Pillow would leave open where a frame cannot be made
        first.save(stream, form, save_all=True, append_images=frames, loop=0, **options)


def _need_ffmpeg() -> None:
    """Sees to it that there is an ffmpeg before the first frame is made.

    Raises:
        UserError: there is none.
    """
    check_installed("an MP4", "video", "imageio_ffmpeg")
    import imageio_ffmpeg

    try:
        imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise UserError("an MP4 needs ffmpeg, which is missing; try a .gif or .webp as --out") from error


def _video(draft: Path, frames: Iterator[Image.Image], fps: int) -> None:
    import imageio_ffmpeg

    first = _even(next(frames))
    # H.264 in 4:2:0 is what every player takes; 16 is a quality at which no difference is seen.
    quality = ["-crf", "16", "-movflags", "+faststart", "-f", "mp4"]
    writer = imageio_ffmpeg.write_frames(
        str(draft.absolute()),  # which is no flag, and no address
        first.size,
        fps=fps,
        codec="libx264",
        quality=None,
        macro_block_size=1,
        ffmpeg_log_level="quiet",
        output_params=quality,
    )
    count = 1
    try:
        writer.send(None)
        writer.send(first.tobytes())
        for count, frame in enumerate(frames, 2):  # noqa: B007 - how many there were is looked at below
            writer.send(_even(frame).tobytes())
    finally:
        writer.close()
    # It does not say how ffmpeg ended: a full disk shows in what is there.
    try:
        whole = imageio_ffmpeg.count_frames_and_secs(str(draft.absolute()))[0] == count
    except RuntimeError:
        whole = False
    if not whole:
        raise OSError("ffmpeg could not write the film; is the disk full?")


def _on_white(frame: Image.Image) -> Image.Image:
    if frame.mode == "RGBA":
        frame = Image.alpha_composite(Image.new("RGBA", frame.size, "white"), frame)
    return frame.convert("RGB")


def _in_palette(frame: Image.Image) -> Image.Image:
    """A frame in 256 colours of its own: its greys, if it has no others, else the nearest, without a grain."""
    if all(channel.tobytes() == frame.getchannel(0).tobytes() for channel in frame.split()[1:]):
        return frame.getchannel(0)
    return frame.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _even(frame: Image.Image) -> Image.Image:
    """A frame whose sides are even, as those of 4:2:0 are: a white line is added."""
    return ImageOps.expand(frame, (0, 0, frame.width % 2, frame.height % 2), "white") if _odd(frame) else frame


def _odd(frame: Image.Image) -> bool:
    return bool(frame.width % 2 or frame.height % 2)
