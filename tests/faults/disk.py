"""A disk that is full, then read-only, then mended, in a mount namespace of its own (`unshare -rm`).

Prints what the commands said and ended with, as JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

from ganzoo.runs.checkpoint import newest

LINE = (
    "run dcgan --image-size 16 --limit 64 --batch-size 4 --epochs 2 --checkpoint-every 2 --keep-last 100 --log-every 4"
)


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def ganzoo(*words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "ganzoo", *words], capture_output=True, text=True)
    return done.returncode, done.stderr


def taken(run: Path) -> int:
    """The iteration of the checkpoint that the run would go on from."""
    found = newest(run / "checkpoints")
    return int(found[0].name) if found else 0


def main(disk: Path) -> dict[str, object]:
    run = disk / "run"
    result: dict[str, object] = {}
    mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk))
    result["full"] = ganzoo(*LINE.split(), "--out", str(run))
    result["kept"] = taken(run)
    result["drafts"] = [path.name for path in (run / "checkpoints").glob(".*")]
    mount("-o", "remount,ro", str(disk))
    result["read-only"] = ganzoo("resume", str(run))
    result["new in read-only"] = ganzoo(*LINE.split(), "--out", str(disk / "other"))
    result["generate from read-only"] = ganzoo("generate", str(run), "-n", "4", "-o", str(disk.parent / "four.png"))
    mount("-o", "remount,rw,size=400m", str(disk))
    result["mended"] = ganzoo("resume", str(run))
    result["end"] = taken(run)
    return result


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))  # noqa: T201 - its answer
