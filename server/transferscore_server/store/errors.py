"""What can go wrong with stored things, each with the stable reason that callers are told.

::

    ServiceError (TransferScoreError)
    ├── NotFoundError            there is nothing of that name
    ├── AlreadyExistsError       the name is taken
    ├── RequestReusedError       a request_id came again with another request
    ├── EtagMismatchError        the thing was changed since it was read
    ├── InUseError               something that still runs needs it
    ├── PageTokenError           the page token is not one of this query
    ├── QueueFullError           as many rankings wait as may wait; try later
    ├── QuotaError               the project, or the server, has used up its bytes
    ├── StoreBusyError           the database is locked or away; try later
    ├── StoreFullError           the disk is full; nothing was changed
    ├── SchemaError              the database is of another version of this package
    └── UploadError              the bytes that came cannot be taken
        ├── OffsetError          they do not start where the committed ones end
        ├── ChunkCorruptError    their checksum is not the one that came with them
        ├── DigestError          the whole is not what was announced
        └── TooLargeError        they are more than was announced, or than may be
"""

from __future__ import annotations

from typing import ClassVar

from transferscore.errors import TransferScoreError

__all__ = [
    "AlreadyExistsError",
    "ChunkCorruptError",
    "DigestError",
    "EtagMismatchError",
    "InUseError",
    "NotFoundError",
    "OffsetError",
    "PageTokenError",
    "QueueFullError",
    "QuotaError",
    "RequestReusedError",
    "SchemaError",
    "ServiceError",
    "StoreBusyError",
    "StoreFullError",
    "TooLargeError",
    "UploadError",
]


class ServiceError(TransferScoreError):
    """Base of what the service raises on purpose; `reason` never changes between versions."""

    reason: ClassVar[str] = "INTERNAL"


class NotFoundError(ServiceError):
    """There is nothing of that name."""

    reason = "NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no `{name}`.")
        self.name = name


class AlreadyExistsError(ServiceError):
    """The name is taken."""

    reason = "ALREADY_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(f"`{name}` exists already; choose another id, or delete it first.")
        self.name = name


class RequestReusedError(ServiceError):
    """A request_id came again with another request."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"`request_id` {request_id!r} was used for a different request; use a new one."
        )


class EtagMismatchError(ServiceError):
    """The thing was changed since it was read."""

    reason = "ETAG_MISMATCH"

    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(
            f"`{name}` has changed: its etag is {found!r}, not {expected!r}. Read it again."
        )
        self.name = name


class InUseError(ServiceError):
    """Something that still runs needs it."""

    reason = "IN_USE"

    def __init__(self, name: str, user: str) -> None:
        super().__init__(f"`{name}` is in use by `{user}`; wait for that to end, or cancel it.")
        self.name, self.user = name, user


class PageTokenError(ServiceError):
    """The page token is not one of this query."""

    reason = "PAGE_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__(
            "`page_token` must be the next_page_token of the same query, with the same filter "
            "and order; start again without one."
        )


class QueueFullError(ServiceError):
    """As many rankings wait as may wait.

    Attributes:
        retry_seconds: When to try again.
    """

    reason = "QUEUE_FULL"

    def __init__(self, waiting: int, limit: int, whose: str, retry_seconds: float = 5.0) -> None:
        super().__init__(
            f"{waiting} rankings of {whose} wait, of at most {limit}; try again in "
            f"{retry_seconds:g} s."
        )
        self.retry_seconds = retry_seconds


class QuotaError(ServiceError):
    """The project, or the server, has used up its bytes."""

    reason = "QUOTA_EXCEEDED"

    def __init__(self, used: int, asked: int, limit: int, whose: str) -> None:
        super().__init__(
            f"{whose} may keep {limit} bytes and keeps {used}; {asked} more do not fit. "
            "Delete datasets that are no longer needed."
        )


class StoreBusyError(ServiceError):
    """The database is locked or away.

    Attributes:
        retry_seconds: When to try again.
    """

    reason = "STORE_BUSY"

    def __init__(self, why: str, retry_seconds: float = 1.0) -> None:
        super().__init__(f"The database cannot be used now ({why}); nothing was changed.")
        self.retry_seconds = retry_seconds


class StoreFullError(ServiceError):
    """The disk is full; nothing was changed."""

    reason = "STORE_FULL"

    def __init__(self, where: str) -> None:
        super().__init__(f"The disk of {where} is full; nothing was changed. Free some space.")


class SchemaError(ServiceError):
    """The database is of another version of this package."""

    reason = "SCHEMA_VERSION"


class UploadError(ServiceError):
    """The bytes that came cannot be taken."""

    reason = "UPLOAD_REJECTED"


class OffsetError(UploadError):
    """They do not start where the committed ones end.

    Attributes:
        committed: Bytes that are kept; send on from there.
    """

    reason = "OFFSET_MISMATCH"

    def __init__(self, offset: int, committed: int) -> None:
        super().__init__(
            f"`offset` must be the committed size, {committed}; got {offset}. Go on from there."
        )
        self.committed = committed


class ChunkCorruptError(UploadError):
    """Their checksum is not the one that came with them.

    Attributes:
        committed: Bytes that are kept; send on from there.
    """

    reason = "CHUNK_CORRUPT"

    def __init__(self, committed: int, expected: int, found: int) -> None:
        super().__init__(
            f"The chunk's CRC-32 must be {expected:#010x}, as it was sent; it is {found:#010x}. "
            f"Send it again from offset {committed}."
        )
        self.committed = committed


class DigestError(UploadError):
    """The whole is not what was announced."""

    reason = "DIGEST_MISMATCH"

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            f"The content's digest must be {expected}, as announced; it is {found}. "
            "Upload it again."
        )


class TooLargeError(UploadError):
    """They are more than was announced, or than may be."""

    reason = "TOO_LARGE"
