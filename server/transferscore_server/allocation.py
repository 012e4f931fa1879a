"""How the server's process takes memory from the system and gives it back."""

from __future__ import annotations

import contextlib
import ctypes
import gc

__all__ = ["keep_freed_memory", "leave_alone_what_is_loaded"]

# Names and numbers of <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_MIB = 2**20


def keep_freed_memory() -> None:
    """Let glibc keep what messages took for the next ones. Elsewhere this does nothing.

    By default every message of a mebibyte is mapped, touched page by page and given back, which
    takes as much of a core as all else that is done to receive it. Arenas are few, as each of them
    keeps its own.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 32 * _MIB)
        mallopt(_TRIM_THRESHOLD, 32 * _MIB)
        mallopt(_ARENA_MAX, 2)


def leave_alone_what_is_loaded() -> None:
    """Have the garbage collector pass over all that exists now, which lasts as long as the process.

    Walking it takes the event loop some 60 ms, every few seconds of traffic.
    """
    gc.collect()
    gc.freeze()
