"""`ganzoo serve` under load: `python -m benchmarks.serve RUN`. Is every request answered, rightly, and how soon?

Clients, each in a thread, ask one request after another for one image of a seed that nobody else asks for.
Every image that comes back is compared with what `generate` makes of that seed, byte for byte.
"""

import argparse
import base64
import http.client
import io
import json
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from ganzoo_serve.knobs import knobs
from PIL import Image
from pytest_benchmark.utils import get_commit_info

from ganzoo.api import load
from ganzoo.base.environment import environment
from ganzoo.pictures import to_picture
from ganzoo.sampling.trained import TrainedGAN

REQUESTS, CLIENTS = 200, 8


class Client:
    """Asks as the page's own script does: a request is put into the queue, and its answer is waited for."""

    def __init__(self, address: str, name: str) -> None:
        self.line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        self.name = name
        parts = json.loads(self.answer("GET", "/config"))["dependencies"]
        self.images = next(part["id"] for part in parts if part["api_name"] == "images")

    def answer(self, method: str, path: str, content: object = None) -> bytes:
        """What is answered.

        Raises:
            RuntimeError: the request was refused.
        """
        body = None if content is None else json.dumps(content)
        self.line.request(method, path, body, {"Content-Type": "application/json"})
        answer = self.line.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {said.decode()}")
        return said

    def image(self, seed: int, *values: object) -> bytes:
        """The PNG of a seed's first image.

        Raises:
            RuntimeError: the request was refused, or came to nothing.
        """
        session = f"{self.name}x{seed}"
        request = {"data": [seed, 1, *values], "fn_index": self.images, "session_hash": session}
        self.answer("POST", "/gradio_api/queue/join", request)
        for line in self.answer("GET", f"/gradio_api/queue/data?session_hash={session}").splitlines():
            told = json.loads(line[5:]) if line.startswith(b"data:") else {}
            if told.get("msg") == "process_completed" and told["success"]:
                return base64.b64decode(told["output"]["data"][0]["file"].partition(",")[2])
        raise RuntimeError(f"seed {seed} came to nothing")


def ask(address: str, trained: TrainedGAN, requests: int = REQUESTS, clients: int = CLIENTS) -> dict[str, Any]:
    """Asks for images at an address, and says how many came back, how many were right, and after how many seconds.

    Raises:
        RuntimeError: a request was refused, or came to nothing.
    """
    turns = [knob.value for knob in knobs(trained)]
    chosen, text = "all" if trained.takes_classes else None, "one" if trained.takes_text else None

    def share(number: int) -> list[tuple[int, float, bytes]]:
        client, answers = Client(address, f"client{number}"), []
        for seed in range(number, requests, clients):
            begun = time.perf_counter()
            packed = client.image(seed, chosen, text, *turns)
            answers.append((seed, time.perf_counter() - begun, packed))
        client.line.close()
        return answers

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        answers = [answer for part in threads.map(share, range(clients)) for answer in part]
    whole = time.perf_counter() - begun
    right = 0
    for seed, _, packed in answers:
        expected = to_picture(trained.generate(1, seed=seed, text=text)[0])
        right += Image.open(io.BytesIO(packed)).tobytes() == expected.tobytes()
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
    command = [sys.executable, "-m", "ganzoo", "serve", str(given.run), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:  # noqa: S603 - our own words
        assert serving.stdout is not None
        address = next(word for word in serving.stdout.readline().split() if word.startswith("http://"))
        try:
            ask(address, trained, requests=CLIENTS)  # the first ones wait for what is made only once
            measured = ask(address, trained)
        finally:
            serving.send_signal(signal.SIGINT)
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
        "machine_info": {**environment(), **{name: version(name) for name in ("gradio", "uvicorn")}},
        "commit_info": {name: commit[name] for name in ("id", "time", "dirty")},
        "benchmarks": [{"name": "serve", "extra_info": facts}],
    }
    print(json.dumps(facts, indent=2))  # noqa: T201 - a command of its own
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
