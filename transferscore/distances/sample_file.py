"""Reading one side of a comparison from a file: features, or a fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.distances.fingerprint import Fingerprint, is_fingerprint, load_fingerprint
from transferscore.errors import InputError

__all__ = ["SAMPLE_SUFFIXES", "read_sample_file"]

SAMPLE_SUFFIXES = (".npz", ".npy", ".safetensors")


def read_sample_file(
    path: str | Path,
) -> tuple[NDArray[Any] | Fingerprint, NDArray[Any] | None]:
    """Features `(n, d)` or a fingerprint, and labels `(n,)` where the file has them.

    Args:
        path: An npz with `features` and perhaps `labels`, an npy of features, or a safetensors file
            that is a fingerprint or holds `features` and perhaps `labels`.

    Raises:
        InputError: The file is missing, damaged, of another kind, or has no features.
    """
    file = Path(path)
    if file.suffix not in SAMPLE_SUFFIXES:
        raise InputError(
            f"`{file}` must be a file of features ({', '.join(SAMPLE_SUFFIXES)}); "
            "to compare datasets, say which model encodes them with `--model URI`."
        )
    if not file.is_file():
        raise InputError(f"There is no file `{file}`.")
    if file.suffix == ".safetensors" and is_fingerprint(file):
        return load_fingerprint(file), None
    arrays = _arrays(file)
    if "features" not in arrays:
        raise InputError(f"`{file}` must hold an array `features`; it has {sorted(arrays)}.")
    return arrays["features"], arrays.get("labels")


def _arrays(file: Path) -> Mapping[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        content = np.load(file, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return {"features": content}
        with content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError, EOFError, SafetensorError) as error:
        raise InputError(f"`{file}` cannot be read as {file.suffix[1:]}: {error}.") from error
