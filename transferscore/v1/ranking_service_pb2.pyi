from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from transferscore.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ranking(_message.Message):
    __slots__ = ("name", "state", "spec", "candidates", "failures", "warnings", "error", "document", "create_time", "start_time", "end_time", "etag", "progress")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Ranking.State]
        QUEUED: _ClassVar[Ranking.State]
        RUNNING: _ClassVar[Ranking.State]
        CANCELLING: _ClassVar[Ranking.State]
        SUCCEEDED: _ClassVar[Ranking.State]
        FAILED: _ClassVar[Ranking.State]
        CANCELLED: _ClassVar[Ranking.State]
    STATE_UNSPECIFIED: Ranking.State
    QUEUED: Ranking.State
    RUNNING: Ranking.State
    CANCELLING: Ranking.State
    SUCCEEDED: Ranking.State
    FAILED: Ranking.State
    CANCELLED: Ranking.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: Ranking.State
    spec: RankingSpec
    candidates: _containers.RepeatedCompositeFieldContainer[RankedCandidate]
    failures: _containers.RepeatedCompositeFieldContainer[CandidateFailure]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    error: _status_pb2.Status
    document: str
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    etag: str
    progress: RankingMetadata
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[Ranking.State, str]] = ..., spec: _Optional[_Union[RankingSpec, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[RankedCandidate, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[CandidateFailure, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., document: _Optional[str] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., progress: _Optional[_Union[RankingMetadata, _Mapping]] = ...) -> None: ...

class RankingSpec(_message.Message):
    __slots__ = ("dataset", "models", "model_names", "task", "split", "scores", "max_samples", "seed", "device", "strategies", "limits", "priors", "budget", "options", "fingerprints")
    class PriorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class FingerprintsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATASET_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAMES_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    MAX_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PRIORS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINTS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    models: _containers.RepeatedScalarFieldContainer[str]
    model_names: _containers.RepeatedScalarFieldContainer[str]
    task: _types_pb2.Task
    split: str
    scores: _containers.RepeatedScalarFieldContainer[str]
    max_samples: int
    seed: int
    device: str
    strategies: _containers.RepeatedScalarFieldContainer[str]
    limits: CandidateLimits
    priors: _containers.ScalarMap[str, float]
    budget: Budget
    options: _struct_pb2.Struct
    fingerprints: _containers.ScalarMap[str, str]
    def __init__(self, dataset: _Optional[str] = ..., models: _Optional[_Iterable[str]] = ..., model_names: _Optional[_Iterable[str]] = ..., task: _Optional[_Union[_types_pb2.Task, str]] = ..., split: _Optional[str] = ..., scores: _Optional[_Iterable[str]] = ..., max_samples: _Optional[int] = ..., seed: _Optional[int] = ..., device: _Optional[str] = ..., strategies: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[CandidateLimits, _Mapping]] = ..., priors: _Optional[_Mapping[str, float]] = ..., budget: _Optional[_Union[Budget, _Mapping]] = ..., options: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., fingerprints: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CandidateLimits(_message.Message):
    __slots__ = ("max_memory_bytes", "max_train_time", "max_cost", "price_per_hour", "train_device", "device_flops", "device_memory_bytes")
    MAX_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_TRAIN_TIME_FIELD_NUMBER: _ClassVar[int]
    MAX_COST_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    TRAIN_DEVICE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FLOPS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    max_memory_bytes: int
    max_train_time: _duration_pb2.Duration
    max_cost: float
    price_per_hour: float
    train_device: str
    device_flops: float
    device_memory_bytes: int
    def __init__(self, max_memory_bytes: _Optional[int] = ..., max_train_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_cost: _Optional[float] = ..., price_per_hour: _Optional[float] = ..., train_device: _Optional[str] = ..., device_flops: _Optional[float] = ..., device_memory_bytes: _Optional[int] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("wall_time",)
    WALL_TIME_FIELD_NUMBER: _ClassVar[int]
    wall_time: _duration_pb2.Duration
    def __init__(self, wall_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class RankedCandidate(_message.Message):
    __slots__ = ("rank", "model", "strategy", "predicted", "best_probability", "tied_with_first", "scores", "feature_count", "sample_count", "elapsed", "forward_time", "distance", "cost", "is_baseline", "beats_baseline_probability", "trainable_parameter_count", "is_pareto", "basis", "reason")
    class ScoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    RANK_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_FIELD_NUMBER: _ClassVar[int]
    BEST_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    TIED_WITH_FIRST_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    FEATURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    FORWARD_TIME_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    IS_BASELINE_FIELD_NUMBER: _ClassVar[int]
    BEATS_BASELINE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    TRAINABLE_PARAMETER_COUNT_FIELD_NUMBER: _ClassVar[int]
    IS_PARETO_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    rank: int
    model: str
    strategy: str
    predicted: Prediction
    best_probability: float
    tied_with_first: bool
    scores: _containers.ScalarMap[str, float]
    feature_count: int
    sample_count: int
    elapsed: _duration_pb2.Duration
    forward_time: _duration_pb2.Duration
    distance: SourceDistance
    cost: TrainingCost
    is_baseline: bool
    beats_baseline_probability: float
    trainable_parameter_count: int
    is_pareto: bool
    basis: str
    reason: str
    def __init__(self, rank: _Optional[int] = ..., model: _Optional[str] = ..., strategy: _Optional[str] = ..., predicted: _Optional[_Union[Prediction, _Mapping]] = ..., best_probability: _Optional[float] = ..., tied_with_first: bool = ..., scores: _Optional[_Mapping[str, float]] = ..., feature_count: _Optional[int] = ..., sample_count: _Optional[int] = ..., elapsed: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., forward_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., distance: _Optional[_Union[SourceDistance, _Mapping]] = ..., cost: _Optional[_Union[TrainingCost, _Mapping]] = ..., is_baseline: bool = ..., beats_baseline_probability: _Optional[float] = ..., trainable_parameter_count: _Optional[int] = ..., is_pareto: bool = ..., basis: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SourceDistance(_message.Message):
    __slots__ = ("distance", "value", "level", "rests_on")
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    RESTS_ON_FIELD_NUMBER: _ClassVar[int]
    distance: str
    value: float
    level: str
    rests_on: str
    def __init__(self, distance: _Optional[str] = ..., value: _Optional[float] = ..., level: _Optional[str] = ..., rests_on: _Optional[str] = ...) -> None: ...

class TrainingCost(_message.Message):
    __slots__ = ("train_time", "train_memory_bytes", "money", "fits", "broken_limits", "device", "basis")
    TRAIN_TIME_FIELD_NUMBER: _ClassVar[int]
    TRAIN_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    FITS_FIELD_NUMBER: _ClassVar[int]
    BROKEN_LIMITS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    train_time: _duration_pb2.Duration
    train_memory_bytes: int
    money: float
    fits: bool
    broken_limits: _containers.RepeatedScalarFieldContainer[str]
    device: str
    basis: str
    def __init__(self, train_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., train_memory_bytes: _Optional[int] = ..., money: _Optional[float] = ..., fits: bool = ..., broken_limits: _Optional[_Iterable[str]] = ..., device: _Optional[str] = ..., basis: _Optional[str] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("metric", "value", "low", "high")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    metric: str
    value: float
    low: float
    high: float
    def __init__(self, metric: _Optional[str] = ..., value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class CandidateFailure(_message.Message):
    __slots__ = ("model", "error", "message")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    model: str
    error: str
    message: str
    def __init__(self, model: _Optional[str] = ..., error: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class RankingMetadata(_message.Message):
    __slots__ = ("ranking", "state", "candidates_total", "candidates_done", "candidates_failed", "current_model", "samples_done", "samples_total", "last_sequence")
    RANKING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_DONE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FAILED_FIELD_NUMBER: _ClassVar[int]
    CURRENT_MODEL_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_DONE_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ranking: str
    state: Ranking.State
    candidates_total: int
    candidates_done: int
    candidates_failed: int
    current_model: str
    samples_done: int
    samples_total: int
    last_sequence: int
    def __init__(self, ranking: _Optional[str] = ..., state: _Optional[_Union[Ranking.State, str]] = ..., candidates_total: _Optional[int] = ..., candidates_done: _Optional[int] = ..., candidates_failed: _Optional[int] = ..., current_model: _Optional[str] = ..., samples_done: _Optional[int] = ..., samples_total: _Optional[int] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class CreateRankingRequest(_message.Message):
    __slots__ = ("parent", "ranking_id", "ranking", "request_id", "validate_only")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    RANKING_ID_FIELD_NUMBER: _ClassVar[int]
    RANKING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    ranking_id: str
    ranking: Ranking
    request_id: str
    validate_only: bool
    def __init__(self, parent: _Optional[str] = ..., ranking_id: _Optional[str] = ..., ranking: _Optional[_Union[Ranking, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class GetRankingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListRankingsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRankingsResponse(_message.Message):
    __slots__ = ("rankings", "next_page_token")
    RANKINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rankings: _containers.RepeatedCompositeFieldContainer[Ranking]
    next_page_token: str
    def __init__(self, rankings: _Optional[_Iterable[_Union[Ranking, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchRankingRequest(_message.Message):
    __slots__ = ("name", "after_sequence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_sequence: int
    def __init__(self, name: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class WatchRankingResponse(_message.Message):
    __slots__ = ("sequence", "time", "progress", "candidate", "failure", "final", "heartbeat")
    class Heartbeat(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: _timestamp_pb2.Timestamp
    progress: RankingMetadata
    candidate: RankedCandidate
    failure: CandidateFailure
    final: Ranking
    heartbeat: WatchRankingResponse.Heartbeat
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[RankingMetadata, _Mapping]] = ..., candidate: _Optional[_Union[RankedCandidate, _Mapping]] = ..., failure: _Optional[_Union[CandidateFailure, _Mapping]] = ..., final: _Optional[_Union[Ranking, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchRankingResponse.Heartbeat, _Mapping]] = ...) -> None: ...

class CancelRankingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteRankingRequest(_message.Message):
    __slots__ = ("name", "etag", "allow_missing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    allow_missing: bool
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., allow_missing: bool = ...) -> None: ...
