"""AudioSample: a sound that is read when somebody listens, at the rate that they listen at."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.stored_sample import StoredSample, unreadable
from transferscore.errors import DatasetError, MissingExtraError

__all__ = ["AUDIO_SUFFIXES", "AudioSample"]

AUDIO_SUFFIXES = (".aif", ".aiff", ".au", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav")
_SOUND = "a sound"
_LONGEST_SECONDS = 3600.0  # a header can claim more than the machine holds


class AudioSample(StoredSample):
    """One sound of a dataset, decoded each time it is read.

    Samples can be pickled and used from several threads. The content of an array is its rate, type,
    shape and values.
    """

    __slots__ = ()
    _KIND = _SOUND

    @classmethod
    def from_array(cls, wave: NDArray[Any], rate: int, name: str = "array") -> AudioSample:
        """The sound with these values, which must not be changed later.

        Args:
            wave: `(n,)` or `(n, channels)`: floats in [-1, 1] or signed integers of full range.
            rate: Values a second.
            name: The sound as a person would name it.

        Raises:
            DatasetError: The values are no sound.
        """
        if wave.ndim not in (1, 2) or wave.dtype.kind not in "fi" or not wave.size or rate <= 0:
            raise DatasetError(
                f"`{name}` must be a sound as an array of floats or signed integers of shape (n,) "
                f"or (n, channels) with a positive rate; got {wave.dtype} of shape {wave.shape} "
                f"at {rate} Hz."
            )
        return cls(name, _Wave(wave, int(rate)))

    def read(self, rate: int) -> NDArray[np.float32]:
        """The sound as `(n,)` float32, channels averaged, resampled to `rate` values a second.

        Resampling is polyphase filtering. Values are within [-1, 1] but for what the filter adds.

        Raises:
            SampleError: It cannot be read as a sound; the message says why.
            MissingExtraError: soundfile is not installed.
        """
        from scipy.signal import resample_poly

        if isinstance(self._origin, _Wave):
            wave, own_rate = self._origin.floats(), self._origin.rate
        else:
            wave, own_rate = _decoded(self.content(), self.name)
        mono = wave if wave.ndim == 1 else wave.mean(axis=1)
        if not np.isfinite(mono).all():
            raise unreadable(self.name, _SOUND, ValueError("it has values that are not finite"))
        if own_rate != rate:
            common = math.gcd(own_rate, rate)
            mono = resample_poly(mono, rate // common, own_rate // common)
        return np.ascontiguousarray(mono, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Wave:
    """A sound in memory; equal only to itself."""

    wave: NDArray[Any]
    rate: int

    def read(self) -> bytes:
        head = f"{self.rate} {self.wave.dtype.str} {self.wave.shape}\n"
        return head.encode() + self.wave.tobytes()

    def check(self) -> None:
        return None

    def floats(self) -> NDArray[np.float32]:
        if self.wave.dtype.kind == "f":
            return self.wave.astype(np.float32, copy=False)
        full_range = -float(np.iinfo(self.wave.dtype).min)
        return (self.wave / full_range).astype(np.float32)


def _decoded(content: bytes, name: str) -> tuple[NDArray[np.float32], int]:
    """Values `(n,)` or `(n, channels)` and their rate."""
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the wheel without its libsndfile
        raise MissingExtraError.of("soundfile", "audio", "Reading audio files") from None
    try:
        if not content:
            raise ValueError("the file is empty")
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            _refuse_unheard(file.frames, file.samplerate)
            return file.read(dtype="float32"), int(file.samplerate)
    except MemoryError:
        raise
    except Exception as error:  # soundfile has errors of its own, and a broken header breaks more
        raise unreadable(name, _SOUND, error) from error


def _refuse_unheard(n_frames: int, rate: int) -> None:
    if n_frames == 0:
        raise ValueError("it has no sound in it")
    if n_frames > _LONGEST_SECONDS * rate:
        raise ValueError(
            f"it lasts {n_frames / rate:.0f} seconds; {_LONGEST_SECONDS:.0f} are allowed"
        )
