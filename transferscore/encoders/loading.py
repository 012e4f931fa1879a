"""Loading a model once, at first use, from whichever thread asks first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from transferscore.encoders.torch_inference import is_out_of_memory
from transferscore.errors import EncoderError, TransferScoreError
from transferscore.wording import one_line

__all__ = ["Lazily", "explained"]

T = TypeVar("T")

# What safetensors, protobuf and ONNX Runtime say of a file that ends too early.
_CUT_SHORT = ("file not fully covered", "wire format was corrupt", "protobuf parsing failed")


class Lazily(Generic[T]):
    """A value made at the first `get()` and again at the first one after `drop()`.

    Batches are prepared in one thread and run in another, so both may ask at once.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._value: T | None = None
        self._lock = threading.Lock()

    def get(self) -> T:
        """The value; made now if it is not there yet."""
        with self._lock:
            if self._value is None:
                self._value = self._make()
            return self._value

    def drop(self) -> None:
        """Forget the value."""
        with self._lock:
            self._value = None


@contextmanager
def explained(name: str, what: str) -> Iterator[None]:
    """Turn what a model library raises into an `EncoderError` that names the model.

    Model libraries raise anything, with no common base, so every exception is caught here; running
    out of memory passes unchanged, because the caller answers it with a smaller batch.

    Args:
        name: What the report calls the model.
        what: What was tried, to end "could not be ...": "loaded", "run".
    """
    try:
        yield
    except TransferScoreError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = one_line(error)[:400].rstrip(".")
        raise EncoderError(f"`{name}` could not be {what}: {reason}{_advice(reason)}") from error


def _advice(reason: str) -> str:
    """What to do where a library's own words do not say that the file is not whole."""
    if not any(words in reason.lower() for words in _CUT_SHORT):
        return ""
    return ". Its file seems to be cut short or damaged; copy or download it again."
