"""Rankings as messages, and requests for them as records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.longrunning import operations_pb2
from google.protobuf import json_format
from google.rpc import status_pb2

from transferscore.v1 import ranking_service_pb2 as pb
from transferscore_server.errors import Status, invalid, to_proto
from transferscore_server.names import parse_name
from transferscore_server.store.records import (
    CandidateRecord,
    ErrorRecord,
    EventKind,
    EventRecord,
    RankingRecord,
    RankingSpec,
    RankingState,
)
from transferscore_server.values.scoring import scores_named, task_message, task_name
from transferscore_server.values.times import duration, seconds_of, timestamp

__all__ = [
    "event_message",
    "operation_message",
    "operation_name",
    "progress_message",
    "ranking_message",
    "ranking_name",
    "ranking_options",
]

_DEVICES = ("auto", "cpu", "cuda")
# Arguments of `rank()` without a field, of those that neither read a path nor run code.
_FURTHER = {"baseline", "columns"}
_CODES = {
    "CANCELLED": grpc.StatusCode.CANCELLED,
    "DEADLINE_EXCEEDED": grpc.StatusCode.DEADLINE_EXCEEDED,
    "WORKER_CRASHED": grpc.StatusCode.INTERNAL,
}


def ranking_options(spec: Any, arguments: Sequence[str]) -> dict[str, Any]:
    """The keyword arguments of the library's `rank()` that a spec stands for.

    Args:
        spec: The message.
        arguments: Those that `rank()` has.

    Raises:
        CallError: A field is wrong, or the library has no such option.
    """
    options = _further(spec, arguments)
    options |= {
        "task": task_name(spec.task, "ranking.spec.task"),
        "split": spec.split or None,
        "scores": scores_named(spec.scores),
        "max_samples": _max_samples(spec),
        "seed": spec.seed,
        "device": _device(spec.device),
    }
    asked = {
        "strategies": list(spec.strategies) or None,
        "limits": _limits(spec.limits) if spec.HasField("limits") else None,
        "priors": dict(spec.priors) or None,
        "fingerprints": dict(spec.fingerprints) or None,
    }
    for name, value in asked.items():
        if value is not None:
            _check_argument(name, arguments, f"ranking.spec.{name}")
            options[name] = value
    return {name: value for name, value in options.items() if value is not None}


def _further(spec: Any, arguments: Sequence[str]) -> dict[str, Any]:
    given: dict[str, Any] = json_format.MessageToDict(spec.options)
    for name in given:
        if name not in _FURTHER:
            known = ", ".join(sorted(_FURTHER))
            raise invalid(
                f"ranking.spec.options.{name[:60]}", f"is not allowed here; only {known}."
            )
        _check_argument(name, arguments, f"ranking.spec.options.{name[:60]}")
    return {name: _whole(value) for name, value in given.items()}


def _whole(value: Any) -> Any:
    """JSON knows no whole numbers: one that is whole was meant so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_argument(name: str, arguments: Sequence[str], where: str) -> None:
    if name not in arguments:
        raise invalid(where, "is an option that this server's version of transferscore lacks.")


def _max_samples(spec: Any) -> int | None:
    if not spec.HasField("max_samples"):
        return None
    if spec.max_samples < 1:
        raise invalid("ranking.spec.max_samples", f"must be at least 1; got {spec.max_samples}.")
    return int(spec.max_samples)


def _device(text: str) -> str:
    if text and text.partition(":")[0] not in _DEVICES:
        raise invalid("ranking.spec.device", f"must be one of {', '.join(_DEVICES)}; got {text!r}.")
    return text or "auto"


# Fields of CandidateLimits by the library's words for them.
_LIMITS = {
    "max_gpu_memory": "max_memory_bytes",
    "max_cost": "max_cost",
    "price_per_hour": "price_per_hour",
    "device_flops": "device_flops",
    "device_memory": "device_memory_bytes",
}


def _limits(message: Any) -> dict[str, Any]:
    limits: dict[str, Any] = {
        word: getattr(message, name) for word, name in _LIMITS.items() if message.HasField(name)
    }
    if message.HasField("max_train_time"):
        limits["max_train_time"] = seconds_of(message.max_train_time)
    for word, value in limits.items():
        if not value >= 0:
            name = _LIMITS.get(word, word)
            raise invalid(f"ranking.spec.limits.{name}", f"must be at least 0; got {value}.")
    if message.train_device:
        limits["train_device"] = message.train_device
    _check_limits(limits)
    return limits


def _check_limits(limits: Mapping[str, Any]) -> None:
    """Refuse now what the library would refuse when the models are run.

    Raises:
        UnknownNameError: There is no such device.
        InputError: One limit lacks another that it needs.
    """
    from transferscore.strategies.limits import parse_limits

    parse_limits(limits)


def operation_name(ranking: str) -> str:
    """The name of a ranking's operation."""
    return ranking.replace("/rankings/", "/operations/", 1)


def ranking_name(operation: str) -> str:
    """The name of an operation's ranking.

    Raises:
        CallError: It is no name of an operation.
    """
    name = parse_name("operation", operation)
    return f"projects/{name.project}/rankings/{name.id}"


def ranking_message(record: RankingRecord, finished: Sequence[CandidateRecord] = ()) -> Any:
    """A ranking as callers see it, with what is finished of it where it still runs."""
    document = record.document
    return pb.Ranking(
        name=record.name,
        state=pb.Ranking.State.Value(record.state.value),
        spec=_spec_message(record.spec),
        candidates=_candidates(document, finished),
        failures=_failures(document, finished),
        warnings=document["warnings"] if document else (),
        error=_error_message(record.error) if record.error else None,
        document=_told(document, record.spec.dataset) if document else "",
        create_time=timestamp(record.create_time),
        start_time=timestamp(record.start_time),
        end_time=timestamp(record.end_time),
        etag=record.etag,
        progress=progress_message(record),
    )


def progress_message(record: RankingRecord, body: Mapping[str, Any] | None = None) -> Any:
    """How far a ranking has come, with a PROGRESS event's body where there is one."""
    body = body or {"state": record.state.value}
    return pb.RankingMetadata(
        ranking=record.name,
        # Only a ranking that runs makes progress.
        state=pb.Ranking.State.Value(body.get("state", RankingState.RUNNING.value)),
        candidates_total=record.n_candidates,
        candidates_done=record.n_done,
        candidates_failed=record.n_failed,
        current_model=body.get("model", ""),
        samples_done=body.get("samples_done", 0),
        samples_total=body.get("samples_total", 0),
        last_sequence=record.last_sequence,
    )


def operation_message(record: RankingRecord, finished: Sequence[CandidateRecord] = ()) -> Any:
    """A ranking as google.longrunning sees it."""
    operation = operations_pb2.Operation(
        name=operation_name(record.name), done=record.state.is_final
    )
    operation.metadata.Pack(progress_message(record))
    if record.state is RankingState.SUCCEEDED:
        operation.response.Pack(ranking_message(record, finished))
    elif record.state.is_final:
        reason = "CANCELLED" if record.state is RankingState.CANCELLED else "FAILED"
        error = record.error or ErrorRecord(reason, f"`{record.name}` was cancelled.")
        operation.error.CopyFrom(_error_message(error))
    return operation


def event_message(event: EventRecord | None, record: RankingRecord, sequence: int) -> Any:
    """An event as watchers see it; a heartbeat for None."""
    if event is None:
        return pb.WatchRankingResponse(
            sequence=sequence, heartbeat=pb.WatchRankingResponse.Heartbeat()
        )
    made = pb.WatchRankingResponse(sequence=event.sequence, time=timestamp(event.time))
    if event.kind is EventKind.CANDIDATE:
        rows = event.body["results"]
        made.candidate.CopyFrom(_candidate(rows[0] if rows else {"model": event.body["model"]}))
    elif event.kind is EventKind.FAILURE:
        made.failure.CopyFrom(
            _failure(event.body["model"], event.body["reason"], event.body["message"])
        )
    else:
        made.progress.CopyFrom(progress_message(record, event.body))
    return made


def _spec_message(spec: RankingSpec) -> Any:
    options = dict(spec.options)
    message = pb.RankingSpec(
        dataset=spec.dataset,
        models=[model.name or model.uri for model in spec.models],
        task=task_message(options.pop("task", "")),
        split=options.pop("split", ""),
        scores=_listed(options.pop("scores", [])),
        seed=options.pop("seed", 0),
        device=options.pop("device", "auto"),
        strategies=_listed(options.pop("strategies", [])),
        priors=options.pop("priors", {}),
        fingerprints=options.pop("fingerprints", {}),
    )
    if (most := options.pop("max_samples", None)) is not None:
        message.max_samples = most
    if (limits := options.pop("limits", None)) is not None:
        message.limits.CopyFrom(_limits_message(limits))
    message.options.update(options)
    return message


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _limits_message(limits: Mapping[str, Any]) -> Any:
    given = limits.items()
    values: dict[str, Any] = {_LIMITS[word]: value for word, value in given if word in _LIMITS}
    message = pb.CandidateLimits(**values, train_device=limits.get("train_device", ""))
    if "max_train_time" in limits:
        message.max_train_time.CopyFrom(duration(limits["max_train_time"]))
    return message


def _told(document: Mapping[str, Any], dataset: str) -> str:
    """The document as callers get it: it names the dataset, not where its bytes lay."""
    about = dict(document["dataset"])
    if "source" in about:
        about["source"] = dataset
    return json.dumps({**document, "dataset": about})


def _candidates(
    document: Mapping[str, Any] | None, finished: Sequence[CandidateRecord]
) -> list[Any]:
    if document is not None:
        return [_candidate(row) for row in document["candidates"]]
    rows = [row for record in finished for row in record.results or ()]
    rows.sort(key=lambda row: (-row["predicted"]["value"], row["model"]))
    return [_candidate(row) for row in rows]


def _failures(document: Mapping[str, Any] | None, finished: Sequence[CandidateRecord]) -> list[Any]:
    if document is not None:
        return [_failure(f["model"], f["error"], f["message"]) for f in document["failures"]]
    return [
        _failure(record.model, record.error.reason, record.error.message)
        for record in finished
        if record.error is not None
    ]


def _candidate(row: Mapping[str, Any]) -> Any:
    """A row of the document, or of one that is to be: without rank and comparisons."""
    scores = row.get("scores", {})
    message = pb.RankedCandidate(
        rank=row.get("rank") or 0,
        model=row["model"],
        strategy=row.get("strategy", ""),
        best_probability=row.get("p_best") or 0.0,
        tied_with_first=bool(row.get("tied_with_first")),
        scores={name: float("nan") if v is None else v for name, v in scores.items()},
        feature_count=row.get("n_features") or 0,
        sample_count=row.get("n_samples") or 0,
        elapsed=duration(row.get("seconds") or 0.0),
        forward_time=duration(row.get("forward_seconds") or 0.0),
        is_baseline=bool(row.get("baseline")),
        beats_baseline_probability=row.get("p_beats_baseline"),
        trainable_parameter_count=row.get("trainable_parameters"),
        basis=row.get("basis") or "",
        reason=row.get("reason") or "",
    )
    if (predicted := row.get("predicted")) is not None:
        message.predicted.CopyFrom(pb.Prediction(**predicted))
    if (pareto := row.get("pareto")) is not None:
        message.is_pareto = pareto
    if (distance := row.get("distance")) is not None:
        about = {name: value for name, value in distance.items() if name != "name"}
        message.distance.CopyFrom(pb.SourceDistance(distance=distance["name"], **about))
    if (cost := row.get("cost")) is not None:
        message.cost.CopyFrom(_cost(cost))
    return message


def _cost(cost: Mapping[str, Any]) -> Any:
    seconds = cost["train_seconds"]
    return pb.TrainingCost(
        train_time=None if seconds is None else duration(seconds),
        train_memory_bytes=cost["train_memory_bytes"],
        money=cost["money"],
        fits=cost["fits"],
        broken_limits=cost["breaks"],
        device=cost["device"],
        basis=cost["basis"],
    )


def _failure(model: str, error: str, message: str) -> Any:
    return pb.CandidateFailure(model=model, error=error, message=message)


def _error_message(error: ErrorRecord) -> status_pb2.Status:
    code = _CODES.get(error.reason, grpc.StatusCode.FAILED_PRECONDITION)
    return to_proto(Status(code, error.reason, error.message))
