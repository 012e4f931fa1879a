from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "limits", "devices", "model_schemes", "data_schemes", "library_versions")
    class LibraryVersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    MODEL_SCHEMES_FIELD_NUMBER: _ClassVar[int]
    DATA_SCHEMES_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    version: str
    limits: Limits
    devices: _containers.RepeatedCompositeFieldContainer[Device]
    model_schemes: _containers.RepeatedScalarFieldContainer[str]
    data_schemes: _containers.RepeatedScalarFieldContainer[str]
    library_versions: _containers.ScalarMap[str, str]
    def __init__(self, version: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., devices: _Optional[_Iterable[_Union[Device, _Mapping]]] = ..., model_schemes: _Optional[_Iterable[str]] = ..., data_schemes: _Optional[_Iterable[str]] = ..., library_versions: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_message_bytes", "max_chunk_bytes", "max_dataset_bytes", "max_stream_bytes", "max_stream_features", "max_candidates", "max_queued_rankings", "max_project_rankings", "max_page_size", "max_concurrent_calls", "max_unary_time", "upload_expiry", "watch_heartbeat", "max_stream_classes", "max_watches")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_DATASET_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAM_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAM_FEATURES_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    MAX_QUEUED_RANKINGS_FIELD_NUMBER: _ClassVar[int]
    MAX_PROJECT_RANKINGS_FIELD_NUMBER: _ClassVar[int]
    MAX_PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_CALLS_FIELD_NUMBER: _ClassVar[int]
    MAX_UNARY_TIME_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_EXPIRY_FIELD_NUMBER: _ClassVar[int]
    WATCH_HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAM_CLASSES_FIELD_NUMBER: _ClassVar[int]
    MAX_WATCHES_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    max_chunk_bytes: int
    max_dataset_bytes: int
    max_stream_bytes: int
    max_stream_features: int
    max_candidates: int
    max_queued_rankings: int
    max_project_rankings: int
    max_page_size: int
    max_concurrent_calls: int
    max_unary_time: _duration_pb2.Duration
    upload_expiry: _duration_pb2.Duration
    watch_heartbeat: _duration_pb2.Duration
    max_stream_classes: int
    max_watches: int
    def __init__(self, max_message_bytes: _Optional[int] = ..., max_chunk_bytes: _Optional[int] = ..., max_dataset_bytes: _Optional[int] = ..., max_stream_bytes: _Optional[int] = ..., max_stream_features: _Optional[int] = ..., max_candidates: _Optional[int] = ..., max_queued_rankings: _Optional[int] = ..., max_project_rankings: _Optional[int] = ..., max_page_size: _Optional[int] = ..., max_concurrent_calls: _Optional[int] = ..., max_unary_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., upload_expiry: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., watch_heartbeat: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_stream_classes: _Optional[int] = ..., max_watches: _Optional[int] = ...) -> None: ...

class Device(_message.Message):
    __slots__ = ("id", "ready", "running", "resident_bytes")
    ID_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    id: str
    ready: bool
    running: int
    resident_bytes: int
    def __init__(self, id: _Optional[str] = ..., ready: bool = ..., running: _Optional[int] = ..., resident_bytes: _Optional[int] = ...) -> None: ...
