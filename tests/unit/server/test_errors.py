"""From exception to status: one table, details of bounded size, no defect of ours named theirs."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2
from transferscore_server.errors import (
    CallError,
    Status,
    exhausted,
    invalid,
    not_found,
    status_of,
    to_proto,
    unavailable,
)
from transferscore_server.store import errors as stored

from transferscore.errors import (
    DatasetError,
    EncoderError,
    InputError,
    MissingExtraError,
    StoreError,
    UnknownNameError,
)

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InputError("x"), CODE.INVALID_ARGUMENT, "INVALID_INPUT"),
        (DatasetError("x"), CODE.INVALID_ARGUMENT, "INVALID_INPUT"),
        (UnknownNameError("x"), CODE.INVALID_ARGUMENT, "UNKNOWN_NAME"),
        (EncoderError("x"), CODE.FAILED_PRECONDITION, "MODEL_UNUSABLE"),
        (MissingExtraError("x"), CODE.FAILED_PRECONDITION, "NOT_INSTALLED"),
        (StoreError("x"), CODE.UNAVAILABLE, "STORE_UNAVAILABLE"),
        (MemoryError(), CODE.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY"),
        (TimeoutError(), CODE.DEADLINE_EXCEEDED, "TIME_LIMIT"),
        (stored.NotFoundError("projects/p/rankings/r"), CODE.NOT_FOUND, "NOT_FOUND"),
        (stored.AlreadyExistsError("a"), CODE.ALREADY_EXISTS, "ALREADY_EXISTS"),
        (stored.RequestReusedError("a"), CODE.FAILED_PRECONDITION, "REQUEST_ID_REUSED"),
        (stored.EtagMismatchError("a", "b", "c"), CODE.ABORTED, "ETAG_MISMATCH"),
        (stored.InUseError("a", "b"), CODE.FAILED_PRECONDITION, "IN_USE"),
        (stored.PageTokenError(), CODE.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"),
        (stored.QueueFullError(1, 1, "p"), CODE.RESOURCE_EXHAUSTED, "QUEUE_FULL"),
        (stored.QuotaError(1, 1, 1, "p"), CODE.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"),
        (stored.StoreBusyError("locked"), CODE.UNAVAILABLE, "STORE_BUSY"),
        (stored.StoreFullError("/x"), CODE.RESOURCE_EXHAUSTED, "STORE_FULL"),
        (stored.OffsetError(1, 2), CODE.OUT_OF_RANGE, "OFFSET_MISMATCH"),
        (stored.ChunkCorruptError(1, 2, 3), CODE.ABORTED, "CHUNK_CORRUPT"),
        (stored.DigestError("a", "b"), CODE.FAILED_PRECONDITION, "DIGEST_MISMATCH"),
        (stored.TooLargeError("x"), CODE.RESOURCE_EXHAUSTED, "TOO_LARGE"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_exception_has_its_status(error, code, reason):
    status = status_of(error)
    assert (status.code, status.reason) == (code, reason)
    assert status.message


def every_subclass(kind: type) -> set[type]:
    return {kind}.union(*(every_subclass(sub) for sub in kind.__subclasses__()))


def test_every_exception_of_the_store_has_a_row():
    """A new one without a row would tell a caller of a defect where there is none."""
    abstract = {stored.ServiceError, stored.UploadError, stored.SchemaError}
    for kind in every_subclass(stored.ServiceError) - abstract:
        assert status_of(kind.__new__(kind)).code is not CODE.INTERNAL, kind


def test_a_defect_keeps_its_words_to_the_log():
    status = status_of(RuntimeError("/home/secret/path"), "incident7")
    assert status.code is CODE.INTERNAL
    assert "secret" not in status.message
    assert status.metadata == {"incident": "incident7"}


def details(status: Status) -> dict[str, object]:
    found = {}
    for packed in to_proto(status).details:
        name = packed.TypeName().rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        packed.Unpack(message)
        found[name] = message
    return found


def test_details_say_reason_field_resource_and_delay():
    bad = details(status_of(invalid("a.b", "must be 1.")))
    assert bad["ErrorInfo"].reason == "INVALID_FIELD"
    assert bad["ErrorInfo"].domain == "transferscore.dev"
    assert bad["BadRequest"].field_violations[0].field == "a.b"
    gone = details(status_of(not_found("dataset", "projects/p/datasets/d")))
    assert gone["ResourceInfo"].resource_name == "projects/p/datasets/d"
    busy = details(status_of(exhausted("FULL", "x", 2.5)))
    assert busy["RetryInfo"].retry_delay.ToNanoseconds() == 2_500_000_000
    assert "RetryInfo" in details(status_of(unavailable("STOPPING", "x")))
    assert "RetryInfo" in details(status_of(stored.QueueFullError(1, 1, "p")))
    offset = details(status_of(stored.OffsetError(7, 3)))
    assert offset["ErrorInfo"].metadata == {"committed": "3"}


def test_details_never_outgrow_what_headers_carry():
    violations = {f"field{i}" * 200: "é" * 5000 for i in range(200)}
    metadata = {f"k{i}": "v" * 1000 for i in range(10)}
    status = Status(
        CODE.INVALID_ARGUMENT, "R", "m" * 100_000, violations, metadata, ("t", "n" * 9000)
    )
    message = to_proto(status)
    assert message.ByteSize() <= 6 * 1024
    assert message.details[0].TypeName() == "google.rpc.ErrorInfo"


def test_what_is_no_text_does_not_break_the_status():
    message = to_proto(status_of(CallError(Status(CODE.NOT_FOUND, "R", "a\nb\ud800c"))))
    assert message.message == "a b?c"
