"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(file: Path, content: bytes) -> None:
    """Write `file` by an atomic rename: a reader sees what was there before, or all of it.

    Raises:
        OSError: The disk is full, or the folder is not there or cannot be written to.
    """
    descriptor, partial = tempfile.mkstemp(dir=file.absolute().parent, prefix=".partial-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(partial).replace(file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
