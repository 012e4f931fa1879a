"""What a worker holds, and giving it back."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["give_back", "held_bytes", "machine_bytes"]


def held_bytes() -> int:
    """Bytes that this process holds: resident on the host, and reserved on its GPU."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident + (cuda.memory_reserved() if (cuda := _cuda()) is not None else 0)


def machine_bytes() -> int:
    """Memory of this machine, or of this container where that is less."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def give_back() -> None:
    """Return free memory to the system and the GPU, which allocators would keep."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    if (cuda := _cuda()) is not None:
        cuda.empty_cache()


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
