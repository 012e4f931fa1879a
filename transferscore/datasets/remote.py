"""Files and folders behind an fsspec URI, copied to this machine while the process runs."""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
import weakref
from pathlib import Path, PurePosixPath
from typing import Any

from transferscore.errors import DatasetError, MissingExtraError
from transferscore.wording import one_line

__all__ = ["fetched", "is_remote"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|[a-z0-9+.-]+::", re.IGNORECASE)
_EXTRAS = {
    "s3": ("s3fs", "s3"),
    "s3a": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"),
    "gcs": ("gcsfs", "gcs"),
}


def is_remote(source: str) -> bool:
    """Whether a source is a URI such as s3://bucket/a.csv, memory://a or zip://a.csv::b.zip."""
    return _SCHEME.match(source) is not None


def fetched(uri: str) -> Path:
    """The file or folder behind a URI, as a copy that lasts as long as the process.

    Args:
        uri: Any that fsspec understands; several may be chained with `::`.

    Raises:
        DatasetError: There is nothing there, or it cannot be reached.
        MissingExtraError: The package that reads this kind of URI is not installed.
    """
    import fsspec

    scheme = re.split(r"://|::", uri, maxsplit=1)[0].lower()
    try:
        system, path = fsspec.core.url_to_fs(uri)
        if not system.exists(path):
            raise DatasetError(f"`{uri}` does not exist.")
        return _copied(_Remote(system, path, uri))
    except DatasetError:
        raise
    except ImportError as error:
        raise _missing(scheme, uri, error) from None
    except ValueError as error:
        raise DatasetError(
            f"`{uri}` cannot be understood: {one_line(error).rstrip('.')}."
        ) from error
    except Exception as error:  # every file system behind fsspec has errors of its own
        raise DatasetError(f"`{uri}` cannot be read: {one_line(error).rstrip('.')}.") from error


class _Remote:
    """A place in a file system, equal to itself as long as what lies there does not change."""

    def __init__(self, system: Any, path: str, uri: str) -> None:
        self.system, self.path, self.uri = system, path, uri
        self._key = (uri, str(system.ukey(path)) if system.isfile(path) else object())

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Remote) and self._key == other._key


@functools.lru_cache(maxsize=64)
def _copied(remote: _Remote) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="transferscore-"))
    weakref.finalize(_copied, shutil.rmtree, folder, ignore_errors=True)
    copy = folder / (PurePosixPath(remote.path.rstrip("/")).name or "dataset")
    remote.system.get(remote.path, str(copy), recursive=remote.system.isdir(remote.path))
    return copy


def _missing(scheme: str, uri: str, error: ImportError) -> MissingExtraError:
    if scheme in _EXTRAS:
        package, extra = _EXTRAS[scheme]
        return MissingExtraError.of(package, extra, f"Reading `{uri}`")
    return MissingExtraError(f"Reading `{uri}` needs a package that is not installed: {error}.")
