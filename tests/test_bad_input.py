"""What bad input gets: an error on one or two lines, exit status 2, nothing written and nothing lost."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from refusals import refused
from shared import Answer, Command

SMALL = "--image-size 16 --limit 8 --batch-size 4 --epochs 1"


@pytest.fixture(scope="module")
def lying_about(tmp_path_factory: pytest.TempPathFactory, runs: Path) -> Path:
    """What people have lying about. Not to be changed, as is proved of every line that is typed in it."""
    place = tmp_path_factory.mktemp("mess")
    for folder in ("images", "empty", "broken", "full", "pairs/A", "pairs/B", "twins"):
        (place / folder).mkdir(parents=True)
    for number in range(4):
        picture = Image.new("RGB", (20, 20), (60 * number, 0, 0))
        for file in (
            f"images/{number}.png",
            f"broken/{number}.png",
            f"pairs/A/{number}.png",
            f"pairs/B/{number + 1}.png",
        ):
            picture.save(place / file)
    (place / "broken" / "half.png").write_bytes((place / "images" / "0.png").read_bytes()[:40])
    shutil.copy(place / "images" / "0.png", place / "twins" / "same.png")
    Image.new("RGB", (20, 20)).save(place / "twins" / "same.bmp")
    (place / "text.txt").write_text("not a picture")
    (place / "full" / "thesis.tex").write_text("years of work")
    shutil.copytree(runs / "dcgan", place / "old")
    return place


@pytest.fixture
def mess(lying_about: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with what people have lying about."""
    monkeypatch.chdir(lying_about)
    return lying_about


NAMES = [
    ("run dcgn", "no GAN is called 'dcgn'; did you mean 'dcgan'?"),
    ("info pix2pics", "no GAN is called 'pix2pics'; did you mean 'pix2pix'?"),
    ("run zzz", "no GAN is called 'zzz'; there are: acgan, "),
    ("run dcgan --loss nope", "no loss is called 'nope'; there are: cross-entropy, hinge, "),
    ("run dcgan --loss wasserstien", "no loss is called 'wasserstien'; did you mean 'wasserstein'?"),
    ("run dcgan --loss ", "no loss is called ''; there are: cross-entropy, "),
    ("run dcgan --optimizer adan", "no optimizer is called 'adan'; did you mean 'adam'?"),
    ("run dcgan --data nope", "no data set is called 'nope'; there are: ", "mnist, openmoji"),
    ("run dcgan --data mnst", "no data set is called 'mnst'; did you mean 'mnist'?"),
    ("run dcgan --recipe nope", "no recipe of dcgan is called 'nope'; there are: chapter, gpu, paper, quick"),
    ("run lsgan --player nobody.lr=1", "no player is called 'nobody'; there are: discriminator, generator"),
    ("run dcgan --player discriminator.beta=1", "'discriminator.beta'; did you mean 'discriminator.betas'?"),
    ("run dcgan --player discriminator.zzz=1", "'discriminator.zzz'; there are: discriminator.betas, "),
    (
        "run dcgan --loss.penalty 3",
        "no option of the loss 'cross-entropy' is called 'penalty'",
        "option of wasserstein-gp",
    ),
    (
        "run dcgan --loss hinge --loss.penalty 3",
        "the loss 'hinge' is called 'penalty'; this is an option of wasserstein-gp",
    ),
    (
        "run dcgan --optimizer rmsprop --optimizer.betas 0,1",
        "the optimizer 'rmsprop' is called 'betas'",
        "option of adam",
    ),
    ("run dcgan --data mnist:digits", "no option of the data set 'mnist' is called 'path'", "option of folder, pairs"),
]

VALUES = [
    ("run dcgan --optimizer.betas 0.5,2", "option 'optimizer.betas' cannot be '2': it must be"),
    ("run dcgan --player discriminator.betas=2,3", "option 'discriminator.betas' cannot be '2': it must be"),
    ("run dcgan --epochs 0", "option 'epochs' cannot be '0': it must be greater than 0"),
    ("run dcgan --epochs x", "option 'epochs' cannot be 'x': it must be a whole number, greater than 0"),
    ("run dcgan --epochs 1.5", "option 'epochs' cannot be '1.5': it must be a whole number"),
    ("run dcgan --epochs ", "option 'epochs' cannot be '': it must be a whole number"),
    ("run dcgan --batch-size 0", "option 'batch_size' cannot be '0': it must be greater than 0"),
    ("run dcgan --limit 0", "option 'limit' cannot be '0': it must be greater than 0"),
    ("run dcgan --limit -5", "option 'limit' cannot be '-5': it must be greater than 0"),
    ("run dcgan --log-every 0", "option 'log_every' cannot be '0': it must be greater than 0"),
    ("run dcgan --latent-dim 0", "option 'latent_dim' cannot be '0': it must be greater than 0"),
    ("run dcgan --seed -1", "option 'seed' cannot be '-1': it must be at least 0"),
    ("run dcgan --seed 99999999999999999999", "option 'seed' cannot be '9", "less than 9223372036854775808"),
    ("run dcgan --lr 0", "option 'lr' cannot be '0': it must be greater than 0"),
    ("run dcgan --lr nan", "option 'lr' cannot be 'nan': it must be a finite number, greater than 0"),
    ("run dcgan --lr inf", "option 'lr' cannot be 'inf': it must be a finite number, greater than 0"),
    ("run dcgan --lr 1e-3x", "option 'lr' cannot be '1e-3x': it must be a number, greater than 0"),
    ("run dcgan --channels 2", "option 'channels' cannot be '2': it must be 1, 3 or 4"),
    ("run dcgan --precision fp8", "option 'precision' cannot be 'fp8': it must be 'auto', 'fp32', 'tf32' or 'bf16'"),
    ("run dcgan --direction up", "option 'direction' cannot be 'up': it must be 'forward' or 'backward'"),
    ("run dcgan --initialization zeros", "option 'initialization' cannot be 'zeros': it must be 'normal' or 'torch'"),
    ("run wgan-gp --n-critic 0", "option 'n_critic' cannot be '0': it must be at least 1"),
    ("run wgan-gp --loss.penalty -1", "option 'loss.penalty' cannot be '-1': it must be at least 0"),
    (
        "run wgan-gp --loss.penalty nan",
        "option 'loss.penalty' cannot be 'nan': it must be a finite",
    ),
    ("run pix2pix --l1 -1", "option 'l1' cannot be '-1': it must be at least 0"),
    ("run dcgan --optimizer.lr -1", "option 'optimizer.lr' cannot be '-1': it must be greater than 0"),
    ("run dcgan --optimizer.betas 0.5", "option 'optimizer.betas' cannot be '0.5': it must be 2 values", "0.5,0.999"),
    ("run dcgan --optimizer.betas 1,2,3", "option 'optimizer.betas' cannot be '1,2,3': it must be 2 values"),
    ("run dcgan --optimizer.betas a,b", "option 'optimizer.betas' cannot be 'a': it must be a number"),
    ("run dcgan --channels 5", "option 'channels' cannot be '5': it must be 1, 3 or 4"),
    ("run dcgan --labels 0", "option 'labels' cannot be '0': it must be greater than 0"),
    ("run pix2pix --as.size 3", "no option of the adaptor 'none' is called 'size'; this is an option of masked"),
    ("run pix2pix --as lowres --as.factor 3", "factor' cannot be '3': it must be 2, 4 or 8"),
    ("run pix2pix --as edge", "no adaptor is called 'edge'; did you mean 'edges'?"),
    ("run dcgan --image-size 0", "option 'image_size' cannot be '0': ", "such as 64x96"),
    ("run dcgan --image-size axb", "option 'image_size' cannot be 'axb': ", "such as 64x96"),
    ("run dcgan --image-size 16x", "option 'image_size' cannot be '16x': ", "such as 64x96"),
    ("run dcgan --image-size 1,2,3", "option 'image_size' cannot be '1,2,3': ", "such as 64x96"),
    ("run dcgan --image-size 1x2x3", "option 'image_size' cannot be '1x2x3': ", "such as 64x96"),
    ("run dcgan --player nonsense", "option '--player' cannot be 'nonsense'; write NAME.FIELD=VALUE"),
    ("run dcgan --player lr=1", "option '--player' cannot be 'lr=1'; write NAME.FIELD=VALUE"),
    ("run dcgan --player discriminator.lr=-1", "option 'discriminator.lr' cannot be '-1': it must be greater than 0"),
    ("run dcgan --player discriminator.lr=x", "option 'discriminator.lr' cannot be 'x': it must be a number"),
    ("run dcgan --player discriminator.every=0", "'discriminator.every' cannot be '0': it is a whole number from 1"),
    ("run dcgan --device cuda:99", "option 'device' cannot be 'cuda:99': this machine has ", "try cpu"),
    ("run dcgan --device tpu", "option 'device' cannot be 'tpu'; write cpu, cuda or cuda:N"),
    ("run dcgan --device ", "option 'device' cannot be ''; write cpu, cuda or cuda:N"),
]

DATA = [
    (f"run dcgan {SMALL} --device cpu:7 --dry-run", "option 'device' cannot be 'cpu:7'"),
    (f"run dcgan {SMALL} --recipe chapter --batch-size 1", "--batch-size 2"),
    (f"run dcgan {SMALL} --latent-dim 99999999999999", "not enough memory for a batch of 4", "or smaller networks"),
    (f"run dcgan {SMALL} --image-size 63", "63 x 63 pixels do not fit", "try --image-size 60x60 or 64x64"),
    (f"run pix2pix {SMALL} --image-size 33", "33 x 33 pixels do not fit", "try --image-size 32x32 or 48x48"),
    (
        "run dcgan --image-size 16 --limit 10 --batch-size 100",
        "'mnist' gives 10 images, too few",
        "try --batch-size 10",
    ),
    ("run dcgan --data folder", "'folder' needs to know where: write folder:PATH (PATH: folder of images"),
    ("run dcgan --data folder:", "'folder' needs to know where: write folder:PATH (PATH: folder of images"),
    ("run dcgan --data folder:nowhere", "there is no folder 'nowhere'"),
    ("run dcgan --data folder:empty", "there are no images in 'empty'", ".png"),
    ("run dcgan --data folder:text.txt", "'text.txt' is a file; give the folder that holds the images"),
    (f"run dcgan {SMALL} --data folder:broken", "'broken/half.png' cannot be read"),
    (f"run pix2pix {SMALL} --data pairs:pairs", "a partner of the same name", "'pairs/A': 0", "'pairs/B': 4"),
    (f"run pix2pix {SMALL} --data pairs:empty", "'empty' has no images, nor two folders of them called A and B"),
    ("run pix2pix --data mnist", "'mnist' has no source, target", "data sets that have: openmoji, pairs:PATH"),
    ("run pix2pix --data folder:images", "'folder' has no source, target", "pairs:PATH"),
    ("run pix2pix --data mnist", "make them of its images: --as edges, grey, lowres or masked"),
    ("run dcgan --as edges", "--as edges makes pairs of source and target, which the GAN does not take", "--as out"),
    ("run pix2pix --as masked --as.size 257", "a hole of 257 x 257 pixels does not fit", "try --as.size 64"),
    (f"run dcgan {SMALL} --data-dir text.txt", "cannot be written", "--data-dir FOLDER or GANZOO_DATA"),
]

FOLDERS = [
    ("generate ~nobody-of-that-name/run -o x.png", "~nobody-of-that-name/run is no run folder"),
    ("report ~nobody-of-that-name/run -o x.html", "~nobody-of-that-name/run is no run folder"),
    ("run dcgan --data shards:~nobody-of-that-name/a.tar", "there is no shard '~nobody-of-that-name/a.tar'"),
    ("run dcgan --data folder:~nobody-of-that-name/a", "there is no folder '~nobody-of-that-name/a'"),
    ("evaluate old --samples 8 --extractor inception --weights ~nobody-of-that-name/w", "in '~nobody-of-that-name/w'"),
    (f"run dcgan {SMALL} --out text.txt/new", "'text.txt/new' cannot be made a run folder", "give another --out"),
    (f"run dcgan {SMALL} --seed 4 --out old", "old holds another run: its seed is 0, not 4", "or another --out"),
    (f"run dcgan {SMALL} --lr 3 --out old", "old holds another run: its lr is unset, not 3.0"),
    (f"run dcgan {SMALL} --loss hinge --out old", "its gan.loss.kind is cross-entropy, not hinge"),
    (f"run dcgan {SMALL} --data folder:images --out old", "its data.name is mnist, not folder"),
    (f"run dcgan {SMALL} --image-size 32 --out old", "its image_size is 16x16, not 32x32"),
    (f"run lsgan {SMALL} --out old", "old holds another run: its gan.name is dcgan, not lsgan. Give"),
    (f"run lsgan {SMALL} --out old --dry-run", "old holds another run: its gan.name is dcgan, not lsgan"),
    (f"run dcgan {SMALL} --out text.txt", "text.txt is a file, where a run is to have its folder; give another --out"),
    (f"run dcgan {SMALL} --out full", "full is no run folder and not empty; give another --out"),
    ("generate nowhere -o x.png", "nowhere is no run folder: it has no config.json"),
    ("generate images -o x.png", "images is no run folder: it has no config.json"),
    ("generate text.txt -o x.png", "text.txt is no run folder: it has no config.json"),
    ("generate old -o old", "'old' is the folder of a run; give another --out, such as old/images"),
    ("generate old -o -", "option '--out' cannot be '-'; give the name of a file or a folder"),
    ("generate old -o x.xyz", "'x.xyz' ends in no picture format; try x.png"),
    ("generate old -o text.txt/x.png", "'text.txt/x.png' cannot be written", "give another --out"),
    ("generate old -o text.txt/folder", "cannot be written", "give another --out"),
    ("generate old -o x.psd", "'x.psd' cannot be written: .psd can only be read", "give another --out, such as"),
    ("generate old --device cuda:99 -o x.png", "option 'device' cannot be 'cuda:99'", "try cpu"),
    ("generate {runs}/pix2pix -o x.png", "'pix2pix' makes images from images, not from noise; try translate"),
    ("generate old --text cat -o x.png", "'dcgan' does not make images from captions: leave the text out"),
    ("generate old --class 7 -o x.png", "'dcgan' has no classes to choose from: leave the class out"),
    ("generate old -O latent_dim=3 -o x.png", "option 'latent_dim' of 'dcgan' cannot be changed after training"),
    ("generate old -O nonsense=3 -o x.png", "no option of dcgan is called 'nonsense'; there are: none"),
    ("generate old -O device=cpu -o x.png", "no option of dcgan is called 'device'"),
    ("generate old -O latent_dim -o x.png", "option '--option' cannot be 'latent_dim'; write NAME=VALUE"),
    ("generate {runs}/text2image -o x.png", "makes images from captions: say what of, as in --text"),
    ("generate {runs}/text2image --text  -o x.png", "option 'text' cannot be '': say what is to be seen"),
    ("generate {runs}/text2image --text \t -o x.png", "option 'text' cannot be '': say what is to be seen"),
    ("generate {runs}/text2image --text \udcff -o x.png", "it is no Unicode text"),
    (f"generate {{runs}}/text2image --text {'ä' * 33} -o x.png", "66 bytes, and captions of 'openmoji' keep 64; "),
    ("generate {runs}/text2image --text cat --class 1 -o x.png", "'text2image' has no classes to choose from"),
    ("run text2image --data folder:images", "'folder' has no caption", "data sets that have: ", "openmoji"),
    ("translate old images -o out", "'dcgan' makes images from noise, not from images; try generate"),
    ("translate {runs}/pix2pix nowhere -o out", "there is no folder 'nowhere'"),
    ("translate {runs}/pix2pix text.txt -o out", "'text.txt' cannot be read: it is not an image"),
    ("translate {runs}/pix2pix empty -o out", "there is no image in 'empty'"),
    ("translate {runs}/pix2pix broken -o out", "'broken/half.png' cannot be read"),
    ("translate {runs}/pix2pix images -o images", "'images/0.png' would be overwritten", "another folder as --out"),
    ("translate {runs}/pix2pix twins -o out", "would both become 'out/same.png'; rename one"),
    ("translate {runs}/pix2pix images -o text.txt", "'text.txt' is one file, and there are 4 to translate"),
    ("list --plugin", "option '--plugin' needs a file: --plugin FILE"),
]


@pytest.mark.parametrize("case", [*NAMES, *VALUES], ids=lambda case: case[0])
def test_a_wrong_name_or_value_is_said_on_two_lines_at_most(
    case: tuple[str, ...], command: Command, place: Path
) -> None:
    line, *parts = case
    complains(refused(command, place, line), parts)


@pytest.mark.parametrize("case", [*DATA, *FOLDERS], ids=lambda case: case[0])
def test_what_cannot_be_used_is_said_on_two_lines_at_most(
    case: tuple[str, ...], command: Command, mess: Path, runs: Path
) -> None:
    line, *parts = case
    complains(refused(command, mess, line.format(runs=runs)), parts)


def complains(answer: Answer, parts: list[str]) -> None:
    """It is an error in few words, with these parts."""
    assert answer.err.startswith("Error: ")
    assert len(answer.err.splitlines()) <= 2
    for part in parts:
        assert part in answer.err


USAGE = [
    ("nope", "No such command 'nope'", "ganzoo -h"),
    ("lst", "No such command 'lst'. Did you mean 'list'?"),
    ("info", "Missing argument 'NAME'", "ganzoo info -h"),
    ("run dcgan --epoch 3", "No such option '--epoch'. Did you mean '--epochs'?"),
    ("run dcgan --epochs", "Option '--epochs' requires an argument"),
    ("run dcgan --loss.nonsense 3", "No such option '--loss.nonsense'. Did you mean '--loss.penalty'?"),
    ("run dcgan --gan lsgan", "No such option '--gan'", "ganzoo run dcgan -h"),
    ("run dcgan more", "Got unexpected extra argument (more)", "ganzoo run dcgan -h"),
    ("generate -o x.png", "Missing argument 'RUN'", "ganzoo generate -h"),
    ("generate old -n 0 -o x.png", "Invalid value for '-n' / '--count': 0 is not in the range x>=1"),
    ("generate old -n x -o x.png", "Invalid value for '-n' / '--count'"),
    ("generate old --seed -1 -o x.png", "Invalid value for '--seed': -1 is not in the range 0<=x"),
    ("translate old", "Missing argument 'IMAGE|FOLDER|ZIP'", "ganzoo translate -h"),
]


@pytest.fixture
def locked(mess: Path) -> Iterator[Path]:
    """A folder that this process may not enter; as root it is somebody else until the test is over."""
    if os.name != "posix":
        pytest.skip("folders are locked in another way here")
    folder, user = mess / "locked", os.geteuid()
    folder.mkdir(mode=0)
    if user == 0:
        mess.chmod(0o755)
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.chmod(0o700)
    folder.rmdir()  # the mess is shared


@pytest.mark.parametrize(
    "line",
    [
        f"run dcgan {SMALL} --out locked/run",
        f"run dcgan {SMALL} --config locked/file.yaml",
        "run dcgan --data shards:locked/a.tar --data.count 8",
        "generate old -o locked/x.png",
    ],
)
def test_a_folder_that_may_not_be_entered_is_named(line: str, command: Command, locked: Path) -> None:
    answer = command(*line.split())
    assert (answer.status, answer.out) == (2, "")
    assert re.fullmatch(r"Error: '.*locked.*' may not be looked at: permission denied\n", answer.err)


@pytest.mark.parametrize("case", USAGE, ids=lambda case: case[0])
def test_what_is_no_command_is_told_how_to_be_one(case: tuple[str, ...], command: Command, mess: Path) -> None:
    line, *parts = case
    answer = refused(command, mess, line)
    for part in parts:
        assert part in answer.err


def test_no_cuda_is_said_before_anything_is_loaded(command: Command, place: Path) -> None:
    answer = refused(command, place, "run dcgan --device cuda:7 --data folder:nowhere")
    assert "option 'device' cannot be 'cuda:7': this machine has" in answer.err


def test_no_network_says_which_files_to_put_where(
    command: Command, place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")  # where nobody listens
    folder = tmp_path_factory.mktemp("fashion")
    answer = refused(command, place, f"run dcgan {SMALL} --data fashion-mnist --data-dir {folder}")
    assert "cannot be downloaded" in answer.err
    assert f"put these files into '{folder / 'FashionMNIST' / 'raw'}': train-images-idx3-ubyte.gz, " in answer.err
    assert len(answer.err.splitlines()) == 2
    left = [path.name for path in folder.rglob("*") if path.is_file()]
    assert left == [".fashion-mnist.lock"]  # other processes may be waiting at it
