"""`ganzoo serve` under load: `python -m benchmarks.serve RUN`. Is every request answered, rightly, and how soon?

Clients of Gradio's own, each in a thread, ask one after another for one image of a seed that nobody else asks for.
Every image that comes back is compared with what `generate` makes of that seed, byte for byte.
"""

import argparse
import base64
import io
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gradio_client
import torch
from PIL import Image
from pytest_benchmark.utils import get_commit_info

from ganzoo.api import TrainedGAN, load
from ganzoo.environment import environment
from ganzoo.pictures import to_picture
from ganzoo.web.maker import Maker
from ganzoo.web.page import page
from ganzoo.web.server import served, take

REQUESTS, CLIENTS, UPLOAD = 200, 8, 10 * 2**20


def ask(address: str, trained: TrainedGAN, requests: int = REQUESTS, clients: int = CLIENTS) -> dict[str, Any]:
    """Asks for images at an address, and says how many came back, how many were right, and after how many seconds.

    Raises:
        Exception: whatever the client raises, of a request that is not answered.
    """
    turns = [knob.value for knob in Maker(trained, UPLOAD).knobs]
    chosen, text = "all" if trained.takes_classes else None, "one" if trained.takes_text else None

    def share(number: int) -> list[tuple[int, float, bytes]]:
        client = gradio_client.Client(address, verbose=False, analytics_enabled=False)
        answers = []
        for seed in range(number, requests, clients):
            begun = time.perf_counter()
            made = client.predict(seed, 1, chosen, text, *turns, api_name="/images")
            seconds = time.perf_counter() - begun
            packed = base64.b64decode(made["file"].partition(",")[2])
            answers.append((seed, seconds, Image.open(io.BytesIO(packed)).tobytes()))
        client.close()
        return answers

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        answers = [answer for part in threads.map(share, range(clients)) for answer in part]
    whole = time.perf_counter() - begun
    right = 0
    for seed, _, pixels in answers:
        right += pixels == to_picture(trained.generate(1, seed=seed, text=text)[0]).tobytes()
    seconds = sorted(seconds for _, seconds, _ in answers)
    return {
        "requests": requests,
        "clients": clients,
        "answered": len(answers),
        "right": right,
        "seconds_median": round(statistics.median(seconds), 4),
        "seconds_p95": round(seconds[int(0.95 * len(seconds))], 4),
        "seconds_max": round(seconds[-1], 4),
        "requests_per_second": round(len(answers) / whole, 2),
    }


def main() -> None:
    """Measures, prints, and writes a result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a run folder of a GAN that makes images from noise")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--note", default="", help="what else is to be known of this measurement")
    given = parser.parse_args()
    trained = load(given.run)
    with served(page(Maker(trained, UPLOAD), None, 32), take("127.0.0.1", 0), UPLOAD) as address:
        ask(address, trained, requests=CLIENTS)  # the first ones wait for what is made only once
        measured = ask(address, trained)
    facts = {
        "command": f"python -m benchmarks.serve RUN, a run of {trained.gan.name}",
        "gan": trained.gan.name,
        "images": " x ".join(map(str, trained.data.shape)),
        "device": str(trained.device),
        "threads": torch.get_num_threads(),
        **measured,
        "note": given.note,
    }
    commit = get_commit_info("ganzoo")
    result = {  # in the form of pytest-benchmark, as all results are kept
        "machine_info": {**environment(), **{name: version(name) for name in ("gradio", "gradio_client", "uvicorn")}},
        "commit_info": {name: commit[name] for name in ("id", "time", "dirty")},
        "benchmarks": [{"name": "serve", "extra_info": facts}],
    }
    print(json.dumps(facts, indent=2))  # noqa: T201 - a command of its own
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
