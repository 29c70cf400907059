"""Tar archives that others made."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from ganzoo.data import archive, tar
from ganzoo.data.tar import contents, members
from ganzoo.errors import DataError


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, "1.png"
    return info


def pack(*infos: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as packed:
        for info in infos:
            packed.addfile(info, io.BytesIO(b"x" * info.size))
    return file.getvalue()


def read(content: bytes) -> list[tar.Member]:
    return members(contents(io.BytesIO(content), "a.tar"), "a.tar")


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("packed", [False, True])
def test_members_are_found_where_they_lie(form: int, packed: bool) -> None:
    long = "a" * 90 + "/" + "b" * 90
    content = pack(member("folder", tarfile.DIRTYPE), member("folder/1", size=3), member(long, size=600), form=form)
    whole = contents(io.BytesIO(gzip.compress(content) if packed else content), "a.tar")
    assert whole.getvalue() == content
    found = members(whole, "a.tar")
    assert [(file.name, file.size) for file in found] == [("folder/1", 3), (long, 600)]
    assert all(content[file.start : file.start + file.size] == b"x" * file.size for file in found)
    assert read(pack()) == []


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (member("../1.png"), r"member '../1.png': its name leads out of the archive"),
        (member("a/../../1.png"), r"its name leads out"),
        (member("a\\..\\1.png"), r"its name leads out"),
        (member("/etc/1.png"), r"member '/etc/1.png': its name leads out"),
        (member("C:\\1.png"), r"its name leads out"),
        (member("2.png", tarfile.SYMTYPE), r"member '2.png': it is no plain file: links"),
        (member("2.png", tarfile.LNKTYPE), r"is no plain file"),
        (member("2.png", tarfile.FIFOTYPE), r"is no plain file"),
        (member("2.png", tarfile.CHRTYPE), r"is no plain file"),
        (member("../folder", tarfile.DIRTYPE), r"its name leads out"),
        (member("2.png", size=101), r"member '2.png': it is of 101 bytes, unpacked; 100 are read"),
    ],
)
def test_evil_members_are_refused(info: tarfile.TarInfo, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBER", 100)
    content = pack(member("1.png", size=100), info)
    with pytest.raises(DataError, match=rf"'a.tar' is refused for its .*{message}"):
        read(content)
    assert len(read(pack(member("1.png", size=100)))) == 1


def test_names_that_only_look_evil_are_read() -> None:
    names = ["..1.png", "a..b/2.png", "./3.png", "...png"]
    assert [file.name for file in read(pack(*map(member, names)))] == names


def test_a_member_that_claims_more_than_there_is() -> None:
    content = bytearray(pack(member("1.png", size=600)))
    for claim in (archive.MEMBER, -512):
        forged = member("1.png")
        forged.size = claim
        content[:512] = forged.tobuf(tarfile.GNU_FORMAT)
        with pytest.raises(DataError, match=r"'a.tar' is (damaged|refused)"):
            read(bytes(content))


def test_bombs_are_refused_before_they_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "LARGEST_ARCHIVE", 2**22)
    bomb = io.BytesIO(gzip.compress(bytes(2**26)))  # 64 MiB in 64 KB
    with pytest.raises(DataError, match=r"'a.tgz' is refused: unpacked, it is more than 4,194,304 bytes"):
        contents(bomb, "a.tgz")
    many = io.BytesIO(pack(*(member(name, size=2**21) for name in "abc")))
    with pytest.raises(DataError, match=r"'a.tar' is refused: unpacked, it is more than 4,194,304 bytes"):
        members(many, "a.tar")


WHOLE = pack(member("1.png", size=600), member("2.png", size=600))
SECOND = 3 * tarfile.BLOCKSIZE  # where its header begins


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive" * 1000, WHOLE[:700], WHOLE[:SECOND], WHOLE[: SECOND + 512], WHOLE[: 2 * SECOND]],
    ids=["empty", "text", "in a member", "between members", "after a header", "before the end"],
)
def test_what_is_cut_short_is_not_taken_for_whole(content: bytes) -> None:
    with pytest.raises(DataError, match=r"'a.tar' is damaged"):
        read(content)


def test_a_damaged_header_does_not_end_an_archive_in_silence() -> None:
    assert len(read(WHOLE)) == 2
    with pytest.raises(DataError, match=r"'a.tar' is damaged, or was cut short, after '1.png'"):
        read(WHOLE[:SECOND] + b"!" + WHOLE[SECOND + 1 :])


def test_damaged_gzip() -> None:
    packed = gzip.compress(WHOLE)
    with pytest.raises(DataError, match=r"'a.tgz' is damaged: CRC"):
        contents(io.BytesIO(packed[:-8] + bytes(8)), "a.tgz")
    with pytest.raises(EOFError):
        contents(io.BytesIO(packed[:-20]), "a.tgz")


def test_an_archive_in_a_file_is_looked_through_without_being_read(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(WHOLE)
    with (tmp_path / "a.tar").open("rb") as file:
        assert [found.name for found in members(file, "a.tar")] == ["1.png", "2.png"]
