"""`parity evaluate`: the same numbers from both frameworks, what they are worth, and what cannot be used."""

import hashlib
import json

import pytest

import torch_ref.evaluation
from parity.cli.main import main
from parity.ugatit.evaluation import weights
from parity.ugatit.pictures import picture, to_image
from parity.ugatit.subjects import NETWORKS, Sizes, seeded_state
from weights_convert import write_torch


def drawn(folder, domain, count, size=40):
    folder.mkdir(parents=True)
    for number, one in enumerate(picture(domain, 0, size, count)):
        to_image(one).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data set of 5 and 6 pictures."""
    folder = tmp_path_factory.mktemp("data")
    drawn(folder / "testA", "A", 5)
    drawn(folder / "testB", "B", 6)
    return folder


@pytest.fixture
def numbers(capsys):
    """Runs the command; what it wrote as JSON, and what it showed."""
    def run(framework, *arguments):
        code = main(["evaluate", "--framework", framework, *map(str, arguments), "--subset-size", "4", "--json", "-"])
        assert code == 0
        written, shown = capsys.readouterr()
        return json.loads(written), shown
    return run


def both_agree(found, rel):
    """KID's mean is a difference of numbers about as large as its deviation."""
    ours, theirs = found
    assert ours["kid_deviation"] > 0 and ours["fid"] > 0
    assert ours["kid_mean"] == pytest.approx(theirs["kid_mean"], abs=rel * ours["kid_deviation"])
    assert ours["kid_deviation"] == pytest.approx(theirs["kid_deviation"], rel=rel)
    assert ours["fid"] == pytest.approx(theirs["fid"], rel=rel)


def test_both_frameworks_come_to_the_same_numbers(data, numbers):
    found = []
    for framework in ("torch", "paddle"):
        document, shown = numbers(framework, "--real", data / "testB", "--fake", data / "testA")
        assert not document["comparable"] and "not comparable with published numbers" in shown
        assert any("not comparable" in remark for remark in document["remarks"]) and document["real"]["pictures"] == 6
        assert document["kid_x100"]["mean"] == pytest.approx(100 * document["kid_mean"])
        assert f"KID x 100  {100 * document['kid_mean']:.4g}" in shown
        found.append(document)
    both_agree(found, 1e-5)  # features of the order 1 in float32, of which the variance between pictures is a hundredth


def test_inception_from_a_file(data, numbers, tmp_path, monkeypatch):
    file = tmp_path / "inception.pth"
    write_torch(file, weights.random(0))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(weights, "PUBLISHED", sha256[:8])  # were it the published one
    document, shown = numbers("torch", "--real", data / "testB", "--fake", data / "testA", "--inception", file)
    assert document["comparable"] and "not comparable" not in shown and "the published file" in shown
    assert document["file"] == {"path": str(file), "sha256": sha256} and document["fid"] > 0
    assert any("no more than the 2048 features" in remark for remark in document["remarks"])


def test_translations_of_a_checkpoint(data, numbers, tmp_path):
    """The other domain's pictures, translated; a framework's translation may round a pixel to the next of 256 values."""
    sizes = Sizes(ngf=2, n_blocks=1, img_size=32, ndf=1)
    checkpoint = tmp_path / "seeded.pt"

    write_torch(checkpoint, {name: seeded_state(sizes.network(torch_ref, name), name, 0) for name in NETWORKS})
    found = [numbers(framework, "--real", data, "--checkpoint", checkpoint, "--img-size", 32)[0]
             for framework in ("torch", "paddle")]
    both_agree(found, 1e-3)
    assert found[0]["fake"]["pictures"] == 5 and found[0]["real"]["from"].endswith("testB")
    assert any("several sizes (real 40 x 40; fake 32 x 32)" in remark for remark in found[0]["remarks"])
    back, _ = numbers("torch", "--real", data, "--checkpoint", checkpoint, "--img-size", 32, "--direction", "B2A")
    assert back["fake"]["pictures"] == 6 and back["fid"] != found[0]["fid"]


@pytest.mark.parametrize(("arguments", "said"), [
    (["--fake", "{data}/testA"], "testB: expected 1000 pictures or more, as many as are drawn for a subset, found 6; add pictures, "
                                 "or use a --subset-size of 2 to 6"),
    (["--fake", "{empty}", "--subset-size", "2"], "empty: expected pictures"),
    (["--fake", "{empty}/nowhere", "--subset-size", "2"], "nowhere: expected a folder of pictures, found nothing"),
    (["--fake", "{broken}", "--subset-size", "2"], "1.png: expected a picture, cannot read it"),
    (["--fake", "{data}/testA", "--subset-size", "2", "--inception", "{broken}/1.png"], "1.png: expected"),
    (["--checkpoint", "{data}/x.pt", "--subset-size", "2"], "testB: expected a folder with testA and testB or trainA and trainB"),
    ([], "expected --fake or --checkpoint"),
    (["--fake", "{data}/testA", "--checkpoint", "x.pt"], "found both"),
    (["--fake", "{data}/testA", "--direction", "B2A"], "--direction: for --checkpoint"),
])
def test_bad_input(data, tmp_path, capsys, arguments, said):
    (tmp_path / "empty").mkdir()
    broken = drawn(tmp_path / "broken", "A", 3)
    whole = (broken / "1.png").read_bytes()
    (broken / "1.png").write_bytes(whole[:len(whole) // 2])
    places = {"data": data, "empty": tmp_path / "empty", "broken": broken}
    code = main(["evaluate", "--framework", "torch", "--real", str(data / "testB"),
                 *(argument.format(**places) for argument in arguments)])
    shown = capsys.readouterr().err
    assert code == 2 and said in shown and "Traceback" not in shown


def test_what_a_network_raises_is_no_pictures_fault(data, capsys, monkeypatch):
    def broken(self, pictures):
        raise ValueError("a network of ours")

    monkeypatch.setattr(torch_ref.evaluation.SmallFeatures, "forward", broken)
    arguments = ["--real", str(data / "testB"), "--fake", str(data / "testA"), "--subset-size", "4"]
    assert main(["evaluate", "--framework", "torch", *arguments]) == 2
    shown = capsys.readouterr().err
    assert "a network of ours" in shown and "expected a picture" not in shown and "a fault of parity itself" in shown
