"""Blobs: whole or not at all, each content once, uploads resumed where they stopped."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from transferscore_server.blobs.files import BlobLimits, FileBlobs
from transferscore_server.store.errors import (
    ChunkCorruptError,
    DigestError,
    NotFoundError,
    OffsetError,
    QuotaError,
    StoreFullError,
    TooLargeError,
)

CONTENT = np.random.default_rng(0).bytes(300_000)
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def blobs(tmp_path):
    return FileBlobs(tmp_path)


def send(blobs, upload, content=CONTENT, chunk=70_000):
    for offset in range(blobs.committed(upload), len(content), chunk):
        data = content[offset : offset + chunk]
        blobs.append(upload, offset, data, zlib.crc32(data))


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_upload_becomes_a_blob_under_its_digest(blobs, tmp_path):
    send(blobs, "u")
    blob = blobs.finish("u", DIGEST)
    assert (blob.digest, blob.size_bytes) == (DIGEST, len(CONTENT))
    assert blobs.path(DIGEST).read_bytes() == CONTENT
    assert files(tmp_path) == [blobs.path(DIGEST)]
    assert (blobs.committed("u"), blobs.size_bytes()) == (0, len(CONTENT))


def test_an_upload_goes_on_in_another_process_life(blobs, tmp_path):
    send(blobs, "u", CONTENT[:100_001])
    later = FileBlobs(tmp_path)
    assert (later.committed("u"), later.size_bytes()) == (100_001, 100_001)
    send(later, "u")
    assert later.finish("u").digest == DIGEST


def test_the_same_content_is_kept_once(blobs, tmp_path):
    for upload in ("a", "b"):
        send(blobs, upload)
        blobs.finish(upload)
    assert len(files(tmp_path)) == 1
    assert blobs.size_bytes() == len(CONTENT)


def test_a_chunk_out_of_place_says_where_to_go_on(blobs):
    blobs.append("u", 0, CONTENT[:100])
    for offset in (101, -1):
        with pytest.raises(OffsetError, match="must be the committed size, 100") as caught:
            blobs.append("u", offset, b"x")
        assert caught.value.committed == 100
    assert blobs.append("u", 50, CONTENT[50:150]) == 150
    assert blobs.append("u", 0, CONTENT[:150]) == 150
    assert blobs.append("u", 0, b"") == 150
    send(blobs, "u")
    assert blobs.finish("u").digest == DIGEST


def test_a_damaged_chunk_is_refused_and_can_be_sent_again(blobs):
    blobs.append("u", 0, CONTENT[:100])
    with pytest.raises(ChunkCorruptError, match="Send it again from offset 100") as caught:
        blobs.append("u", 100, b"damaged", zlib.crc32(b"as sent"))
    assert caught.value.committed == 100
    send(blobs, "u")
    assert blobs.finish("u").digest == DIGEST


def test_a_whole_that_is_not_what_was_announced_is_dropped(blobs, tmp_path):
    send(blobs, "u", CONTENT[:-1])
    with pytest.raises(DigestError, match=f"must be {DIGEST}, as announced"):
        blobs.finish("u", DIGEST)
    assert (files(tmp_path), blobs.size_bytes()) == ([], 0)


def test_there_are_limits_to_one_and_to_all(tmp_path):
    blobs = FileBlobs(tmp_path, BlobLimits(blob_bytes=100, total_bytes=150))
    blobs.append("a", 0, bytes(100))
    with pytest.raises(TooLargeError, match="may have 100 bytes; this one has 101 or more"):
        blobs.append("a", 100, b"x")
    with pytest.raises(QuotaError, match="may keep 150 bytes and keeps 100; 51 more"):
        blobs.append("b", 0, bytes(51))
    assert blobs.committed("b") == 0
    blobs.append("b", 0, bytes(50))
    blobs.discard("a")
    blobs.append("c", 0, bytes(100))
    assert blobs.size_bytes() == 150


def test_a_file_is_copied_under_its_digest(blobs, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    blob = blobs.add_file(source)
    assert blobs.path(blob.digest).read_bytes() == CONTENT
    source.unlink()
    assert blobs.has(DIGEST)


def test_a_file_that_is_too_large_leaves_nothing(tmp_path):
    blobs = FileBlobs(tmp_path / "blobs", BlobLimits(blob_bytes=1000))
    (tmp_path / "source").write_bytes(CONTENT)
    with pytest.raises(TooLargeError):
        blobs.add_file(tmp_path / "source")
    assert (files(tmp_path / "blobs"), blobs.size_bytes()) == ([], 0)


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../x", "md5:00", DIGEST.upper()])
def test_what_is_no_digest_is_not_there(blobs, digest):
    assert not blobs.has(digest)
    with pytest.raises(NotFoundError):
        blobs.path(digest)


@pytest.mark.parametrize("name", ["../../escape", "a/b", "x" * 1000, "é\n"])
def test_any_name_is_a_name_and_none_leads_out(blobs, tmp_path, name):
    before = set(tmp_path.parent.rglob("*"))
    send(blobs, name)
    made = set(tmp_path.parent.rglob("*")) - before
    assert {path.parent for path in made} == {tmp_path / "uploads"}
    assert blobs.finish(name).digest == DIGEST


def test_a_sweep_takes_what_is_old_and_not_needed(blobs, tmp_path):
    kept = blobs.finish(send(blobs, "kept") or "kept").digest
    send(blobs, "gone", b"gone")
    gone = blobs.finish("gone").digest
    send(blobs, "left behind", b"12345")
    past, future = time.time() - 60, time.time() + 60
    assert blobs.sweep({kept}, blobs_before=past, uploads_before=past) == 0
    assert blobs.sweep({kept, "path"}, blobs_before=future, uploads_before=past) == 4
    assert blobs.sweep({kept}, blobs_before=past, uploads_before=future) == 5
    assert (blobs.has(kept), blobs.has(gone)) == (True, False)
    assert (blobs.committed("left behind"), blobs.size_bytes()) == (0, len(CONTENT))


def test_a_blob_that_comes_again_is_young_again(blobs):
    digest = blobs.finish(send(blobs, "a") or "a").digest
    os.utime(blobs.path(digest), (1.0, 1.0))
    send(blobs, "b")
    blobs.finish("b")
    past = time.time() - 60
    assert blobs.sweep((), blobs_before=past, uploads_before=past) == 0


def test_uploads_at_once_do_not_disturb_one_another(blobs):
    contents = [CONTENT[i * 1000 :] for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: send(blobs, f"u{i}", contents[i], 10_000), range(8)))
        # Two streams that send the same upload find each other's bytes.
        list(pool.map(lambda _: send(blobs, "same", CONTENT, 10_000), range(4)))
    for i, content in enumerate(contents):
        assert blobs.finish(f"u{i}").digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert blobs.finish("same").digest == DIGEST


def test_a_full_disk_is_said_and_what_was_committed_stays(blobs):
    send(blobs, "u", CONTENT[:100_000])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, before[1]))
    try:
        with pytest.raises(StoreFullError, match="is full; nothing was changed"):
            blobs.append("u", 100_000, CONTENT[100_000:200_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (blobs.committed("u"), blobs.size_bytes()) == (100_000, 100_000)
    send(blobs, "u")
    assert blobs.finish("u").digest == DIGEST


SENDER = """
import sys, zlib
from pathlib import Path
from transferscore_server.blobs.files import FileBlobs
blobs, content = FileBlobs(Path(sys.argv[1])), Path(sys.argv[2]).read_bytes()
print("ready", flush=True)
for offset in range(blobs.committed("u"), len(content), 997):
    blobs.append("u", offset, content[offset : offset + 997])
print("done", flush=True)
"""


def test_a_sender_that_is_killed_at_any_moment_leaves_good_bytes(tmp_path):
    source = tmp_path / "content"
    source.write_bytes(CONTENT)
    for moment in (0.0005, 0.002, 0.004):
        arguments = [sys.executable, "-c", SENDER, str(tmp_path / "blobs"), str(source)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment) as sender:
            sender.stdout.readline()
            time.sleep(moment)
            sender.kill()
        committed = FileBlobs(tmp_path / "blobs").committed("u")
        (kept,) = [*(tmp_path / "blobs" / "uploads").iterdir()] or [None]
        assert kept is None or kept.read_bytes() == CONTENT[:committed]
    blobs = FileBlobs(tmp_path / "blobs")
    send(blobs, "u")
    assert blobs.finish("u", DIGEST).size_bytes == len(CONTENT)


def test_a_large_upload_that_is_written_out_early_is_whole(tmp_path):
    blobs, chunk = FileBlobs(tmp_path), os.urandom(2**20)
    for i in range(96):
        blobs.append("large", i * len(chunk), chunk)
    digest = hashlib.sha256(chunk * 96).hexdigest()
    assert blobs.finish("large").digest == f"sha256:{digest}"
    assert blobs.path(f"sha256:{digest}").read_bytes() == chunk * 96
