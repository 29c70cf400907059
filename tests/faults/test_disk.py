"""Disks that are full or read-only: a plain message, and nothing of what was saved is lost."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).with_name("disk.py")
CAN_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0
)


@pytest.mark.skipif(not CAN_MOUNT, reason="needs a mount namespace of its own (unshare -rm)")
def test_a_full_and_a_read_only_disk_are_told_plainly_and_what_was_saved_stays(place: Path) -> None:
    disk = place / "disk"
    disk.mkdir()
    words = ["unshare", "-rm", sys.executable, str(SCRIPT), str(disk)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)

    status, said = result["full"]
    assert status == 2, said
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert f"the last checkpoint is of iteration {result['kept']}: mend that, then" in said
    assert result["kept"] >= 2
    assert result["drafts"] == []

    for case in ("read-only", "new in read-only"):
        status, said = result[case]
        assert status == 2, said
        assert "Read-only file system" in said
        assert "Traceback" not in said
    assert result["generate from read-only"] == [0, ""]
    assert (place / "four.png").stat().st_size > 100

    assert result["mended"] == [0, ""]
    assert result["end"] == 32
