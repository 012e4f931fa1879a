from __future__ import annotations

import threading

import numpy as np
import pytest

from transferscore.datasets import PixelCache


def block(n_bytes: int) -> np.ndarray:
    return np.zeros(n_bytes, dtype=np.uint8)


def test_gives_back_what_was_put():
    cache = PixelCache(100)
    pixels = block(10)
    cache.put("a", pixels)
    assert cache.get("a") is pixels
    assert cache.get("b") is None
    assert (len(cache), cache.n_bytes, cache.max_bytes) == (1, 10, 100)


def test_what_was_used_least_recently_goes_first():
    cache = PixelCache(30)
    for key in "abc":
        cache.put(key, block(10))
    cache.get("a")
    cache.put("d", block(10))
    assert [key for key in "abcd" if cache.get(key) is not None] == ["a", "c", "d"]


def test_spare_entries_go_before_all_others():
    cache = PixelCache(30)
    cache.put("resized", block(10))
    for key in ("original 1", "original 2", "original 3"):
        cache.put(key, block(10), spare=True)
    assert cache.get("resized") is not None
    assert cache.get("original 1") is None
    assert cache.get("original 3") is not None


def test_an_entry_put_again_is_counted_once():
    cache = PixelCache(100)
    cache.put("a", block(10), spare=True)
    cache.put("a", block(20))
    assert (len(cache), cache.n_bytes) == (1, 20)


def test_an_array_above_the_bound_is_not_held_and_pushes_nothing_out():
    cache = PixelCache(30)
    cache.put("small", block(10))
    cache.put("large", block(31))
    assert cache.get("large") is None
    assert cache.get("small") is not None


@pytest.mark.parametrize("max_bytes", [0, 15])
def test_a_lower_limit_holds_at_once(max_bytes):
    cache = PixelCache(100)
    for key in "abc":
        cache.put(key, block(10))
    cache.limit(max_bytes)
    assert cache.n_bytes == (10 if max_bytes else 0)
    assert (cache.get("c") is not None) == bool(max_bytes)


def test_clear_lets_go_of_everything():
    cache = PixelCache(100)
    cache.put("a", block(10))
    cache.put("b", block(10), spare=True)
    cache.clear()
    assert (len(cache), cache.n_bytes) == (0, 0)


def test_the_bound_holds_with_many_threads():
    cache = PixelCache(1000)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for key in rng.integers(0, 50, 500).tolist():
            if cache.get(key) is None:
                cache.put(key, block(10 + key), spare=bool(key % 2))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [cache.get(key) for key in range(50)]
    assert cache.n_bytes == sum(pixels.nbytes for pixels in held if pixels is not None) <= 1000
