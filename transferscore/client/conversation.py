"""What a client says to a server, as steps: written once for both kinds of client."""

from __future__ import annotations

import hashlib
import json
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from transferscore.client.faults import error_of
from transferscore.client.source import (
    FileSource,
    SampleSource,
    Source,
    fingerprint_source,
    source_of,
    tensor_of,
)
from transferscore.client.spec import spec_of, task_of
from transferscore.client.steps import Call, Failed, Feed, Pause, Steps, Stream
from transferscore.client.watching import Watcher
from transferscore.errors import EncoderError, ServerError
from transferscore.events import Event
from transferscore.v1 import dataset_service_pb2 as data_pb
from transferscore.v1 import ranking_service_pb2 as ranking_pb
from transferscore.v1 import scoring_service_pb2 as scoring_pb
from transferscore.v1 import system_service_pb2 as system_pb

__all__ = ["Conversation"]

_DATASETS = "/transferscore.v1.DatasetService/"
_RANKINGS = "/transferscore.v1.RankingService/"
_SCORING = "/transferscore.v1.ScoringService/"
_SYSTEM = "/transferscore.v1.SystemService/"
# Above this a feature matrix goes in parts: messages may have twice as much, and both ends hold
# each of them whole.
_STREAM_BYTES = 8 * 2**20
_ROWS_BYTES = 2**20
_LOST = {"UNAVAILABLE", "INTERNAL", "CANCELLED"}
_MOST_BREAKS = 20


class Conversation:
    """Talks with one server about one project."""

    def __init__(self, address: str, project: str, seconds: float) -> None:
        """Allow `seconds` for each single call."""
        self._address, self._parent, self._seconds = address, f"projects/{project}", seconds
        self.ranking_name = ""

    def server_info(self) -> Steps[Any]:
        """What the server is and allows."""
        request = system_pb.GetServerInfoRequest()
        return (yield from self._call(_SYSTEM, "GetServerInfo", request, "GetServerInfoResponse"))

    def score(
        self,
        features: Any,
        labels: Any,
        scores: str | Iterable[str] | None,
        task: str | None,
        source: Mapping[str, Any],
    ) -> Steps[dict[str, float]]:
        """Scores of features; in a stream where they are too large for a message."""
        names = _names(scores)
        array = np.asarray(features)
        if array.nbytes <= _STREAM_BYTES or source or np.asarray(labels).dtype.kind in "OUS":
            request = scoring_pb.ScoreFeaturesRequest(
                features=tensor_of(array),
                task=task_of(task),
                scores=names,
                **_target(labels),
                **{name: tensor_of(value) for name, value in source.items() if value is not None},
            )
            answer = yield from self._call(_SCORING, "ScoreFeatures", request)
        else:
            answer = yield from self._streamed(array, np.asarray(labels), names, task)
        _warn(answer.warnings)
        return {result.score: result.value for result in answer.results}

    def distance(
        self,
        source: Any,
        target: Any,
        distances: str | Iterable[str] | None,
        labels: tuple[Any, Any],
        seed: int,
    ) -> Steps[dict[str, float]]:
        """Distances between two samples."""
        pairs = zip(("source_labels", "target_labels"), labels, strict=True)
        request = scoring_pb.ComputeDistancesRequest(
            source_features=tensor_of(source),
            target_features=tensor_of(target),
            distances=_names(distances),
            seed=seed,
            **{name: tensor_of(value) for name, value in pairs if value is not None},
        )
        answer = yield from self._call(_SCORING, "ComputeDistances", request)
        _warn(answer.warnings)
        return {result.distance: result.value for result in answer.results}

    def rank(
        self,
        dataset: Any,
        models: Any,
        labels: Any,
        options: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
    ) -> Steps[Any]:
        """A ranking, from the dataset to its document."""
        fingerprints = options.get("fingerprints") or {}
        spec = spec_of(models, {**options, "fingerprints": None})
        for model, fingerprint in fingerprints.items():
            with fingerprint_source(fingerprint) as source:
                spec.fingerprints[model] = yield from self._sent(source)
        with source_of(dataset, labels, options.get("task")) as source:
            spec.dataset = yield from self._sent(source)
        request = ranking_pb.CreateRankingRequest(
            parent=self._parent,
            ranking=ranking_pb.Ranking(spec=spec),
            request_id=str(uuid.uuid4()),
        )
        from google.longrunning import operations_pb2

        operation = yield from self._call(
            _RANKINGS, "CreateRanking", request, operations_pb2.Operation
        )
        self.ranking_name = operation.name.replace("/operations/", "/rankings/", 1)
        final = yield from self._watched(on_event)
        from transferscore.ranking import with_source

        # The caller knows where the samples are; the server does not.
        return with_source(self._answer(final), dataset, options.get("columns"))

    def cancel(self) -> Steps[None]:
        """Stop the ranking that this conversation is about, if there is one."""
        if self.ranking_name:
            request = ranking_pb.CancelRankingRequest(name=self.ranking_name)
            yield from self._call(_RANKINGS, "CancelRanking", request, ranking_pb.Ranking)

    def _call(self, service: str, method: str, request: Any, response: Any = None) -> Steps[Any]:
        kind = response or f"{method}Response"
        if isinstance(kind, str):
            kind = getattr(_MODULES[service], kind)
        try:
            return (yield Call(service + method, request, kind, self._seconds))
        except Failed as failed:
            raise error_of(failed.fault, self._address) from None

    def _streamed(
        self, features: Any, labels: Any, names: Sequence[str], task: str | None
    ) -> Steps[Any]:
        from transferscore.datasets.labels import guess_task

        kind = task or guess_task(labels).kind
        requests = partial(_parts, features, labels, names, kind)
        method = _SCORING + "ScoreFeatureStream"
        try:
            answer = yield Feed(
                method, requests, scoring_pb.ScoreFeatureStreamResponse, None, many=True
            )
        except Failed as failed:
            raise error_of(failed.fault, self._address) from None
        return answer[0].scores

    def _sent(self, source: Source) -> Steps[str]:
        """The name of the dataset on the server; what is there already is not sent again."""
        if isinstance(source, SampleSource):
            return (yield from self._sent_samples(source))
        name = f"{self._parent}/datasets/{_dataset_id(source)}"
        request = data_pb.GetDatasetRequest(name=name)
        try:
            yield Call(_DATASETS + "GetDataset", request, data_pb.Dataset, self._seconds)
            return name
        except Failed as failed:
            if failed.fault.code != "NOT_FOUND":
                raise error_of(failed.fault, self._address) from None
        return (yield from self._sent_file(source))

    def _sent_file(self, source: FileSource) -> Steps[str]:
        request = data_pb.StartUploadRequest(
            parent=self._parent,
            dataset_id=_dataset_id(source),
            dataset=data_pb.Dataset(display_name=source.name, format=source.format),
            total_size=source.size,
            expected_digest=source.digest,
            request_id=str(uuid.uuid4()),
        )
        upload = yield from self._call(_DATASETS, "StartUpload", request, data_pb.Upload)
        if not upload.deduplicated:
            yield from self._fed(
                "UploadChunks",
                upload.name,
                lambda start: _chunk_requests(source, upload.name, start),
                data_pb.UploadChunksResponse,
                "committed_size",
            )
        return (yield from self._finalized(upload.name))

    def _sent_samples(self, source: SampleSource) -> Steps[str]:
        request = data_pb.StartUploadRequest(
            parent=self._parent,
            dataset=data_pb.Dataset(display_name=source.name, format=data_pb.Dataset.SAMPLES),
            request_id=str(uuid.uuid4()),
            task=source.task,
        )
        upload = yield from self._call(_DATASETS, "StartUpload", request, data_pb.Upload)
        yield from self._fed(
            "UploadSamples",
            upload.name,
            lambda start: _sample_requests(source, upload.name, start),
            data_pb.UploadSamplesResponse,
            "committed_samples",
        )
        return (yield from self._finalized(upload.name))

    def _fed(
        self,
        method: str,
        upload: str,
        requests: Callable[[int], Iterator[Any]],
        response: Any,
        committed: str,
    ) -> Steps[None]:
        """Send a stream, after every break from where it was committed."""
        start = 0
        for attempt in range(_MOST_BREAKS):
            feed = Feed(_DATASETS + method, partial(requests, start), response, None)
            try:
                yield feed
                return
            except Failed as failed:
                fault = failed.fault
                if fault.code not in _LOST | {"ABORTED", "OUT_OF_RANGE"}:
                    raise error_of(fault, self._address) from None
            yield Pause(min(5.0, 0.2 * 2**attempt))
            request = data_pb.GetUploadRequest(name=upload)
            state = yield from self._call(_DATASETS, "GetUpload", request, data_pb.Upload)
            start = getattr(state, committed)
        raise error_of(fault, self._address)

    def _finalized(self, upload: str) -> Steps[str]:
        request = data_pb.FinalizeUploadRequest(name=upload)
        dataset = yield from self._call(_DATASETS, "FinalizeUpload", request, data_pb.Dataset)
        name: str = dataset.name
        return name

    def _watched(self, on_event: Callable[[Event], None] | None) -> Steps[Any]:
        """The ranking once it has ended; a connection that breaks on the way is made again."""
        watcher, breaks, seen = Watcher(on_event), 0, -1
        while watcher.final is None:
            request = ranking_pb.WatchRankingRequest(
                name=self.ranking_name, after_sequence=watcher.sequence
            )
            method = _RANKINGS + "WatchRanking"
            try:
                yield Stream(method, request, ranking_pb.WatchRankingResponse, None, watcher.take)
            except Failed as failed:
                breaks = 0 if watcher.sequence > seen else breaks + 1
                seen = watcher.sequence
                if failed.fault.code not in _LOST or breaks > _MOST_BREAKS:
                    raise error_of(failed.fault, self._address) from None
                yield Pause(min(5.0, 0.2 * 2**breaks))
        return watcher.final

    def _answer(self, final: Any) -> Any:
        from transferscore.ranking import ranking_of_document

        if final.state == ranking_pb.Ranking.SUCCEEDED:
            return ranking_of_document(json.loads(final.document))
        state = ranking_pb.Ranking.State.Name(final.state)
        if final.state == ranking_pb.Ranking.CANCELLED:
            raise ServerError(f"`{final.name}` was cancelled.", "CANCELLED", state)
        raise EncoderError(f"`{final.name}` failed: {final.error.message}")


_MODULES = {_DATASETS: data_pb, _RANKINGS: ranking_pb, _SCORING: scoring_pb, _SYSTEM: system_pb}


def _warn(messages: Iterable[str]) -> None:
    """Warn here of what the library warned of there, as of the line that called the client."""
    for message in messages:
        warnings.warn(message, RuntimeWarning, stacklevel=5)


def _names(names: str | Iterable[str] | None) -> list[str]:
    if names is None:
        return []
    return names.split(",") if isinstance(names, str) else list(names)


def _target(labels: Any) -> dict[str, Any]:
    array = np.asarray(labels)
    if array.dtype.kind in "OUS":
        return {"class_names": scoring_pb.ClassNames(names=[str(each) for each in labels])}
    return {"labels": tensor_of(array)}


def _parts(features: Any, labels: Any, names: Sequence[str], task: str) -> Iterator[Any]:
    columns = 1 if labels.ndim == 1 else labels.shape[1]
    first = tensor_of(features[:1])
    header = scoring_pb.ScoreFeatureStreamRequest.Header(
        feature_count=features.shape[1],
        data_type=first.data_type,
        task=task_of(task),
        label_count=columns,
        scores=names,
    )
    yield scoring_pb.ScoreFeatureStreamRequest(header=header)
    kind = "<i8" if task in {"classification", "token_classification"} else "<f8"
    size = max(1, _ROWS_BYTES // max(1, features[:1].nbytes))
    for start in range(0, len(features), size):
        block = tensor_of(features[start : start + size])
        rows = scoring_pb.ScoreFeatureStreamRequest.Rows(
            features=block.data,
            labels=labels[start : start + size].astype(kind).tobytes(),
            row_count=block.shape[0],
        )
        yield scoring_pb.ScoreFeatureStreamRequest(rows=rows)


def _dataset_id(source: FileSource) -> str:
    """The same for the same bytes under the same name, so that they are sent once."""
    about = hashlib.sha256(f"{source.format}/{source.name}/{source.digest}".encode())
    return "f" + about.hexdigest()[:40]


def _chunk_requests(source: FileSource, upload: str, start: int) -> Iterator[Any]:
    yield data_pb.UploadChunksRequest(upload=upload, offset=start)
    for offset, chunk in source.chunks(start, 2**20):
        yield data_pb.UploadChunksRequest(offset=offset, data=chunk)


def _sample_requests(source: SampleSource, upload: str, start: int) -> Iterator[Any]:
    """Samples in messages of about a mebibyte."""
    request = data_pb.UploadSamplesRequest(upload=upload, offset=start)
    size = 0
    for position, sample in enumerate(source.samples(start), start):
        size += sample.ByteSize()
        request.samples.append(sample)
        if size >= _ROWS_BYTES:
            yield request
            request = data_pb.UploadSamplesRequest(upload=upload, offset=position + 1)
            size = 0
    yield request
