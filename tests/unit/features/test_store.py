from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from transferscore.errors import StoreError
from transferscore.features import Entry, Store, default_store_path

KEY = "ab" * 32


def entry(value: float = 1.0, size: int = 10) -> Entry:
    return Entry({"features": np.full(size, value, dtype=np.float32)}, {"why": "ünïcode", "n": 3})


def test_what_is_put_is_got_back(tmp_path):
    store = Store(tmp_path)
    store.put(KEY, entry(2.0))
    got = store.get(KEY)
    assert got is not None
    np.testing.assert_array_equal(got.arrays["features"], np.full(10, 2.0, dtype=np.float32))
    assert got.about == {"why": "ünïcode", "n": 3}


def test_an_unknown_key_is_absent(tmp_path):
    assert Store(tmp_path).get(KEY) is None


@pytest.mark.parametrize("cut", [0, 7, 40])
def test_a_damaged_entry_counts_as_absent_and_can_be_made_anew(tmp_path, cut, caplog):
    store = Store(tmp_path)
    store.put(KEY, entry())
    (file,) = tmp_path.glob("*/*.safetensors")
    file.write_bytes(file.read_bytes()[:cut])
    assert store.get(KEY) is None
    assert "damaged" in caplog.text
    store.put(KEY, entry(5.0))
    assert store.get(KEY).arrays["features"][0] == 5.0


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    store = Store(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(StoreError, match="cannot be written: No space left on device"):
        store.put(KEY, entry())
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="Set TRANSFERSCORE_CACHE to a folder"):
        Store(tmp_path / "file" / "store")


def test_trimming_takes_what_was_used_least_recently(tmp_path):
    store = Store(tmp_path, max_bytes=3000)
    for i, name in enumerate(["aa", "bb", "cc"]):
        store.put(name * 32, entry(size=250))
        (file,) = tmp_path.glob(f"{name}/*.safetensors")
        os.utime(file, (i, i))
    store.get("aa" * 32)  # now the most recent
    store.trim()
    assert store.get("bb" * 32) is None
    assert store.get("aa" * 32) is not None
    assert store.get("cc" * 32) is not None


def test_many_writers_of_one_key_leave_one_whole_entry(tmp_path):
    store = Store(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.put(KEY, entry(float(i), 10_000)), range(40)))
    values = np.unique(store.get(KEY).arrays["features"])
    assert len(values) == 1
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


def test_where_the_store_is(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFERSCORE_CACHE", str(tmp_path / "own"))
    assert default_store_path() == tmp_path / "own"
    monkeypatch.delenv("TRANSFERSCORE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_store_path() == tmp_path / "transferscore"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_store_path() == tmp_path / "home" / ".cache" / "transferscore"
