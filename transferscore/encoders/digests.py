"""What tells one encoder's numbers from another's: a hash of files, options and adapter version."""

from __future__ import annotations

import hashlib
from pathlib import Path

from transferscore.errors import EncoderError

__all__ = ["digest_of", "existing_file"]


def digest_of(*parts: str | bytes | Path | None) -> str:
    """Hex SHA-256 of the parts in their order; a `Path` stands for the bytes of that file.

    Each part enters as its own fixed-size hash, so ("ab", "c") and ("a", "bc") differ.

    Raises:
        EncoderError: A file cannot be read.
    """
    whole = hashlib.sha256()
    for part in parts:
        whole.update(_part_digest(part))
    return whole.hexdigest()


def existing_file(path: str | Path) -> Path:
    """The path of a model file, `~` expanded.

    Raises:
        EncoderError: There is no such file.
    """
    found = Path(path).expanduser()
    if not found.is_file():
        raise EncoderError(f"There is no file `{found}`; check the path of the model.")
    return found


def _part_digest(part: str | bytes | Path | None) -> bytes:
    if isinstance(part, Path):
        return _file_digest(part)
    data = part if isinstance(part, bytes) else repr(part).encode()
    return hashlib.sha256(data).digest()


def _file_digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise EncoderError(f"`{path}` cannot be read: {error.strerror or error}.") from error
