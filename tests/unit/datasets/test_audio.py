from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from transferscore.datasets import AudioSample
from transferscore.datasets.origins import file_stamp
from transferscore.errors import DatasetError, SampleError

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")


def sine(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def encoded(wave, rate, format="WAV", **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, format=format, **options)
    return buffer.getvalue()


def refused(sample: AudioSample) -> str:
    with pytest.raises(SampleError) as error:
        sample.read(16_000)
    return str(error.value)


@pytest.mark.parametrize(("format", "tolerance"), [("WAV", 1e-4), ("FLAC", 1e-4), ("OGG", 0.05)])
def test_formats_at_their_own_rate(format, tolerance):
    wave = 0.5 * sine(440, 16_000)
    read = AudioSample.from_bytes(encoded(wave, 16_000, format)).read(16_000)
    assert read.dtype == np.float32
    assert read.shape == wave.shape
    np.testing.assert_allclose(read, wave, atol=tolerance)


@pytest.mark.parametrize(("own", "rate"), [(8_000, 16_000), (44_100, 16_000), (16_000, 22_050)])
def test_resampling_keeps_a_tone_and_its_length(own, rate):
    read = AudioSample.from_array(0.5 * sine(440, own), own).read(rate)
    assert len(read) == pytest.approx(rate * 0.5, abs=1)
    middle = slice(len(read) // 4, len(read) // 2)  # the filter rings at both ends
    np.testing.assert_allclose(read[middle], 0.5 * sine(440, rate)[: len(read)][middle], atol=5e-3)


def test_channels_are_averaged():
    left, right = sine(440, 8_000), sine(660, 8_000)
    wave = np.stack([left, right], axis=1)
    np.testing.assert_allclose(
        AudioSample.from_array(wave, 8_000).read(8_000), (left + right) / 2, atol=1e-6
    )


def test_integers_have_their_full_range():
    wave = np.array([-32768, 0, 16384], dtype=np.int16)
    assert AudioSample.from_array(wave, 8_000).read(8_000).tolist() == [-1.0, 0.0, 0.5]


def test_file_zip_bytes_and_array_read_alike(tmp_path):
    content = encoded(sine(440, 8_000), 8_000)
    path, archive = tmp_path / "a.wav", tmp_path / "a.zip"
    path.write_bytes(content)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("deep/a.wav", content)
    samples = [
        AudioSample.from_file(path),
        AudioSample.from_zip(archive, "deep/a.wav", file_stamp(archive)),
        AudioSample.from_bytes(content),
    ]
    assert [sample.name for sample in samples] == [str(path), "deep/a.wav", "bytes"]
    assert len({sample.digest() for sample in samples}) == 1
    for sample in samples:
        copy = pickle.loads(pickle.dumps(sample))
        np.testing.assert_array_equal(copy.read(16_000), samples[0].read(16_000))


def test_digests_tell_rates_and_values_apart():
    wave = sine(440, 8_000)
    digests = {
        AudioSample.from_array(wave, 8_000).digest(),
        AudioSample.from_array(wave, 16_000).digest(),
        AudioSample.from_array(-wave, 8_000).digest(),
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"no sound at all", "Format not recognised"),
        (encoded(np.zeros(0, np.float32), 8_000), "it has no sound in it"),
        (encoded(np.full(9, np.nan, np.float32), 8_000, subtype="FLOAT"), "not finite"),
    ],
)
def test_what_is_no_sound_is_named(content, reason):
    message = refused(AudioSample.from_bytes(content, "dogs/rex.wav"))
    assert message.startswith("`dogs/rex.wav` cannot be read as a sound: ")
    assert reason in message


def test_a_file_that_is_gone_is_named(tmp_path):
    message = refused(AudioSample.from_file(tmp_path / "gone.wav", "gone.wav"))
    assert message == "`gone.wav` cannot be read as a sound: No such file or directory."


def test_silence_is_a_sound():
    assert not AudioSample.from_array(np.zeros(800), 8_000).read(16_000).any()


def test_what_is_no_wave_is_refused():
    with pytest.raises(DatasetError) as error:
        AudioSample.from_array(np.zeros((2, 2, 2)), 8_000, "row 3")
    assert str(error.value) == (
        "`row 3` must be a sound as an array of floats or signed integers of shape (n,) or "
        "(n, channels) with a positive rate; got float64 of shape (2, 2, 2) at 8000 Hz."
    )
