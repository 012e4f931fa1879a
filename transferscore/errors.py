"""Every exception that transferscore raises on purpose.

::

    TransferScoreError
    ├── InputError (ValueError)            what was passed cannot be scored
    │   ├── DatasetError                   the dataset cannot be read as asked
    │   └── SampleError                    one sample cannot be read; the others can
    ├── EncoderError (RuntimeError)        a model cannot be loaded or run
    │   └── UnknownSchemeError             a model URI starts with a scheme nobody knows
    ├── UnknownNameError (LookupError)     no score, task or column of that name
    ├── MissingExtraError (ImportError)    an optional dependency is not installed
    ├── StoreError (OSError)               the feature store cannot be read or written
    └── ServerError (ConnectionError)      a server cannot be reached, or refuses a call

Each is also a built-in, so that a caller who knows nothing of this package can catch it. A message
says what was expected, what came, where, and what to do.
"""

from __future__ import annotations

__all__ = [
    "DatasetError",
    "EncoderError",
    "InputError",
    "MissingExtraError",
    "SampleError",
    "ServerError",
    "StoreError",
    "TransferScoreError",
    "UnknownNameError",
    "UnknownSchemeError",
]


class TransferScoreError(Exception):
    """Base of everything raised on purpose."""


class InputError(TransferScoreError, ValueError):
    """What was passed cannot be scored: a wrong shape, a NaN, one class only."""


class DatasetError(InputError):
    """The dataset cannot be read as asked."""


class SampleError(InputError):
    """One sample cannot be read. The message names it; the run goes on without it."""


class EncoderError(TransferScoreError, RuntimeError):
    """A model cannot be loaded or run."""


class UnknownSchemeError(EncoderError):
    """A model URI starts with a scheme that no adapter serves."""


class UnknownNameError(TransferScoreError, LookupError):
    """There is no score, task or column of that name."""


class MissingExtraError(TransferScoreError, ImportError):
    """An optional dependency is not installed; the message has the command that installs it."""

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingExtraError:
        """The error for `purpose` when `package`, which `extra` brings, cannot be imported."""
        return cls(
            f"{purpose} needs the package {package!r}, which is not installed. "
            f"Install it with: pip install 'transferscore[{extra}]'"
        )


class StoreError(TransferScoreError, OSError):
    """The feature store cannot be read or written."""


class ServerError(TransferScoreError, ConnectionError):
    """A server cannot be reached, or refuses a call.

    Attributes:
        code: Name of the status code, such as "UNAVAILABLE".
        reason: The server's stable name of the cause; empty where it gave none.
    """

    def __init__(self, message: str, code: str = "UNKNOWN", reason: str = "") -> None:
        super().__init__(message)
        self.code, self.reason = code, reason
