"""Cores and memory: what the machine is asked, and what is done about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganzoo.base import system
from ganzoo.base.system import MIB, available_cores, free_memory, held_to_free_memory

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads what Linux tells of a process")


def in_a_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2)])
def test_a_containers_share_of_the_cores_is_respected(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(system, "GROUP", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert available_cores() == cores


@LINUX
def test_a_containers_share_of_the_memory_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(f"{100 * MIB}\n")
    (tmp_path / "memory.current").write_text(f"{90 * MIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon 1\ninactive_file {40 * MIB}\nactive_file {10 * MIB}\nslab 5\n")
    monkeypatch.setattr(system, "GROUP", tmp_path)
    assert free_memory() == 60 * MIB


@pytest.mark.process
@LINUX
def test_too_large_an_allocation_fails_within_and_the_limit_is_as_before_after() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    free = free_memory()
    assert free is not None
    with held_to_free_memory(), pytest.raises(RuntimeError, match="can't allocate memory"):
        torch.empty(2 * free, dtype=torch.uint8)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@pytest.mark.process
@LINUX
def test_the_peak_is_that_since_it_was_reset() -> None:
    code = """if True:
        import torch
        from ganzoo.base import system
        cpu = torch.device("cpu")
        torch.ones(64, system.MIB)
        before = system.peak(cpu)
        system.reset_peak(cpu)
        after = system.peak(cpu)
        torch.ones(16, system.MIB)
        print(before - after > 200 * system.MIB, 60 * system.MIB < system.peak(cpu) - after < 80 * system.MIB)
    """
    assert in_a_new_process(code) == "True True"


@pytest.mark.process
@LINUX
def test_freed_memory_is_kept_and_given_back_when_asked() -> None:
    code = """if True:
        import resource, sys, torch
        from ganzoo.base import system
        if sys.argv[1:] == ["keep"]:
            system.keep_freed_memory()
        torch.ones(64, system.MIB)
        faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        before = faults()
        torch.ones(64, system.MIB)
        made = faults() - before
        system.reset_peak(torch.device("cpu"))
        held = system.peak(torch.device("cpu"))
        system.release_freed_memory()
        system.reset_peak(torch.device("cpu"))
        print(made < 1000, held - system.peak(torch.device("cpu")) > 200 * system.MIB)
    """
    env = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"}  # set by other tests
    done = [
        subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, env=env
        ).stdout.strip()
        for words in ([], ["keep"])
    ]
    assert done == ["False False", "True True"]
