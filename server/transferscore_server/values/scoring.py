"""Scores, distances, limits and devices as messages, and requests for them as arguments."""

from __future__ import annotations

from typing import Any

from transferscore.v1 import scoring_service_pb2, system_service_pb2, types_pb2
from transferscore_server.errors import invalid
from transferscore_server.jobs.status import DeviceStatus
from transferscore_server.scoring import Answer
from transferscore_server.settings import Limits
from transferscore_server.values.tensors import tensor_array
from transferscore_server.values.times import duration

__all__ = [
    "device_message",
    "distances_request",
    "distances_response",
    "limits_message",
    "score_request",
    "score_response",
    "scorer_message",
    "scores_named",
    "task_message",
    "task_name",
]

_TASKS: dict[int, str | None] = {
    types_pb2.TASK_UNSPECIFIED: None,
    types_pb2.TASK_CLASSIFICATION: "classification",
    types_pb2.TASK_MULTILABEL: "multilabel",
    types_pb2.TASK_REGRESSION: "regression",
    types_pb2.TASK_TOKEN_CLASSIFICATION: "token_classification",
}


def task_name(task: int, name: str = "task") -> str | None:
    """The library's word for a Task; None where it is to be told from the labels.

    Raises:
        CallError: There is no such task.
    """
    if task not in _TASKS:
        raise invalid(name, f"must be one of {', '.join(types_pb2.Task.keys())}; got {task}.")
    return _TASKS[task]


def task_message(task: str) -> Any:
    """The Task of the library's word; unspecified for one that the contract does not have."""
    return {word: number for number, word in _TASKS.items() if word}.get(task, 0)


def scores_named(names: Any) -> str | list[str] | None:
    """The names of a request as the library takes them."""
    listed = list(names)
    if listed == ["all"]:
        return "all"
    return listed or None


def score_request(request: Any) -> tuple[Any, ...]:
    """The arguments of `score_features` that a request stands for.

    Raises:
        CallError: A field is missing or wrong.
    """
    if not request.HasField("features"):
        raise invalid("features", "must be given, with shape (n, d).")
    target = request.WhichOneof("target")
    if target is None:
        raise invalid("labels", "must be given, or `class_names`: one entry per row of `features`.")
    labels = (
        tensor_array(request.labels, "labels")
        if target == "labels"
        else list(request.class_names.names)
    )
    source = {
        name: tensor_array(getattr(request, name), name)
        for name in ("source_probabilities", "source_logits")
        if request.HasField(name)
    }
    return (
        tensor_array(request.features, "features"),
        labels,
        scores_named(request.scores),
        task_name(request.task),
        source,
        request.return_statistics,
    )


def score_response(answer: Answer) -> Any:
    """The message of scores."""
    return scoring_service_pb2.ScoreFeaturesResponse(
        results=[
            scoring_service_pb2.ScoreResult(score=name, value=value)
            for name, value in answer.values.items()
        ],
        warnings=list(answer.warnings),
        row_count=answer.n_rows,
        statistics=answer.statistics,
    )


def distances_request(request: Any) -> tuple[Any, ...]:
    """The arguments of `compute_distances` that a request stands for.

    Raises:
        CallError: A field is missing or wrong.
    """
    for name in ("source_features", "target_features"):
        if not request.HasField(name):
            raise invalid(name, "must be given, with shape (n, d).")
    labels = tuple(
        tensor_array(getattr(request, name), name) if request.HasField(name) else None
        for name in ("source_labels", "target_labels")
    )
    return (
        tensor_array(request.source_features, "source_features"),
        tensor_array(request.target_features, "target_features"),
        list(request.distances) or None,
        labels,
        request.seed,
    )


def distances_response(answer: Answer) -> Any:
    """The message of distances."""
    return scoring_service_pb2.ComputeDistancesResponse(
        results=[
            scoring_service_pb2.DistanceResult(distance=name, value=value)
            for name, value in answer.values.items()
        ],
        warnings=list(answer.warnings),
    )


def scorer_message(entry: dict[str, Any]) -> Any:
    """One entry of the catalogue."""
    kind = scoring_service_pb2.Scorer.Kind.Value(entry["kind"])
    tasks = [task_message(task) for task in entry["tasks"]]
    return scoring_service_pb2.Scorer(**entry | {"kind": kind, "tasks": tasks})


def limits_message(limits: Limits) -> Any:
    """The limits that GetServerInfo tells."""
    return system_service_pb2.Limits(
        max_message_bytes=limits.max_message_bytes,
        max_chunk_bytes=limits.max_chunk_bytes,
        max_dataset_bytes=limits.max_dataset_bytes,
        max_stream_bytes=limits.max_stream_bytes,
        max_stream_features=limits.max_stream_features,
        max_stream_classes=limits.max_stream_classes,
        max_candidates=limits.max_candidates,
        max_queued_rankings=limits.max_queued_rankings,
        max_project_rankings=limits.max_project_rankings,
        max_page_size=limits.max_page_size,
        max_concurrent_calls=limits.max_concurrent_calls,
        max_watches=limits.max_watches,
        max_unary_time=duration(limits.max_unary_seconds),
        upload_expiry=duration(limits.upload_expiry_seconds),
        watch_heartbeat=duration(limits.watch_heartbeat_seconds),
    )


def device_message(status: DeviceStatus) -> Any:
    """What a device does now."""
    return system_service_pb2.Device(
        id=status.device,
        ready=status.is_ready,
        running=int(bool(status.ranking)),
        resident_bytes=status.memory_bytes,
    )
