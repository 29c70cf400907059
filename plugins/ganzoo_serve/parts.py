"""The parts of the page that Gradio does not bring as they are needed here: a drawing pad, and a picture.

Both carry pictures inside of their values, as data URLs. So nothing that is uploaded or made is ever a file on the
server's disk, and the server needs no way to hand out files (see `ganzoo_serve.gate`). They are no classes: Gradio
writes a file beside the module of every class of components that it meets.
"""

import base64
import importlib.resources
import io
from typing import Any

import gradio
from PIL import Image

from ganzoo.data import HOLE
from ganzoo_serve.gate import mebibytes

PAD = """
<span class="label"></span>
<div class="pad"><canvas role="img" aria-label="drawing pad"></canvas><div class="hint"></div></div>
<div class="tools">
  <button type="button" class="choose">Choose a picture</button>
  <button type="button" class="eraser" aria-pressed="false">Eraser</button>
  <button type="button" class="undo">Undo</button>
  <button type="button" class="wipe">Clear</button>
</div>
<p class="said" role="status"></p>
<input type="file" accept="image/*,.tif,.tiff,.webp,.bmp,.ppm,.pgm" hidden>
"""
PICTURE = """
<span class="label"></span>
<figure class="made empty"><img alt=""></figure>
<div class="tools"><a class="save" download>Save as PNG</a></div>
"""


def pad(size: tuple[int, int], most_bytes: int, *, holes: bool, **options: Any) -> gradio.HTML:
    """Where one draws, or puts a picture; the value is `{"file": data URL, "name": ...}`. Event: `input`.

    Args:
        size: height and width of what the GAN is shown.
        most_bytes: how large a chosen file may be.
        holes: its pen cuts holes into a picture, in place of drawing lines.
        options: what every component of Gradio takes.
    """
    most = mebibytes(most_bytes)
    facts: dict[str, Any] = {"size": size, "holes": holes, "ink": HOLE, "most_bytes": most_bytes, "most": most}
    return gradio.HTML(html_template=PAD, js_on_load=text_of("pad.js"), **facts, **options)


def picture(label: str, **options: Any) -> gradio.HTML:
    """A picture that can be saved; the value is `{"file": data URL, "name": ..., "words": what is to be seen}`."""
    return gradio.HTML(html_template=PICTURE, js_on_load=text_of("picture.js"), label=label, **options)


def packed(image: Image.Image, name: str, words: str) -> dict[str, str]:
    """A picture as the value of a `picture`: a PNG without loss."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    content = base64.b64encode(stream.getvalue()).decode("ascii")
    return {"file": f"data:image/png;base64,{content}", "name": name, "words": words}


def text_of(name: str) -> str:
    """A file of this package."""
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
