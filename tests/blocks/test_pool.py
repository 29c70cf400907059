"""The pool of earlier fakes: what it gives back, and what it keeps."""

import torch
from torch import Tensor

from ganzoo.blocks import ReplayPool
from ganzoo.testing.cpu_recorder import CPURecorder


def numbered(*numbers: int) -> Tensor:
    """Images of one pixel each."""
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1)


def numbers(images: Tensor) -> list[int]:
    return [int(value) for value in images.flatten()]


def test_until_it_is_full_it_keeps_and_gives_back_what_it_is_given() -> None:
    pool = ReplayPool((1, 1, 1), size=5)
    assert numbers(pool(numbered(1, 2))) == [1, 2]
    assert int(pool.filled) == 2
    assert numbers(pool.images) == [1, 2, 0, 0, 0]
    assert numbers(pool(numbered(3, 4, 5))) == [3, 4, 5]
    assert numbers(pool.images) == [1, 2, 3, 4, 5]
    assert int(pool.filled) == 5


def test_a_batch_that_fills_it_over_comes_back_whole() -> None:
    pool = ReplayPool((1, 1, 1), size=3)
    pool(numbered(1, 2))
    assert numbers(pool(numbered(3, 4))) == [3, 4]
    assert sorted(numbers(pool.images)) == [2, 3, 4]


def test_once_it_is_full_no_image_is_lost_and_none_is_doubled() -> None:
    torch.manual_seed(0)
    pool = ReplayPool((1, 1, 1), size=8)
    pool(numbered(*range(1, 9)))
    held, earlier = set(range(1, 9)), 0
    for call in range(50):
        given = {10 * call + 100 + number for number in range(4)}
        back = set(numbers(pool(numbered(*sorted(given)))))
        kept = set(numbers(pool.images))
        assert len(back) == 4
        assert len(kept) == 8
        assert back | kept == held | given
        earlier += len(back - given)
        held = kept
    assert 60 < earlier < 140  # of 200, half


def test_a_batch_larger_than_it_passes_through_in_part() -> None:
    torch.manual_seed(0)
    pool = ReplayPool((1, 1, 1), size=2)
    pool(numbered(1, 2))
    for _ in range(10):
        before = set(numbers(pool.images))
        back = numbers(pool(numbered(11, 12, 13, 14)))
        assert back[2:] == [13, 14]
        assert set(back[:2]) <= before | {11, 12}


def test_none_of_it_without_room_or_in_evaluation_mode() -> None:
    assert numbers(ReplayPool((1, 1, 1), size=0)(numbered(1, 2))) == [1, 2]
    pool = ReplayPool((1, 1, 1), size=2).eval()
    assert numbers(pool(numbered(1, 2))) == [1, 2]
    assert not pool.images.any()


def test_what_it_gives_has_no_graph_and_its_state_is_saved() -> None:
    pool = ReplayPool((1, 1, 1), size=2)
    assert not pool(numbered(1, 2).requires_grad_()).requires_grad
    other = ReplayPool((1, 1, 1), size=2)
    other.load_state_dict(pool.state_dict())
    assert numbers(other.images) == [1, 2]
    assert int(other.filled) == 2


def test_it_can_be_recorded_though_it_fills_on_the_way() -> None:
    pool, given = ReplayPool((1, 1, 1), size=4), numbered(0, 0)

    def call() -> dict[str, Tensor]:
        return {"back": pool(given)}

    assert not CPURecorder().rehearse(call)[1]
    recording = CPURecorder().record(call)
    assert int(pool.filled) == 4  # two calls of two
    recording.make()  # the first replay is the call that was recorded
    torch.manual_seed(0)
    earlier = 0
    for number in range(1, 21):
        given.fill_(number)
        earlier += sum(value != number for value in numbers(recording.make()["back"]))
    assert int(pool.filled) == 4
    assert 8 < earlier < 32  # of 40, half
