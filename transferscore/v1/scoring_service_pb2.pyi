from google.api import field_behavior_pb2 as _field_behavior_pb2
from transferscore.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScoreFeaturesRequest(_message.Message):
    __slots__ = ("features", "labels", "class_names", "task", "source_probabilities", "scores", "statistics", "return_statistics", "source_logits")
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CLASS_NAMES_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    SOURCE_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    RETURN_STATISTICS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_LOGITS_FIELD_NUMBER: _ClassVar[int]
    features: _types_pb2.Tensor
    labels: _types_pb2.Tensor
    class_names: ClassNames
    task: _types_pb2.Task
    source_probabilities: _types_pb2.Tensor
    scores: _containers.RepeatedScalarFieldContainer[str]
    statistics: bytes
    return_statistics: bool
    source_logits: _types_pb2.Tensor
    def __init__(self, features: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., labels: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., class_names: _Optional[_Union[ClassNames, _Mapping]] = ..., task: _Optional[_Union[_types_pb2.Task, str]] = ..., source_probabilities: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., scores: _Optional[_Iterable[str]] = ..., statistics: _Optional[bytes] = ..., return_statistics: bool = ..., source_logits: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ...) -> None: ...

class ClassNames(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class ScoreFeaturesResponse(_message.Message):
    __slots__ = ("results", "warnings", "row_count", "statistics")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ScoreResult]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    row_count: int
    statistics: bytes
    def __init__(self, results: _Optional[_Iterable[_Union[ScoreResult, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., row_count: _Optional[int] = ..., statistics: _Optional[bytes] = ...) -> None: ...

class ScoreResult(_message.Message):
    __slots__ = ("score", "value")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    score: str
    value: float
    def __init__(self, score: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class ScoreFeatureStreamRequest(_message.Message):
    __slots__ = ("header", "rows", "statistics")
    class Header(_message.Message):
        __slots__ = ("feature_count", "data_type", "task", "label_count", "scores", "return_statistics", "seed")
        FEATURE_COUNT_FIELD_NUMBER: _ClassVar[int]
        DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
        TASK_FIELD_NUMBER: _ClassVar[int]
        LABEL_COUNT_FIELD_NUMBER: _ClassVar[int]
        SCORES_FIELD_NUMBER: _ClassVar[int]
        RETURN_STATISTICS_FIELD_NUMBER: _ClassVar[int]
        SEED_FIELD_NUMBER: _ClassVar[int]
        feature_count: int
        data_type: _types_pb2.DataType
        task: _types_pb2.Task
        label_count: int
        scores: _containers.RepeatedScalarFieldContainer[str]
        return_statistics: bool
        seed: int
        def __init__(self, feature_count: _Optional[int] = ..., data_type: _Optional[_Union[_types_pb2.DataType, str]] = ..., task: _Optional[_Union[_types_pb2.Task, str]] = ..., label_count: _Optional[int] = ..., scores: _Optional[_Iterable[str]] = ..., return_statistics: bool = ..., seed: _Optional[int] = ...) -> None: ...
    class Rows(_message.Message):
        __slots__ = ("features", "labels", "row_count", "crc32")
        FEATURES_FIELD_NUMBER: _ClassVar[int]
        LABELS_FIELD_NUMBER: _ClassVar[int]
        ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
        CRC32_FIELD_NUMBER: _ClassVar[int]
        features: bytes
        labels: bytes
        row_count: int
        crc32: int
        def __init__(self, features: _Optional[bytes] = ..., labels: _Optional[bytes] = ..., row_count: _Optional[int] = ..., crc32: _Optional[int] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    header: ScoreFeatureStreamRequest.Header
    rows: ScoreFeatureStreamRequest.Rows
    statistics: bytes
    def __init__(self, header: _Optional[_Union[ScoreFeatureStreamRequest.Header, _Mapping]] = ..., rows: _Optional[_Union[ScoreFeatureStreamRequest.Rows, _Mapping]] = ..., statistics: _Optional[bytes] = ...) -> None: ...

class ScoreFeatureStreamResponse(_message.Message):
    __slots__ = ("scores", "statistics")
    SCORES_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    scores: ScoreFeaturesResponse
    statistics: bytes
    def __init__(self, scores: _Optional[_Union[ScoreFeaturesResponse, _Mapping]] = ..., statistics: _Optional[bytes] = ...) -> None: ...

class ComputeDistancesRequest(_message.Message):
    __slots__ = ("source_features", "target_features", "source_labels", "target_labels", "distances", "seed")
    SOURCE_FEATURES_FIELD_NUMBER: _ClassVar[int]
    TARGET_FEATURES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_LABELS_FIELD_NUMBER: _ClassVar[int]
    TARGET_LABELS_FIELD_NUMBER: _ClassVar[int]
    DISTANCES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    source_features: _types_pb2.Tensor
    target_features: _types_pb2.Tensor
    source_labels: _types_pb2.Tensor
    target_labels: _types_pb2.Tensor
    distances: _containers.RepeatedScalarFieldContainer[str]
    seed: int
    def __init__(self, source_features: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., target_features: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., source_labels: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., target_labels: _Optional[_Union[_types_pb2.Tensor, _Mapping]] = ..., distances: _Optional[_Iterable[str]] = ..., seed: _Optional[int] = ...) -> None: ...

class ComputeDistancesResponse(_message.Message):
    __slots__ = ("results", "warnings")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DistanceResult]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, results: _Optional[_Iterable[_Union[DistanceResult, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class DistanceResult(_message.Message):
    __slots__ = ("distance", "value")
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    distance: str
    value: float
    def __init__(self, distance: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class ListScorersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListScorersResponse(_message.Message):
    __slots__ = ("scorers", "next_page_token")
    SCORERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    scorers: _containers.RepeatedCompositeFieldContainer[Scorer]
    next_page_token: str
    def __init__(self, scorers: _Optional[_Iterable[_Union[Scorer, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Scorer(_message.Message):
    __slots__ = ("name", "kind", "summary", "range", "chance", "tasks", "needs_source", "streams", "paper", "source_free")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Scorer.Kind]
        SCORE: _ClassVar[Scorer.Kind]
        DISTANCE: _ClassVar[Scorer.Kind]
    KIND_UNSPECIFIED: Scorer.Kind
    SCORE: Scorer.Kind
    DISTANCE: Scorer.Kind
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    NEEDS_SOURCE_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    PAPER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FREE_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: Scorer.Kind
    summary: str
    range: str
    chance: str
    tasks: _containers.RepeatedScalarFieldContainer[_types_pb2.Task]
    needs_source: bool
    streams: bool
    paper: str
    source_free: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[Scorer.Kind, str]] = ..., summary: _Optional[str] = ..., range: _Optional[str] = ..., chance: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[_types_pb2.Task, str]]] = ..., needs_source: bool = ..., streams: bool = ..., paper: _Optional[str] = ..., source_free: _Optional[str] = ...) -> None: ...
