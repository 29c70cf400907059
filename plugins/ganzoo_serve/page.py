"""The page of a trained GAN, built from what it takes: noise, classes, captions or images."""

import html
import logging
from collections.abc import Callable
from typing import Any, TypeAlias

import gradio as gr

from ganzoo import TrainedGAN
from ganzoo.errors import UserError, no_exit
from ganzoo.words import COLOURS
from ganzoo_serve.maker import MOST, STEPS, PageBackend
from ganzoo_serve.parts import packed, pad, picture, text_of
from ganzoo_serve.quiet import quietly

Options: TypeAlias = dict[str, Any]
ALL = "all"
ONE_AT_A_TIME: Options = {"concurrency_id": "gan", "concurrency_limit": 1, "show_progress": "minimal"}
"""All requests wait in one line: torch has threads to make one image fast, not many at once."""
LATEST: Options = {**ONE_AT_A_TIME, "trigger_mode": "always_last", "show_progress": "hidden"}
"""What follows a slider or a pen: of what piles up while one image is made, only the last is asked for."""

log = logging.getLogger(__name__)


def page(maker: PageBackend, queue: int) -> gr.Blocks:
    """The page, ready to be served.

    Args:
        maker: what answers it.
        queue: how many requests may wait; one more is refused.
    """
    return quietly(lambda: _page(maker, queue))


def _page(maker: PageBackend, queue: int) -> gr.Blocks:
    trained = maker.trained
    with gr.Blocks(title=f"{trained.gan.name} · ganzoo", analytics_enabled=False) as blocks:
        gr.HTML(about(trained), elem_id="about")
        if trained.takes_images:
            _translation(maker)
        elif trained.gan.noise_shape():
            with gr.Tab("Images"):
                _images(maker, blocks)
            with gr.Tab("Between two seeds") as tab:
                _between(maker, tab)
        else:
            _images(maker, blocks)
    return blocks.queue(max_size=queue, default_concurrency_limit=1, api_open=False)


def about(trained: TrainedGAN) -> str:
    """What it is, by whom, and what it was trained on: HTML. Names may come from a run folder that anybody wrote."""
    gan, data = trained.gan, trained.data
    channels, height, width = data.shape
    made_by = f" as {trained.sources_made_as}" if trained.sources_made_as else ""
    facts = [f"trained on {data.dataset}{made_by}", f"{height} x {width}, {COLOURS[channels]}"]
    facts += [f"iteration {trained.iteration:,}", f"on {trained.device}"]
    paper = html.escape(type(gan).paper())
    return (
        f"<h1>{html.escape(gan.name)}</h1><p>{html.escape(type(gan).summary())}</p>"
        f'<p class="facts">{paper}</p><p class="facts">{html.escape(" · ".join(facts))}</p>'
    )


def _images(maker: PageBackend, blocks: gr.Blocks) -> None:
    def make(seed: Any, count: Any, chosen: Any, text: Any, *turns: Any) -> Any:
        made = maker.images(seed, count, _chosen(chosen), text, *turns)
        words = f"{count} images by {maker.trained.gan.name}, seed {seed}"
        return packed(made, f"{maker.trained.gan.name}-seed-{seed}.png", words)

    text = _caption(maker)
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=260):
            chosen = _class(maker, everything=True)
            seed = _seed("Seed", 0)
            another = gr.Button("Another seed", size="sm")
            count = gr.Slider(1, MOST, value=_count(maker), step=1, label="Images")
            turns = _knobs(maker)
            button = gr.Button("Make images", variant="primary")
        with gr.Column(scale=2, min_width=300):
            shown = picture("", elem_id="images")
    values = [seed, count, chosen, text, *turns]
    ask: Options = {"fn": answered(make), "inputs": values, "outputs": shown}
    button.click(**ask, **ONE_AT_A_TIME, api_name="images")
    another.click(None, None, seed, js="() => Math.floor(Math.random() * 2 ** 31)", api_visibility="private")
    changes = [seed.change, count.change, chosen.change, *(part.change for part in turns)]
    gr.on([text.submit if text.visible else blocks.load, *changes], **ask, **LATEST, api_visibility="private")


def _between(maker: PageBackend, tab: gr.Tab) -> None:
    def make(first: Any, second: Any, share: Any, chosen: Any, text: Any, *turns: Any) -> Any:
        made = maker.between(first, second, share, _chosen(chosen), text, *turns)
        name = maker.trained.gan.name
        return packed(made, f"{name}-{first}-{second}-{share}.png", f"{share} of the way from {first} to {second}")

    def whole(first: Any, second: Any, share: Any, chosen: Any, text: Any, *turns: Any) -> tuple[Any, Any]:
        way = maker.way(first, second, _chosen(chosen), text, *turns)
        words = f"{STEPS} steps from {first} to {second}"
        one = make(first, second, share, chosen, text, *turns)
        return one, packed(way, f"{maker.trained.gan.name}-{first}-to-{second}.png", words)

    text = _caption(maker)
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=260):
            chosen = _class(maker, everything=False)
            with gr.Row():
                first, second = _seed("From seed", 0), _seed("To seed", 1)
            share = gr.Slider(0, 1, value=0.5, step=0.01, label="Between them")
            turns = _knobs(maker)
        with gr.Column(scale=2, min_width=300):
            shown = picture("", elem_id="between")
    way = picture("The whole way", elem_id="way")
    values = [first, second, share, chosen, text, *turns]
    share.input(answered(make), values, shown, **LATEST, api_name="between")
    fresh = [first.change, second.change, chosen.change, *(part.change for part in turns)]
    fresh.append(text.submit if text.visible else tab.select)
    gr.on(fresh, answered(whole), values, [shown, way], **LATEST, api_name="way")


def _translation(maker: PageBackend) -> None:
    def make(upload: Any, *turns: Any) -> tuple[Any, Any]:
        seen, made = maker.translated(upload, *turns)
        name = maker.trained.gan.name
        return packed(made, f"{name}.png", f"what {name} makes of it"), packed(seen, "seen.png", "what it is shown")

    holes = maker.trained.sources_made_as == "masked"
    _, height, width = maker.trained.data.source_shape
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            drawing = pad(
                (height, width),
                maker.most_bytes,
                holes=holes,
                label="Cut holes into a picture" if holes else "Draw, or choose a picture",
                elem_id="pad",
            )
            turns = _knobs(maker)
        with gr.Column(min_width=300):
            made = picture(f"What {maker.trained.gan.name} makes of it", elem_id="made")
    with gr.Accordion("What it is shown", open=False), gr.Row():
        as_shown = "as it is" if maker.trained.gan.any_size else f"scaled and cut to {height} x {width}"
        seen = picture(as_shown, elem_id="seen")
    ask: Options = {"fn": answered(make), "inputs": [drawing, *turns], "outputs": [made, seen]}
    given = drawing.input(**ask, **LATEST, api_name="translate")
    # What was made of another picture would be taken for what was made of this one.
    given.failure(None, None, [made, seen], js="() => [null, null]", api_visibility="private")
    for part in turns:
        part.change(**ask, **LATEST, api_visibility="private")


def answered(work: Callable[..., Any]) -> Callable[..., Any]:
    """`work`, whose errors become messages on the page: a mistake in what was asked as it is said, a fault in short."""

    def answer(*values: Any) -> Any:
        try:
            with no_exit():
                return work(*values)
        except UserError as error:
            raise gr.Error(html.escape(str(error), quote=False), print_exception=False) from error
        except Exception as error:
            log.exception("a request failed")
            raise gr.Error(
                "This cannot be made: an error of the program, not of yours; the terminal of `ganzoo serve` says more.",
                print_exception=False,
            ) from error

    return answer


def _caption(maker: PageBackend) -> gr.Textbox:
    takes = maker.trained.takes_text
    most = maker.trained.data.shapes["caption"][0] if takes else None
    info = f"up to {most} bytes: a plain letter is one, others are two to four" if takes else None
    return gr.Textbox(None, label="Caption", info=info, placeholder="what to show", visible=takes, elem_id="caption")


def _class(maker: PageBackend, *, everything: bool) -> gr.Dropdown:
    names: list[tuple[str, int | str]] = [(name, number) for number, name in enumerate(maker.classes)]
    choices = [("all classes", ALL), *names] if everything else names
    first = choices[0][1] if choices else None
    return gr.Dropdown(choices, value=first, label="Class", visible=bool(names))


def _chosen(value: object) -> Any:
    return None if value in (ALL, None, "") else value


def _seed(label: str, value: int) -> gr.Number:
    # Without bounds: what Gradio refuses by itself it writes to the terminal as if it were a fault.
    return gr.Number(value, label=label, step=1, min_width=90)


def _count(maker: PageBackend) -> int:
    if maker.trained.takes_text:
        return 9
    return min(MOST, 4 * len(maker.classes)) if 1 < len(maker.classes) <= MOST else 16


def _knobs(maker: PageBackend) -> list[gr.Slider]:
    return [
        gr.Slider(
            knob.lowest, knob.highest, knob.value, step=knob.step, label=knob.name.capitalize(), info=knob.help or None
        )
        for knob in maker.knobs
    ]


def looks() -> dict[str, Any]:
    """How the page looks: fonts of the computer that it is seen on, so that none are fetched."""
    fonts = ("system-ui", "-apple-system", "Segoe UI", "sans-serif")
    hues: Options = {"primary_hue": "teal", "secondary_hue": "teal", "neutral_hue": "zinc"}
    theme = gr.themes.Base(**hues, font=fonts, font_mono=("ui-monospace", "monospace")).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
    )
    return {"theme": theme, "css": text_of("page.css")}
