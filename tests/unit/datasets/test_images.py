from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
import threading
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from transferscore.datasets import PIXEL_CACHE, ImageSample, read_dataset
from transferscore.datasets.decoding import IMAGE_SUFFIXES
from transferscore.datasets.origins import file_stamp
from transferscore.errors import DatasetError, SampleError


def saved(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_their_pixels(encoded, format):
    expected = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    pixels = ImageSample.from_bytes(encoded(format)).pixels()
    assert (pixels.dtype, pixels.shape) == (np.uint8, (7, 5, 3))
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("format", ["JPEG", "GIF", "WEBP"])
def test_other_formats_give_what_pil_gives(encoded, format):
    content = encoded(format)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(ImageSample.from_bytes(content).pixels(), expected)


def test_the_zoo_is_read_as_its_manifest_says(zoo):
    sample = read_dataset(zoo / "datasets/image/flowers5.zip").samples[3]
    plain = Image.open(io.BytesIO(sample.content())).convert("RGB")
    np.testing.assert_array_equal(sample.pixels(), np.asarray(plain))
    for width, height in ((32, 32), (224, 96)):
        expected = np.asarray(plain.resize((width, height), Image.BILINEAR))
        np.testing.assert_array_equal(sample.pixels((height, width)), expected)


def test_size_is_height_then_width(encoded):
    assert ImageSample.from_bytes(encoded()).pixels((9, 4)).shape == (9, 4, 3)


def test_image_is_an_rgb_pil_image_of_its_own(encoded):
    sample = ImageSample.from_bytes(encoded())
    image = sample.image()
    assert (image.mode, image.size) == ("RGB", (5, 7))
    np.testing.assert_array_equal(np.asarray(image), sample.pixels())
    image.putpixel((0, 0), (1, 2, 3))
    assert sample.pixels()[0, 0].tolist() != [1, 2, 3]


def test_every_source_gives_the_same_pixels_and_digest(tmp_path, encoded, make_zip):
    content = encoded()
    (tmp_path / "a.png").write_bytes(content)
    archive = make_zip("a.png")
    samples = [
        ImageSample.from_file(tmp_path / "a.png", "a.png"),
        ImageSample.from_zip(archive, "a.png", file_stamp(archive)),
        ImageSample.from_bytes(content, "a.png"),
    ]
    for sample in samples:
        assert sample.name == "a.png"
        assert sample.content() == content
        assert sample.digest() == samples[0].digest()
        np.testing.assert_array_equal(sample.pixels(), samples[0].pixels())


def test_the_digest_is_sha256_of_the_content():
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert ImageSample.from_bytes(b"abc").digest() == expected


def test_the_content_of_an_array_is_a_file_with_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    sample = ImageSample.from_array(pixels)
    np.testing.assert_array_equal(sample.pixels(), pixels)
    np.testing.assert_array_equal(ImageSample.from_bytes(sample.content()).pixels(), pixels)
    np.testing.assert_array_equal(ImageSample.from_image(Image.fromarray(pixels)).pixels(), pixels)
    assert sample.digest() != ImageSample.from_array(pixels[::-1]).digest()


def test_pixels_are_read_only_but_the_callers_array_stays_writable(encoded):
    pixels = np.zeros((3, 4, 3), dtype=np.uint8)
    for sample in (ImageSample.from_array(pixels), ImageSample.from_bytes(encoded())):
        for size in (None, (2, 2)):
            assert not sample.pixels(size).flags.writeable
    assert pixels.flags.writeable


@pytest.mark.parametrize(
    ("pixels", "got"),
    [
        (np.zeros((3, 4), dtype=np.uint8), "uint8 of shape (3, 4)"),
        (np.zeros((3, 4, 3)), "float64 of shape (3, 4, 3)"),
        (np.zeros((0, 4, 3), dtype=np.uint8), "uint8 of shape (0, 4, 3)"),
    ],
)
def test_arrays_that_are_no_rgb_image_are_refused(pixels, got):
    with pytest.raises(DatasetError) as error:
        ImageSample.from_array(pixels, "row 2")
    assert str(error.value) == (
        f"`row 2` must be an image as a uint8 array of shape (H, W, 3); got {got}."
    )


class TestModes:
    def test_transparency_is_laid_on_white(self):
        pixels = np.zeros((1, 3, 4), dtype=np.uint8)
        pixels[0, :, 3] = (0, 128, 255)
        sample = ImageSample.from_bytes(saved(Image.fromarray(pixels, "RGBA")))
        assert sample.pixels()[0, :, 0].tolist() == [255, 127, 0]

    def test_opaque_pixels_with_an_alpha_channel_keep_their_values(self):
        pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 4), dtype=np.uint8)
        pixels[..., 3] = 255
        sample = ImageSample.from_bytes(saved(Image.fromarray(pixels, "RGBA")))
        np.testing.assert_array_equal(sample.pixels(), pixels[..., :3])

    def test_a_palette_with_transparency_in_bytes_is_laid_on_white_without_a_warning(self):
        image = Image.new("P", (2, 1))
        image.putpalette([10, 20, 30, 40, 50, 60])
        image.putpixel((1, 0), 1)
        content = saved(image, transparency=bytes([0, 255]))
        assert ImageSample.from_bytes(content).pixels().tolist() == [[[255] * 3, [40, 50, 60]]]

    def test_a_transparent_colour_is_laid_on_white(self):
        image = Image.new("RGB", (2, 1), (10, 20, 30))
        image.putpixel((1, 0), (1, 2, 3))
        content = saved(image, transparency=(10, 20, 30))
        assert ImageSample.from_bytes(content).pixels().tolist() == [[[255] * 3, [1, 2, 3]]]

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "CMYK"])
    def test_other_modes_become_rgb(self, mode):
        image = Image.new("L", (3, 2), 255).convert(mode)
        sample = ImageSample.from_bytes(saved(image, "TIFF"))
        assert sample.pixels().tolist() == [[[255] * 3] * 3] * 2

    def test_sixteen_bit_grey_becomes_its_high_byte(self):
        values = np.array([[0, 255, 256, 0x8000, 0xFFFF]], dtype=np.uint16)
        sample = ImageSample.from_bytes(saved(Image.fromarray(values)))
        assert sample.pixels()[0, :, 1].tolist() == [0, 0, 1, 128, 255]

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            (np.float32(0.5), "its pixels are floats, whose range is not known; save it"),
            (np.int32(70000), "its pixels have 32 bits, whose range is not known; save it"),
        ],
    )
    def test_pixels_without_a_known_range_are_refused(self, values, reason):
        content = saved(Image.fromarray(np.full((2, 2), values)), "TIFF")
        with pytest.raises(SampleError) as error:
            ImageSample.from_bytes(content, "scan.tif").pixels()
        assert str(error.value) == f"`scan.tif` cannot be read as an image: {reason} with 8 bits."

    def test_the_exif_orientation_is_not_applied(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        sample = ImageSample.from_bytes(saved(Image.new("RGB", (8, 4)), "JPEG", exif=exif))
        assert sample.pixels().shape == (4, 8, 3)

    def test_an_animation_gives_its_first_frame(self):
        frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
        content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
        assert ImageSample.from_bytes(content).pixels()[0, 0].tolist() == [255, 0, 0]


class TestUnreadable:
    def check(self, sample: ImageSample, reason: str) -> None:
        for read in (sample.pixels, lambda: sample.pixels((8, 8)), sample.image):
            with pytest.raises(SampleError) as error:
                read()
            message = f"`{sample.name}` cannot be read as an image: {reason}."
            assert str(error.value) == message

    def test_text(self):
        self.check(ImageSample.from_bytes(b"no image", "a.jpg"), "cannot identify image file")

    def test_an_empty_file(self):
        self.check(ImageSample.from_bytes(b"", "a.jpg"), "the file is empty")

    def test_an_image_cut_short(self, encoded):
        content = encoded("JPEG", (64, 64))
        sample = ImageSample.from_bytes(content[:-500], "images/00012.jpg")
        with pytest.raises(SampleError) as error:
            sample.pixels()
        assert re.fullmatch(
            r"`images/00012\.jpg` cannot be read as an image: "
            r"image file is truncated \([0-9]+ bytes not processed\)\.",
            str(error.value),
        )

    @pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
    def test_damage_anywhere_is_a_sample_error_or_an_image(self, encoded, format):
        content = encoded(format, (32, 32))
        rng = np.random.default_rng(0)
        for _ in range(60):
            damaged = bytearray(content)
            for place in rng.integers(4, len(content), 6).tolist():
                damaged[place] = int(rng.integers(256))
            with contextlib.suppress(SampleError):
                assert ImageSample.from_bytes(bytes(damaged)).pixels().ndim == 3

    def test_a_file_that_is_gone(self, tmp_path):
        sample = ImageSample.from_file(tmp_path / "gone.png", "gone.png")
        self.check(sample, "No such file or directory")
        with pytest.raises(SampleError, match=r"^`gone\.png` cannot be read as an image"):
            sample.digest()

    def test_a_member_with_a_wrong_checksum(self, make_zip, encoded):
        archive = make_zip("a.png")
        content = archive.read_bytes()
        archive.write_bytes(content.replace(encoded()[-20:-12], b"\0" * 8, 1))
        sample = ImageSample.from_zip(archive, "a.png", file_stamp(archive))
        self.check(sample, "Bad CRC-32 for file 'a.png'")

    def test_a_member_that_claims_to_be_huge(self, make_zip, monkeypatch):
        monkeypatch.setattr("transferscore.datasets.origins._LARGEST_MEMBER", 10)
        archive = make_zip("a.png")
        with zipfile.ZipFile(archive) as opened:
            size = opened.getinfo("a.png").file_size
        self.check(
            ImageSample.from_zip(archive, "a.png", file_stamp(archive)),
            f"it unpacks into {size} bytes; 10 are allowed",
        )

    def test_a_decompression_bomb_is_refused_before_it_is_decoded(self, encoded, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 34)
        monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
        self.check(
            ImageSample.from_bytes(encoded(), "bomb.png"),
            "it has 35 pixels, more than the 34 that PIL.Image.MAX_IMAGE_PIXELS allows",
        )

    def test_a_format_that_is_not_listed_is_not_opened(self):
        content = saved(Image.new("RGB", (4, 4)), "ICO")
        self.check(ImageSample.from_bytes(content, "a.png"), "cannot identify image file")


def test_damaged_metadata_gives_no_warning():
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x1a\x01\x05\0\x01\0\0\0\xff\xff\0\0\0\0\0\0"
    content = saved(Image.new("RGB", (8, 8)), "JPEG", exif=exif)
    start = content.index(b"\xff\xe0")  # without the JFIF segment PIL looks for the density in EXIF
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    content = content[:start] + content[start + 2 + length :]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ImageSample.from_bytes(content).pixels().shape == (8, 8, 3)


class TestCache:
    @pytest.fixture
    def reads(self, monkeypatch):
        from transferscore.datasets import images

        calls: list[str] = []
        decode = images.decode_pixels

        def counted(content: bytes, name: str):
            calls.append(name)
            return decode(content, name)

        monkeypatch.setattr(images, "decode_pixels", counted)
        return calls

    def test_an_image_is_decoded_once_for_all_sizes(self, encoded, reads):
        sample = ImageSample.from_bytes(encoded())
        first = sample.pixels((4, 4))
        assert sample.pixels((4, 4)) is first
        sample.pixels((6, 6))
        assert sample.pixels() is sample.pixels((7, 5))
        assert len(reads) == 1

    def test_the_same_file_read_again_is_not_decoded_again(self, tmp_path, encoded, reads):
        path = tmp_path / "a.png"
        path.write_bytes(encoded())
        ImageSample.from_file(path).pixels()
        ImageSample.from_file(path).pixels()
        assert len(reads) == 1

    def test_a_changed_file_is_decoded_again(self, tmp_path, encoded):
        path = tmp_path / "a.png"
        path.write_bytes(encoded(seed=0))
        before = ImageSample.from_file(path).pixels()
        path.write_bytes(encoded(seed=1))
        os.utime(path, ns=(1, 1))
        assert (ImageSample.from_file(path).pixels() != before).any()

    def test_arrays_of_one_shape_are_not_confused(self):
        black, white = (np.full((4, 4, 3), value, np.uint8) for value in (0, 255))
        assert ImageSample.from_array(black).pixels((2, 2)).max() == 0
        assert ImageSample.from_array(white).pixels((2, 2)).min() == 255

    def test_without_room_everything_still_works(self, encoded, reads):
        limit = PIXEL_CACHE.max_bytes
        PIXEL_CACHE.limit(0)
        try:
            sample = ImageSample.from_bytes(encoded())
            np.testing.assert_array_equal(sample.pixels((4, 4)), sample.pixels((4, 4)))
        finally:
            PIXEL_CACHE.limit(limit)
        assert len(reads) == 2
        assert limit == 2**30


def test_threads_may_read_one_archive(make_zip):
    names = [f"{number}.png" for number in range(40)]
    archive = make_zip(*names)
    stamp = file_stamp(archive)
    samples = [ImageSample.from_zip(archive, name, stamp) for name in names]
    expected = [sample.digest() for sample in samples]
    found: list[list[str]] = []

    def work() -> None:
        found.append([ImageSample.from_zip(archive, name, stamp).digest() for name in names])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_samples_can_be_pickled(tmp_path: Path, make_zip, encoded):
    (tmp_path / "a.png").write_bytes(encoded())
    archive = make_zip("a.png")
    for sample in (
        ImageSample.from_file(tmp_path / "a.png", "a.png"),
        ImageSample.from_zip(archive, "a.png", file_stamp(archive)),
        ImageSample.from_array(np.zeros((2, 2, 3), dtype=np.uint8), "a.png"),
    ):
        sample.pixels((2, 2))
        copy = pickle.loads(pickle.dumps(sample))
        assert (copy.name, repr(copy)) == ("a.png", "ImageSample('a.png')")
        np.testing.assert_array_equal(copy.pixels(), sample.pixels())


def test_suffixes_are_sorted():
    assert list(IMAGE_SUFFIXES) == sorted(IMAGE_SUFFIXES)
