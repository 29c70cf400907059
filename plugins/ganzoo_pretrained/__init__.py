"""Trained weights that ship with ganzoo: each folder here that `ganzoo export` made, under its own name."""

from pathlib import Path

import ganzoo

HERE = Path(__file__).parent


@ganzoo.hookimpl
def register_pretrained(register: ganzoo.Register) -> None:
    for export in sorted(HERE.glob("*/export.json")):
        register(ganzoo.PretrainedGAN(export.parent.name, export.parent))
