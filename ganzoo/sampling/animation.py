"""Videos and animations: GIF and WebP with Pillow, MP4 with ffmpeg, one frame at a time."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageOps

from ganzoo.errors import OptionError, UserError, check_installed
from ganzoo.sampling.output_files import written

FASTEST = {".gif": 50}
"""Largest frame rate by file extension: GIF viewers slow down faster ones."""


def write_film(out: Path, frames: Iterable[Image.Image], count: int, fps: int) -> None:
    """Write frames of one size as a .gif, .webp or .mp4, according to the extension of the path.

    GIF and WebP loop. An MP4 is written frame by frame; for the other formats, encoded frames are held in memory until
    the end.

    Args:
        out: path of the file.
        frames: frames in order.
        count: number of frames.
        fps: frames per second.

    Raises:
        UserError: if it cannot be written, or ffmpeg is missing.
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
    """Check the frame rate.

    Raises:
        OptionError: if viewers of the format would not show it.
    """
    most = FASTEST.get(out.suffix.lower(), fps)
    if fps > most:
        raise OptionError(f"option 'fps' cannot be {fps}: a GIF shows {most} frames a second at most")


def _durations(count: int, fps: int, tick: int) -> list[int]:
    """Return the duration of each frame, in ms and whole ticks; no frame starts more than half a tick off."""
    begins = [round(1000 * frame / fps / tick) * tick for frame in range(count + 1)]
    return [later - sooner for sooner, later in pairwise(begins)]


def _animation(draft: Path, frames: Iterator[Image.Image], form: str, **options: int | list[int]) -> None:
    first = next(frames)
    with draft.open("wb") as stream:  # Pillow would leave it open if a frame raises
        first.save(stream, form, save_all=True, append_images=frames, loop=0, **options)


def _need_ffmpeg() -> None:
    """Check that ffmpeg is available, before the first frame is made.

    Raises:
        UserError: if it is missing.
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
    # Every player supports H.264 in 4:2:0; crf 16 is visually lossless.
    quality = ["-crf", "16", "-movflags", "+faststart", "-f", "mp4"]
    writer = imageio_ffmpeg.write_frames(
        str(draft.absolute()),  # absolute, so that it is not taken for a flag or a URL
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
        for count, frame in enumerate(frames, 2):  # noqa: B007 - the count is compared below
            writer.send(_even(frame).tobytes())
    finally:
        writer.close()
    # The writer does not report ffmpeg's exit status, but a full disk shows in the number of frames.
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
    """Return a frame with a palette of 256 colors, without dithering; gray frames stay gray."""
    if all(channel.tobytes() == frame.getchannel(0).tobytes() for channel in frame.split()[1:]):
        return frame.getchannel(0)
    return frame.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _even(frame: Image.Image) -> Image.Image:
    """Return a frame with even sides, as 4:2:0 requires, by adding a white line."""
    return ImageOps.expand(frame, (0, 0, frame.width % 2, frame.height % 2), "white") if _odd(frame) else frame


def _odd(frame: Image.Image) -> bool:
    return bool(frame.width % 2 or frame.height % 2)
