"""The pictures of a run: what is read, how it is augmented, in which order, and each framework's own path beside it."""

import struct
import zlib
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
import torch
from PIL import Image

import paddle_impl.data
import torch_ref.data
from parity.ugatit.trainer import (
    Domain,
    Draws,
    TrainerError,
    compare_transforms,
    find_images,
    read_image,
    to_array,
    to_image,
)
from parity.ugatit.trainer.data import draws, generator, test_array, train_array

OWN = [torch_ref.data, paddle_impl.data]
PADDLE_2 = paddle.__version__.startswith("2.")


def noise(height, width, channels=3, seed=0):
    return generator(seed, "noise").integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([255 * x // max(width - 1, 1), 255 * y // max(height - 1, 1), (x + y) % 256], 2).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for number in range(5):
        Image.fromarray(noise(40 + number, 50, seed=number)).save(tmp_path / f"{number}.png")
    return tmp_path


def test_to_array_is_torchvisions_arithmetic_to_the_bit():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    expected = torch.tensor(pixels).permute(2, 0, 1).float().div(255).sub(0.5).div(0.5).numpy()
    found = to_array(Image.fromarray(pixels))
    assert found.dtype == np.float32 and found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)
    assert np.array_equal(np.asarray(to_image(found)), pixels)  # and back
    assert np.asarray(to_image(np.full((3, 1, 1), np.nan))).max() == 0


def test_augmentation_step_by_step():
    image = Image.fromarray(smooth(60, 90))
    plain = train_array(image, 32, Draws(False, 0, 0))
    assert plain.shape == (3, 32, 32) and plain.dtype == np.float32
    resized = to_array(image.resize((62, 62), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(plain, resized[:, :32, :32])
    np.testing.assert_array_equal(train_array(image, 32, Draws(False, 30, 11)), resized[:, 30:, 11:43])
    flipped = to_array(Image.fromarray(np.asarray(image)[:, ::-1].copy()).resize((62, 62), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(train_array(image, 32, Draws(True, 5, 0)), flipped[:, 5:37, :32])
    np.testing.assert_array_equal(test_array(image, 32), to_array(image.resize((32, 32), Image.Resampling.BILINEAR)))


def test_shrinking_averages():
    # Antialiased: every second column black and white comes out grey, where plain bilinear picks columns.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(test_array(Image.fromarray(stripes), 16)).max() < 0.15


def test_draws_cover_their_range_evenly():
    drawn = [draws(1, "A", epoch, index) for epoch in range(40) for index in range(40)]
    tops, lefts = ([getattr(one, name) for one in drawn] for name in ("top", "left"))
    assert set(tops) == set(lefts) == set(range(31))
    # five standard deviations of 1600 draws: of a fair coin, of a uniform number, of a correlation of 0
    assert abs(np.mean([one.flip for one in drawn]) - 0.5) < 5 * 0.5 / 40
    for values in (tops, lefts):
        assert abs(np.mean(values) - 15) < 5 * 8.95 / 40
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 5 / 40
    assert draws(1, "A", 0, 0) == draws(1, "A", 0, 0)
    assert len({draws(*names) for names in ((1, "A", 0, 0), (2, "A", 0, 0), (1, "B", 0, 0), (1, "A", 1, 0),
                                             (1, "A", 0, 1))}) > 1


def test_draws_and_order_do_not_depend_on_versions(folder):
    # Batches must stay what they are between numpy versions, or no run could be resumed exactly on another machine.
    assert [draws(7, "B", 3, index) for index in range(3)] == [
        Draws(False, 5, 4), Draws(False, 1, 0), Draws(True, 25, 27)]
    order = [index for step in range(1, 16) for _, index in Domain("A", folder, 32, seed=8).chosen(step)]
    assert order == [0, 2, 1, 4, 3, 2, 3, 0, 1, 4, 1, 2, 3, 0, 4]


def test_each_epoch_shows_every_picture_once_in_a_new_order(folder):
    for batch_size, lengths in ((1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (8, [5])):
        domain = Domain("A", folder, 32, batch_size, seed=3)
        orders = []
        for epoch in range(6):
            batches = [domain.chosen(1 + epoch * len(lengths) + position) for position in range(len(lengths))]
            assert [len(batch) for batch in batches] == lengths
            assert {one for batch in batches for one, _ in batch} == {epoch}
            orders.append([index for batch in batches for _, index in batch])
            assert sorted(orders[-1]) == list(range(5))
        assert len({tuple(order) for order in orders}) > 3
    assert domain.chosen(1) != Domain("B", folder, 32, 8, seed=3).chosen(1)


def test_a_batch_is_its_pictures_augmented(folder):
    domain = Domain("A", folder, 32, batch_size=2, seed=3)
    for step in (1, 3, 4):
        expected = [train_array(read_image(domain.files[index]), 32, draws(3, "A", epoch, index))
                    for epoch, index in domain.chosen(step)]
        np.testing.assert_array_equal(domain.batch(step), np.stack(expected))
    assert domain.batch(3).shape == (1, 3, 32, 32)
    assert domain.plain(2).shape == (2, 3, 32, 32)
    np.testing.assert_array_equal(domain.plain(9)[4], test_array(read_image(domain.files[4]), 32))


# What people put into such folders.


def saved(tmp_path, image, name, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def test_grey_palette_and_cmyk_become_rgb(tmp_path):
    grey = noise(9, 7, 1)[..., 0]
    found = np.asarray(read_image(saved(tmp_path, Image.fromarray(grey), "grey.png")))
    np.testing.assert_array_equal(found, grey[..., None].repeat(3, 2))
    two = Image.fromarray(grey > 127)
    assert two.mode == "1"
    np.testing.assert_array_equal(np.asarray(read_image(saved(tmp_path, two, "two.png")))[..., 0], 255 * (grey > 127))
    palette = Image.fromarray(smooth(9, 7)).quantize(16)
    found = read_image(saved(tmp_path, palette, "palette.png"))
    np.testing.assert_array_equal(np.asarray(found), np.asarray(palette.convert("RGB")))
    cmyk = Image.new("CMYK", (4, 4), (0, 255, 255, 0))  # red
    found = np.asarray(read_image(saved(tmp_path, cmyk, "cmyk.tif")))
    np.testing.assert_array_equal(found, np.full((4, 4, 3), (255, 0, 0)))
    assert read_image(saved(tmp_path, Image.new("CMYK", (4, 4)), "cmyk.jpg", quality=95)).mode == "RGB"


def test_transparency_lies_on_white(tmp_path):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2] = (10, 20, 30, 255)
    found = np.asarray(read_image(saved(tmp_path, Image.fromarray(rgba), "rgba.png")))
    assert (found[:2] == (10, 20, 30)).all() and (found[2:] == 255).all()
    grey_alpha = Image.merge("LA", [Image.fromarray(rgba[..., 0]), Image.fromarray(rgba[..., 3])])
    found = np.asarray(read_image(saved(tmp_path, grey_alpha, "la.png")))
    assert (found[:2] == 10).all() and (found[2:] == 255).all()
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    palette.putpixel((0, 0), 1)
    found = np.asarray(read_image(saved(tmp_path, palette, "p.png", transparency=0)))
    assert (found[0, 0] == (200, 100, 50)).all() and (found[1:] == 255).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    found = np.asarray(read_image(saved(tmp_path, Image.fromarray(ramp), "deep.png")))
    np.testing.assert_array_equal(found[..., 0].ravel(), np.arange(256))
    wide = Image.fromarray(np.array([[0, 70000]], np.int32))
    with pytest.raises(TrainerError, match="8 or 16 bits"):
        read_image(saved(tmp_path, wide, "wide.tif"))
    with pytest.raises(TrainerError, match="8 or 16 bits"):
        read_image(saved(tmp_path, Image.fromarray(np.ones((2, 2), np.float32)), "float.tif"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(tmp_path, orientation):
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16] = 255
    turns = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
             5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a), 7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
             8: lambda a: np.rot90(a, -1)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turns[orientation](upright)))
    found = np.asarray(read_image(saved(tmp_path, stored, "turned.jpg", exif=exif, quality=95)))
    assert found.shape == upright.shape and np.abs(found.astype(int) - upright).max() < 40  # JPEG's own loss


def broken_files(folder):
    whole = folder / "whole.jpg"
    Image.fromarray(noise(64, 64)).save(whole)
    data = whole.read_bytes()
    whole.unlink()
    return {"empty.jpg": b"", "text.png": b"not a picture\n" * 20, "cut.jpg": data[:len(data) // 2],
            "header.jpg": data[:20], "page.png": b"<!DOCTYPE html><html></html>"}


def test_damaged_files_say_so_in_one_line(tmp_path):
    for name, data in broken_files(tmp_path).items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TrainerError, match=f"{name}: expected a picture, cannot read it") as raised:
            read_image(tmp_path / name)
        assert "\n" not in str(raised.value) and "replace" in str(raised.value)
    with pytest.raises(TrainerError, match="No such file"):
        read_image(tmp_path / "absent.png")


def test_a_decompression_bomb_is_refused_unopened(tmp_path):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                                        + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
    with pytest.raises(TrainerError, match=r"bomb.png: expected a picture, found one of more than 178,956,970 pixels"):
        read_image(tmp_path / "bomb.png")
    with pytest.raises(TrainerError, match="bomb"):
        Domain("A", tmp_path, 32)


def test_folders(tmp_path, folder):
    (folder / "notes.txt").write_text("no picture")
    (folder / "._0.png").write_bytes(b"left behind by a Mac")
    (folder / ".hidden").mkdir()
    (folder / ".hidden/6.png").write_bytes(b"no")
    (folder / "deeper").mkdir()
    Image.fromarray(noise(8, 8)).save(folder / "deeper/5.JPG")
    names = [path.relative_to(folder).as_posix() for path in find_images(folder)]
    assert names == ["0.png", "1.png", "2.png", "3.png", "4.png", "deeper/5.JPG"]
    assert Domain("A", folder, 32).names == names
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(TrainerError, match="found none"):
        find_images(empty)
    with pytest.raises(TrainerError, match="found nothing"):
        find_images(folder / "absent")
    with pytest.raises(TrainerError, match="found a file"):
        find_images(folder / "0.png")
    (folder / "zz.jpg").write_bytes(b"no picture")
    with pytest.raises(TrainerError, match=r"zz\.jpg"):  # at the start of a run, not when its turn comes
        Domain("A", folder, 32)


# Each framework's own path.


@pytest.mark.parametrize("own", OWN)
def test_each_frameworks_own_path_is_the_recipe(own, tmp_path):
    paths = [saved(tmp_path, Image.fromarray(noise(90, 70)), "noise.png"),
             saved(tmp_path, Image.fromarray(smooth(33, 200)), "smooth.jpg"),
             saved(tmp_path, Image.fromarray(noise(20, 20, 1)[..., 0]), "grey.png")]
    found = compare_transforms(own, paths, 32)
    if own is paddle_impl.data and PADDLE_2:
        # Paddle 2.6 multiplies by a rounded 1/255: one unit in the last place, on values up to 1
        assert found and all(one.largest <= 2**-23 and one.stage != "load" for one in found)
    else:
        assert found == []


@pytest.mark.parametrize("own", OWN)
def test_what_differs_is_found_at_its_stage(own, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(tmp_path, Image.fromarray(smooth(40, 60)), "turned.jpg", exif=exif)
    square = saved(tmp_path, Image.fromarray(smooth(40, 40)), "square.jpg", exif=exif)
    clear = np.zeros((20, 20, 4), np.uint8)
    clear = saved(tmp_path, Image.fromarray(clear), "clear.png")
    plain = saved(tmp_path, Image.fromarray(noise(40, 60)), "plain.png")
    exact = [] if own is torch_ref.data or not PADDLE_2 else ["train", "train", "test"]

    def stages(found):
        return [one.stage.split()[0] for one in found if one.largest > 2**-23]

    # The official loader neither turns a photo upright nor lays it on white: reported where it happens, in loading.
    first, *rest = compare_transforms(own, [turned], 32)
    assert first.stage == "load" and first.recipe == "(60, 40, 3) uint8" and first.own == "(40, 60, 3) uint8"
    assert len(rest) == len(exact)
    first, *_ = compare_transforms(own, [square], 32)
    assert first.stage == "load" and first.index and first.largest > 100 and first.count > 1000
    first, *_ = compare_transforms(own, [clear], 32)
    assert (first.recipe, first.own, first.largest, first.count, first.of) == (255, 0, 255, 1200, 1200)
    assert "1200 of 1200 values differ, by 255 at (0, 0, 0): 255 in the recipe, 0 in" in str(first)

    def changed(**functions):
        return compare_transforms(SimpleNamespace(**{**vars(own), **functions}), [plain], 32)

    bgr = changed(load_image=lambda path: Image.fromarray(np.asarray(own.load_image(path))[..., ::-1].copy()))
    assert stages(bgr) == ["load"]
    nearest = changed(test_transform=lambda image, size: own.normalize(image.resize((size, size), 0)))
    assert stages(nearest) == ["test"]
    no_flip = changed(train_transform=lambda image, size, flip, top, left: own.train_transform(image, size, False, top,
                                                                                                left))
    assert stages(no_flip) == ["train"] and any("flip=True" in one.stage for one in no_flip if one.largest > 1e-3)
    swapped = changed(train_transform=lambda image, size, flip, top, left: own.train_transform(image, size, flip, left,
                                                                                                top))
    assert stages(swapped) == ["train"]
    last = changed(test_transform=lambda image, size: own.test_transform(image, size).transpose(1, 2, 0))
    assert "(32, 32, 3) float32" in str(last[-1]) and last[-1].index is None
    wide = changed(test_transform=lambda image, size: own.test_transform(image, size).astype("float64"))
    assert "float64" in str(wide[-1])
    missing = changed(test_transform=lambda image, size: np.where(own.test_transform(image, size) > 0.5, np.nan, 0)
                      .astype("float32"))
    assert missing[-1].count > 1000
    failing = changed(test_transform=lambda image, size: 1 / 0)
    assert "ZeroDivisionError" in str(failing[-1])


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batches_reach_the_tensor_bit_for_bit(own, dtype, folder):
    batch = Domain("A", folder, 32, 2).batch(1)
    tensor = own.batch_to_tensor(batch, dtype)
    assert str(tensor.dtype).split(".")[-1] == dtype and list(tensor.shape) == [2, 3, 32, 32]
    again = own.tensor_to_array(tensor)
    np.testing.assert_array_equal(again, batch.astype(dtype))
    batch[:] = 9
    np.testing.assert_array_equal(own.tensor_to_array(tensor), again)  # a copy
