"""DatasetService on a real store and real files: resumed, de-duplicated, refused."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zlib

import grpc
import numpy as np
import pytest
from PIL import Image
from transferscore_server.blobs.files import FileBlobs
from transferscore_server.errors import status_of
from transferscore_server.servicers import DatasetServicer
from transferscore_server.settings import Limits, Settings
from transferscore_server.store.sql import open_store

from transferscore.datasets import read_dataset
from transferscore.v1 import dataset_service_pb2 as pb
from transferscore.v1 import types_pb2

CODE = grpc.StatusCode
PARENT = "projects/default"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "allowed"
    folder.mkdir()
    return folder


@pytest.fixture
def service(tmp_path, root):
    store = open_store(f"sqlite:///{tmp_path / 'db'}")
    limits = Limits(max_chunk_bytes=1000, max_dataset_bytes=100_000)
    settings = Settings(data_roots=(str(root),), limits=limits)
    yield DatasetServicer(store, FileBlobs(tmp_path / "blobs"), settings)
    store.close()


def call(method, request):
    return asyncio.run(method(request))


def feed(method, requests):
    async def each():
        for request in requests:
            yield request

    return asyncio.run(method(each()))


def refused(code, method, request, message):
    run = feed if isinstance(request, list) else call
    with pytest.raises(Exception, match=message) as caught:
        run(method, request)
    assert status_of(caught.value).code is code
    return status_of(caught.value)


def start(service, **fields):
    fields.setdefault("dataset", pb.Dataset(display_name="mine.csv"))
    return call(service.StartUpload, pb.StartUploadRequest(parent=PARENT, **fields))


def chunk(upload, offset, data, **fields):
    return pb.UploadChunksRequest(upload=upload.name, offset=offset, data=data, **fields)


CONTENT = b"text,label\n" + b"".join(b"sample %d,%d\n" % (i, i % 2) for i in range(200))
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def test_a_file_by_chunks_goes_on_after_a_break(service):
    upload = start(service, total_size=len(CONTENT), expected_digest=DIGEST)
    assert not upload.deduplicated
    done = feed(
        service.UploadChunks, [chunk(upload, 0, CONTENT[:900], crc32=zlib.crc32(CONTENT[:900]))]
    )
    assert done.committed_size == 900
    state = call(service.GetUpload, pb.GetUploadRequest(name=upload.name))
    assert state.committed_size == 900
    rest = [chunk(upload, i, CONTENT[i : i + 1000]) for i in range(900, len(CONTENT), 1000)]
    assert feed(service.UploadChunks, rest).committed_size == len(CONTENT)
    finalize = pb.FinalizeUploadRequest(name=upload.name, digest=DIGEST)
    dataset = call(service.FinalizeUpload, finalize)
    assert (dataset.digest, dataset.size_bytes) == (DIGEST, len(CONTENT))
    assert (dataset.display_name, dataset.format) == ("mine", pb.Dataset.CSV)
    assert call(service.FinalizeUpload, finalize) == dataset
    assert call(service.GetDataset, pb.GetDatasetRequest(name=dataset.name)) == dataset


def test_bytes_that_are_there_are_not_sent_again(service):
    first = start(service, total_size=len(CONTENT))
    parts = [chunk(first, i, CONTENT[i : i + 1000]) for i in range(0, len(CONTENT), 1000)]
    feed(service.UploadChunks, parts)
    call(service.FinalizeUpload, pb.FinalizeUploadRequest(name=first.name))
    second = start(service, total_size=len(CONTENT), expected_digest=DIGEST)
    assert second.deduplicated
    dataset = call(service.FinalizeUpload, pb.FinalizeUploadRequest(name=second.name))
    assert dataset.digest == DIGEST


def test_a_repeated_request_starts_nothing_new(service):
    fields = {"total_size": 5, "request_id": "6a7f"}
    first = start(service, **fields)
    assert start(service, **fields).name == first.name
    request = pb.StartUploadRequest(
        parent=PARENT, dataset=pb.Dataset(display_name="a.csv"), total_size=6, request_id="6a7f"
    )
    status = refused(CODE.FAILED_PRECONDITION, service.StartUpload, request, "different request")
    assert status.reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"total_size": 0}, CODE.INVALID_ARGUMENT, r"^`total_size` must be at least 1"),
        ({"total_size": -1}, CODE.INVALID_ARGUMENT, r"^`total_size` must be at least 1"),
        ({"total_size": 10**12}, CODE.RESOURCE_EXHAUSTED, r"^`total_size` must be at most 100000"),
        (
            {"total_size": 1, "expected_digest": "md5:0"},
            CODE.INVALID_ARGUMENT,
            r"^`expected_digest`",
        ),
        (
            {"total_size": 1, "dataset_id": "Ü"},
            CODE.INVALID_ARGUMENT,
            r"^`dataset_id` must be 1 to",
        ),
        ({"total_size": 1, "task": 9}, CODE.INVALID_ARGUMENT, r"^`task` must be one of"),
        (
            {"total_size": 1, "dataset": pb.Dataset(display_name="a.exe")},
            CODE.INVALID_ARGUMENT,
            r"^`dataset.format` must be given",
        ),
        (
            {"total_size": 1, "dataset": pb.Dataset(format=77)},
            CODE.INVALID_ARGUMENT,
            r"^`dataset.format` must be one of",
        ),
        (
            {"total_size": 1, "dataset": pb.Dataset(format=pb.Dataset.FOLDER)},
            CODE.INVALID_ARGUMENT,
            r"^`dataset.format` must be that of a file",
        ),
        (
            {"total_size": 1, "dataset": pb.Dataset(display_name="\x07.csv")},
            CODE.INVALID_ARGUMENT,
            r"^`dataset.display_name` must be",
        ),
        ({"total_size": 1, "request_id": "x" * 101}, CODE.INVALID_ARGUMENT, r"^`request_id`"),
    ],
)
def test_an_upload_that_cannot_be_is_not_begun(service, fields, code, message):
    fields.setdefault("dataset", pb.Dataset(display_name="mine.csv"))
    request = pb.StartUploadRequest(parent=PARENT, **fields)
    refused(code, service.StartUpload, request, message)


def test_a_chunk_that_does_not_fit_changes_nothing(service):
    upload = start(service, total_size=50)
    method = service.UploadChunks
    gap = refused(CODE.OUT_OF_RANGE, method, [chunk(upload, 7, b"x")], "committed size, 0")
    assert gap.metadata == {"committed": "0"}
    refused(CODE.ABORTED, method, [chunk(upload, 0, b"x", crc32=1)], "CRC-32")
    refused(CODE.INVALID_ARGUMENT, method, [chunk(upload, 0, b"x" * 1001)], "at most 1000 bytes")
    refused(CODE.INVALID_ARGUMENT, method, [chunk(upload, 40, b"x" * 11)], "not pass `total_size`")
    refused(CODE.INVALID_ARGUMENT, method, [chunk(upload, -1, b"x")], "at least 0")
    refused(CODE.INVALID_ARGUMENT, method, [], "there was no message")
    other = pb.UploadChunksRequest(upload="projects/default/uploads/other")
    refused(CODE.INVALID_ARGUMENT, method, [chunk(upload, 0, b""), other], "the same in all")
    refused(CODE.NOT_FOUND, method, [other], "no `projects/default/uploads/other`")
    assert call(service.GetUpload, pb.GetUploadRequest(name=upload.name)).committed_size == 0
    finalize = pb.FinalizeUploadRequest(name=upload.name)
    status = refused(CODE.FAILED_PRECONDITION, service.FinalizeUpload, finalize, "0 of 50 bytes")
    assert status.metadata == {"committed": "0"}


def test_what_was_not_announced_is_not_kept(service):
    upload = start(service, total_size=3, expected_digest=DIGEST)
    feed(service.UploadChunks, [chunk(upload, 0, b"abc")])
    finalize = pb.FinalizeUploadRequest(name=upload.name)
    refused(CODE.FAILED_PRECONDITION, service.FinalizeUpload, finalize, "must be sha256:")


def png(value):
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (value, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def sound(i):
    wave = np.sin(np.arange(800) * 0.01 * (i + 1)).astype("<f4")
    return pb.Audio(samples=wave.tobytes(), sample_rate=8000)


def vector(i):
    values = np.arange(3, dtype="<f4") + i
    return types_pb2.Tensor(data_type=types_pb2.DATA_TYPE_FLOAT32, shape=[3], data=values.tobytes())


def numbers(*values):
    return pb.Numbers(values=values)


def names(*values):
    return pb.ClassNameSet(names=values)


KINDS = {
    "image": ("image", [pb.Sample(image=png(i), class_name="ab"[i % 2]) for i in range(6)]),
    "text": ("text", [pb.Sample(text=f"text {i}", class_id=i % 2) for i in range(6)]),
    "pair": (
        "text_pair",
        [
            pb.Sample(text_pair=pb.TextPair(first=f"a {i}", second="b"), numbers=numbers(i / 7))
            for i in range(6)
        ],
    ),
    "tokens": (
        "tokens",
        [
            pb.Sample(tokens=pb.Tokens(words=["a", f"b{i}"]), tags=names("X", "OY"[i % 2]))
            for i in range(6)
        ],
    ),
    "audio": ("audio", [pb.Sample(audio=sound(i), class_name="ab"[i % 2]) for i in range(6)]),
    "tensor": ("array", [pb.Sample(tensor=vector(i), numbers=numbers(i, -i)) for i in range(6)]),
    "many": (
        "text",
        [pb.Sample(text=f"text {i}", class_names=names(*"abc"[: i % 4])) for i in range(8)],
    ),
    "split": (
        "text",
        [pb.Sample(text=f"t{i}", class_id=i % 2, split=("train", "test")[i > 5]) for i in range(8)],
    ),
}


def begun(service):
    return start(service, dataset=pb.Dataset(display_name="s", format=pb.Dataset.SAMPLES))


def sent(upload, offset, samples):
    return pb.UploadSamplesRequest(upload=upload.name, offset=offset, samples=samples)


@pytest.mark.parametrize("kind", KINDS)
def test_typed_samples_become_a_dataset_that_the_library_reads(service, kind, tmp_path):
    modality, samples = KINDS[kind]
    upload = begun(service)
    done = feed(
        service.UploadSamples, [sent(upload, 0, samples[:2]), sent(upload, 2, samples[2:5])]
    )
    assert done.committed_samples == 5
    state = call(service.GetUpload, pb.GetUploadRequest(name=upload.name))
    assert state.committed_samples == 5
    feed(service.UploadSamples, [sent(upload, 5, samples[5:])])
    made = call(service.FinalizeUpload, pb.FinalizeUploadRequest(name=upload.name))
    assert made.sample_count == len(samples)
    suffix = pb.Dataset.Format.Name(made.format).lower()
    path = tmp_path / f"made.{suffix}"
    path.write_bytes(service._blobs.path(made.digest).read_bytes())
    read = read_dataset(path)
    assert read.modality == modality
    assert len(read) == (6 if kind == "split" else len(samples))
    again = begun(service)
    feed(service.UploadSamples, [sent(again, 0, samples)])
    twin = call(service.FinalizeUpload, pb.FinalizeUploadRequest(name=again.name))
    assert twin.digest == made.digest


def test_a_sample_that_was_cut_off_is_sent_again(service):
    """Only whole samples count; the rest of one is written when it comes again."""
    upload, samples = begun(service), KINDS["text"][1]
    feed(service.UploadSamples, [sent(upload, 0, samples[:3])])
    size = call(service.GetUpload, pb.GetUploadRequest(name=upload.name)).committed_size
    content = samples[3].SerializeToString(deterministic=True)
    torn = len(content).to_bytes(4, "little") + content[:5]
    service._blobs.append(upload.name, size, torn)
    state = call(service.GetUpload, pb.GetUploadRequest(name=upload.name))
    assert (state.committed_samples, state.committed_size) == (3, size)
    feed(service.UploadSamples, [sent(upload, 3, samples[3:])])
    made = call(service.FinalizeUpload, pb.FinalizeUploadRequest(name=upload.name))
    assert made.sample_count == 6


@pytest.mark.parametrize(
    ("samples", "code", "message"),
    [
        ([pb.Sample()], CODE.INVALID_ARGUMENT, r"^`samples\[0\].content` must be given"),
        ([pb.Sample(audio=pb.Audio())], CODE.INVALID_ARGUMENT, r"audio.source` must be given"),
        (
            [pb.Sample(audio=pb.Audio(samples=b"1234"))],
            CODE.INVALID_ARGUMENT,
            r"sample_rate` must be 1 to 768000 Hz; got 0",
        ),
        (
            [pb.Sample(audio=pb.Audio(samples=b"123", sample_rate=8000))],
            CODE.INVALID_ARGUMENT,
            r"must be float32",
        ),
        (
            [pb.Sample(text="a", class_id=-1)],
            CODE.INVALID_ARGUMENT,
            r"class_id` must be at least 0",
        ),
        ([pb.Sample(tensor=types_pb2.Tensor())], CODE.INVALID_ARGUMENT, r"tensor.data_type` must"),
        ([pb.Sample(text="x" * 100_001)], CODE.RESOURCE_EXHAUSTED, r"more than 100000 bytes"),
    ],
)
def test_a_sample_that_is_none_is_named(service, samples, code, message):
    upload = begun(service)
    refused(code, service.UploadSamples, [sent(upload, 0, samples)], message)


def test_samples_of_several_kinds_are_no_dataset(service):
    upload = begun(service)
    finalize = pb.FinalizeUploadRequest(name=upload.name)
    refused(CODE.FAILED_PRECONDITION, service.FinalizeUpload, finalize, "No sample is committed")
    mixed = [pb.Sample(text="a", class_id=1), pb.Sample(image=png(1), class_id=1)]
    feed(service.UploadSamples, [sent(upload, 0, mixed)])
    refused(CODE.FAILED_PRECONDITION, service.FinalizeUpload, finalize, "number 1 holds image")
    other = start(service, total_size=9)
    refused(
        CODE.FAILED_PRECONDITION, service.UploadSamples, [sent(other, 0, mixed)], "by UploadChunks"
    )
    refused(CODE.OUT_OF_RANGE, service.UploadSamples, [sent(upload, 9, mixed)], "committed size, 2")


def test_a_file_and_a_folder_by_uri(service, root):
    (root / "data.csv").write_bytes(CONTENT)
    (root / "photos" / "a").mkdir(parents=True)
    (root / "photos" / "a" / "1.png").write_bytes(png(1))
    made = call(
        service.CreateDataset,
        pb.CreateDatasetRequest(parent=PARENT, dataset=pb.Dataset(uri=f"file://{root}/data.csv")),
    )
    assert (made.digest, made.display_name, made.format) == (DIGEST, "data", pb.Dataset.CSV)
    (root / "data.csv").write_bytes(b"changed later")
    assert service._blobs.path(made.digest).read_bytes() == CONTENT
    folder = call(
        service.CreateDataset,
        pb.CreateDatasetRequest(parent=PARENT, dataset=pb.Dataset(uri=f"file://{root}/photos")),
    )
    assert folder.format == pb.Dataset.FOLDER
    checked = pb.CreateDatasetRequest(
        parent=PARENT,
        dataset_id="check",
        dataset=pb.Dataset(uri=f"file://{root}/photos"),
        validate_only=True,
    )
    name = call(service.CreateDataset, checked).name
    refused(CODE.NOT_FOUND, service.GetDataset, pb.GetDatasetRequest(name=name), "There is no")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "data.csv",
        "https://example.com/data.csv",
        "file://data.csv",
        "file:///etc/passwd",
        "file:///etc/no-such-file",
        "{root}/../secret.csv",
        "{root}/%2e%2e/secret.csv",
        "{root}/..\\secret.csv",
        "{root}/link.csv",
        "{root}/linked/secret.csv",
        "{root}/photos",
        "{root}/a\0b.csv",
    ],
)
def test_no_uri_leads_out(service, root, tmp_path, uri):
    (tmp_path / "secret.csv").write_bytes(CONTENT)
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "linked").symlink_to(tmp_path)
    (root / "photos").mkdir()
    (root / "photos" / "1.csv").symlink_to(tmp_path / "secret.csv")
    uri = uri.replace("{root}", f"file://{root}")
    request = pb.CreateDatasetRequest(parent=PARENT, dataset=pb.Dataset(uri=uri))
    refused(CODE.PERMISSION_DENIED, service.CreateDataset, request, r"dataset URI")


def test_datasets_are_listed_and_forgotten(service):
    for i in range(3):
        upload = start(service, total_size=1, dataset_id=f"d{i}")
        feed(service.UploadChunks, [chunk(upload, 0, bytes([i]))])
        call(service.FinalizeUpload, pb.FinalizeUploadRequest(name=upload.name))
    first = call(service.ListDatasets, pb.ListDatasetsRequest(parent=PARENT, page_size=2))
    second = call(
        service.ListDatasets,
        pb.ListDatasetsRequest(parent=PARENT, page_size=2, page_token=first.next_page_token),
    )
    listed = [dataset.name[-2:] for dataset in (*first.datasets, *second.datasets)]
    assert listed == ["d2", "d1", "d0"]
    name = f"{PARENT}/datasets/d1"
    stale = pb.DeleteDatasetRequest(name=name, etag="stale")
    refused(CODE.ABORTED, service.DeleteDataset, stale, "has changed")
    etag = call(service.GetDataset, pb.GetDatasetRequest(name=name)).etag
    call(service.DeleteDataset, pb.DeleteDatasetRequest(name=name, etag=etag))
    refused(
        CODE.NOT_FOUND, service.DeleteDataset, pb.DeleteDatasetRequest(name=name), "There is no"
    )
    call(service.DeleteDataset, pb.DeleteDatasetRequest(name=name, allow_missing=True))
