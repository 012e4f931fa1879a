"""FeaturesFile: features that were extracted elsewhere."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of, existing_file
from transferscore.encoders.encoder import Encoding
from transferscore.encoders.loading import Lazily
from transferscore.encoders.on_disk import OneFile
from transferscore.encoders.pooling import log_probabilities
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError

__all__ = ["FeaturesFile"]

_VERSION = "features 1"


class FeaturesFile(OneFile):
    """Features in a file: `features:FILE.npz|.safetensors|.npy[#ARRAY]`.

    The arrays are `features` `(n, d)` and, if there are source classes, `logits` or
    `source_probabilities` `(n, C)`; a `.npy` file is the features alone. The rows are those of
    the whole dataset in its order, or those of the sample that is scored. Nothing is unpickled.

    This is not an `Encoder`: it knows rows, not samples.

    Args:
        path: The file.
        array: Name of the array with the features, if it is not `features`.
        name: What the report calls the model.
    """

    def __init__(
        self, path: str | Path, *, array: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(path, name or f"features:{path}" + (f"#{array}" if array else ""))
        self._array = array or "features"
        self._encoding = Lazily(self._read)

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> FeaturesFile:  # noqa: ARG003
        """The file that a `features:` URI means; no device is needed to read it."""
        return cls(uri.path, array=uri.output, name=name)

    def digest(self) -> str:
        """Hash of the file and the array's name."""
        return digest_of(_VERSION, self._array, existing_file(self._path))

    def encoding_of_rows(
        self, rows: NDArray[np.integer[Any]], n_source_rows: int, n_samples: int
    ) -> Encoding:
        """The features of the samples that are scored.

        Args:
            rows: `(n_samples,)` position of each sample among the rows of the dataset's source.
            n_source_rows: How many rows the source has.
            n_samples: How many samples are scored.

        Returns:
            `(n_samples, d)` features, and logits if the file has them.

        Raises:
            EncoderError: The file has neither `n_source_rows` nor `n_samples` rows.
        """
        encoding = self._encoding.get()
        n_rows = len(encoding.features)
        if n_rows == n_source_rows:
            logits = None if encoding.logits is None else encoding.logits[rows]
            return Encoding(encoding.features[rows], logits)
        if n_rows == n_samples:
            return encoding
        sampled = "" if n_samples == n_source_rows else f" (sampled {n_samples} of them)"
        raise EncoderError(
            f"`{self._path.name}` has {n_rows} rows of features; the dataset has "
            f"{n_source_rows}{sampled}. Give one row of features for each row of the dataset, in "
            f"its order."
        )

    def renamed(self, name: str) -> FeaturesFile:
        """The same file under another name."""
        return FeaturesFile(self._path, array=self._array, name=name)

    def width(self) -> int:
        """How many features a row has."""
        return int(self._encoding.get().features.shape[1])

    def release(self) -> None:
        """Drop the arrays."""
        self._encoding.drop()

    def _read(self) -> Encoding:
        arrays = _arrays(existing_file(self._path))
        if self._array not in arrays:
            raise EncoderError(
                f"`{self._path.name}` must have an array `{self._array}`; it has "
                f"{', '.join(sorted(arrays)) or 'none'}."
            )
        features = self._matrix(arrays[self._array], self._array, None)
        return Encoding(features, self._logits(arrays, len(features)))

    def _logits(self, arrays: Mapping[str, NDArray[Any]], n: int) -> NDArray[np.float32] | None:
        if "logits" in arrays:
            return self._matrix(arrays["logits"], "logits", n)
        if "source_probabilities" not in arrays:
            return None
        probabilities = arrays["source_probabilities"]
        return log_probabilities(self._matrix(probabilities, "source_probabilities", n))

    def _matrix(self, array: NDArray[Any], key: str, n: int | None) -> NDArray[np.float32]:
        if array.ndim != 2 or array.dtype.kind not in "fiub" or (n is not None and len(array) != n):
            wanted = "(n, d)" if n is None else f"({n}, C), a row for each row of features"
            raise EncoderError(
                f"`{key}` of `{self._path.name}` must be numbers of shape {wanted}; "
                f"got {array.dtype} of shape {array.shape}."
            )
        return np.ascontiguousarray(array, dtype=np.float32)


def _arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    readers: dict[str, Callable[[Path], Mapping[str, NDArray[Any]]]] = {
        ".npy": lambda file: {"features": np.load(file, allow_pickle=False)},
        ".npz": _npz_arrays,
        ".safetensors": _safetensors_arrays,
    }
    if path.suffix not in readers:
        raise EncoderError(
            f"A file of features must end in {', '.join(readers)}; got `{path.name}`."
        )
    try:
        return readers[path.suffix](path)
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise EncoderError(f"`{path}` cannot be read as {path.suffix}: {error}") from error


def _npz_arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    """All arrays but those of objects (names, say), which only unpickling could read."""
    arrays: dict[str, NDArray[Any]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for key in ("features", "logits", "source_probabilities", *archive.files):
            if key in archive.files and key not in arrays:
                arrays[key] = archive[key]
    return arrays


def _safetensors_arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    from safetensors import SafetensorError, numpy

    try:
        return dict(numpy.load_file(path))
    except SafetensorError as error:
        raise ValueError(str(error)) from error
