from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from transferscore.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Dataset(_message.Message):
    __slots__ = ("name", "display_name", "uri", "digest", "size_bytes", "sample_count", "format", "create_time", "etag")
    class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORMAT_UNSPECIFIED: _ClassVar[Dataset.Format]
        ZIP: _ClassVar[Dataset.Format]
        CSV: _ClassVar[Dataset.Format]
        TSV: _ClassVar[Dataset.Format]
        JSONL: _ClassVar[Dataset.Format]
        PARQUET: _ClassVar[Dataset.Format]
        NPZ: _ClassVar[Dataset.Format]
        SAMPLES: _ClassVar[Dataset.Format]
        FOLDER: _ClassVar[Dataset.Format]
        FINGERPRINT: _ClassVar[Dataset.Format]
    FORMAT_UNSPECIFIED: Dataset.Format
    ZIP: Dataset.Format
    CSV: Dataset.Format
    TSV: Dataset.Format
    JSONL: Dataset.Format
    PARQUET: Dataset.Format
    NPZ: Dataset.Format
    SAMPLES: Dataset.Format
    FOLDER: Dataset.Format
    FINGERPRINT: Dataset.Format
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    uri: str
    digest: str
    size_bytes: int
    sample_count: int
    format: Dataset.Format
    create_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., uri: _Optional[str] = ..., digest: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sample_count: _Optional[int] = ..., format: _Optional[_Union[Dataset.Format, str]] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class CreateDatasetRequest(_message.Message):
    __slots__ = ("parent", "dataset_id", "dataset", "request_id", "validate_only")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    dataset_id: str
    dataset: Dataset
    request_id: str
    validate_only: bool
    def __init__(self, parent: _Optional[str] = ..., dataset_id: _Optional[str] = ..., dataset: _Optional[_Union[Dataset, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class Upload(_message.Message):
    __slots__ = ("name", "committed_size", "committed_samples", "total_size", "expected_digest", "expire_time", "deduplicated")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SIZE_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    committed_size: int
    committed_samples: int
    total_size: int
    expected_digest: str
    expire_time: _timestamp_pb2.Timestamp
    deduplicated: bool
    def __init__(self, name: _Optional[str] = ..., committed_size: _Optional[int] = ..., committed_samples: _Optional[int] = ..., total_size: _Optional[int] = ..., expected_digest: _Optional[str] = ..., expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., deduplicated: bool = ...) -> None: ...

class StartUploadRequest(_message.Message):
    __slots__ = ("parent", "dataset_id", "dataset", "total_size", "expected_digest", "request_id", "task")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    parent: str
    dataset_id: str
    dataset: Dataset
    total_size: int
    expected_digest: str
    request_id: str
    task: _types_pb2.Task
    def __init__(self, parent: _Optional[str] = ..., dataset_id: _Optional[str] = ..., dataset: _Optional[_Union[Dataset, _Mapping]] = ..., total_size: _Optional[int] = ..., expected_digest: _Optional[str] = ..., request_id: _Optional[str] = ..., task: _Optional[_Union[_types_pb2.Task, str]] = ...) -> None: ...

class UploadChunksRequest(_message.Message):
    __slots__ = ("upload", "offset", "data", "crc32")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    upload: str
    offset: int
    data: bytes
    crc32: int
    def __init__(self, upload: _Optional[str] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ..., crc32: _Optional[int] = ...) -> None: ...

class UploadChunksResponse(_message.Message):
    __slots__ = ("committed_size",)
    COMMITTED_SIZE_FIELD_NUMBER: _ClassVar[int]
    committed_size: int
    def __init__(self, committed_size: _Optional[int] = ...) -> None: ...

class UploadSamplesRequest(_message.Message):
    __slots__ = ("upload", "offset", "samples")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    upload: str
    offset: int
    samples: _containers.RepeatedCompositeFieldContainer[Sample]
    def __init__(self, upload: _Optional[str] = ..., offset: _Optional[int] = ..., samples: _Optional[_Iterable[_Union[Sample, _Mapping]]] = ...) -> None: ...

class UploadSamplesResponse(_message.Message):
    __slots__ = ("committed_samples", "committed_size")
    COMMITTED_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SIZE_FIELD_NUMBER: _ClassVar[int]
    committed_samples: int
    committed_size: int
    def __init__(self, committed_samples: _Optional[int] = ..., committed_size: _Optional[int] = ...) -> None: ...

class Sample(_message.Message):
    __slots__ = ("image", "text", "text_pair", "tokens", "audio", "tensor", "class_name", "class_id", "numbers", "class_names", "tags", "split")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_PAIR_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    CLASS_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    CLASS_NAMES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    text: str
    text_pair: TextPair
    tokens: Tokens
    audio: Audio
    tensor: _types_pb2.Tensor
    class_name: str
    class_id: int
    numbers: Numbers
    class_names: ClassNameSet
    tags: ClassNameSet
    split: str
    def __init__(self, image: _Optional[bytes] = ..., text: _Optional[str] = ..., text_pair: _Optional[_Union[TextPair, _Mapping]] = ..., tokens: _Optional[_Union[Tokens, _Mapping]] = ..., audio: _Optional[_Union[Audio, _Mapping]] = ..., tensor: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., class_name: _Optional[str] = ..., class_id: _Optional[int] = ..., numbers: _Optional[_Union[Numbers, _Mapping]] = ..., class_names: _Optional[_Union[ClassNameSet, _Mapping]] = ..., tags: _Optional[_Union[ClassNameSet, _Mapping]] = ..., split: _Optional[str] = ...) -> None: ...

class TextPair(_message.Message):
    __slots__ = ("first", "second")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: str
    second: str
    def __init__(self, first: _Optional[str] = ..., second: _Optional[str] = ...) -> None: ...

class Tokens(_message.Message):
    __slots__ = ("words",)
    WORDS_FIELD_NUMBER: _ClassVar[int]
    words: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, words: _Optional[_Iterable[str]] = ...) -> None: ...

class Audio(_message.Message):
    __slots__ = ("file", "samples", "sample_rate")
    FILE_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    file: bytes
    samples: bytes
    sample_rate: int
    def __init__(self, file: _Optional[bytes] = ..., samples: _Optional[bytes] = ..., sample_rate: _Optional[int] = ...) -> None: ...

class Numbers(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class ClassNameSet(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class GetUploadRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class FinalizeUploadRequest(_message.Message):
    __slots__ = ("name", "digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    digest: str
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class GetDatasetRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListDatasetsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDatasetsResponse(_message.Message):
    __slots__ = ("datasets", "next_page_token")
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    datasets: _containers.RepeatedCompositeFieldContainer[Dataset]
    next_page_token: str
    def __init__(self, datasets: _Optional[_Iterable[_Union[Dataset, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteDatasetRequest(_message.Message):
    __slots__ = ("name", "etag", "allow_missing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    allow_missing: bool
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., allow_missing: bool = ...) -> None: ...
