"""One thread for small work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep PyTorch, BLAS and OpenMP to one thread; as before afterwards.

    The demo's matrices are so small that a second thread saves nothing. On a busy machine it costs
    a great deal: threads that wait for each other spin, and the same training took sixty times as
    long.
    """
    import sklearn.linear_model  # noqa: F401 -- only libraries that are loaded can be limited
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(before)
