"""Every method under random bytes, mutated messages, wrong shapes and huge claims."""

from __future__ import annotations

import random
import struct
from collections import Counter
from typing import Any

import grpc
from google.longrunning import operations_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

from transferscore.v1 import (
    dataset_service_pb2,
    dataset_service_pb2_grpc,
    ranking_service_pb2,
    scoring_service_pb2,
    system_service_pb2,
    types_pb2,
)

__all__ = ["ALLOWED", "Fuzz"]

CODE = grpc.StatusCode
ALLOWED = {
    CODE.OK,
    CODE.INVALID_ARGUMENT,
    CODE.NOT_FOUND,
    CODE.ALREADY_EXISTS,
    CODE.PERMISSION_DENIED,
    CODE.FAILED_PRECONDITION,
    CODE.ABORTED,
    CODE.OUT_OF_RANGE,
    CODE.RESOURCE_EXHAUSTED,
    CODE.DEADLINE_EXCEEDED,
    CODE.UNIMPLEMENTED,
}
_SERVICES = [
    service
    for module in (
        dataset_service_pb2,
        ranking_service_pb2,
        scoring_service_pb2,
        system_service_pb2,
        operations_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
]
_TEXTS = [
    "",
    "projects/default",
    "projects/default/datasets/d",
    "projects/default/uploads/u",
    "projects/default/rankings/r",
    "projects/default/operations/o",
    "projects/../..",
    "logme",
    "all",
    "frechet",
    "onnx:/etc/passwd",
    "onnx:**",
    "hf:a/b?x=y",
    "file:///etc/passwd",
    "sha256:" + "0" * 64,
    "a.csv",
    "\0\x7f",
    "é" * 50,
    "x" * 5000,
]
_WHOLE = [0, 1, 2, 5, -1, 7, 64, 2**31 - 1, -(2**31), 2**62, -(2**62)]
_REAL = [0.0, 1.0, -1.0, 1e308, float("nan"), float("inf"), 5e-324]


class Fuzz:
    """Sends cases to a server and counts how they end."""

    def __init__(self, address: str, seed: int) -> None:
        self.channel = grpc.insecure_channel(address, [("grpc.max_send_message_length", -1)])
        self.random = random.Random(seed)
        self.methods = [method for service in _SERVICES for method in service.methods]
        self.ended: Counter[str] = Counter()
        self.reached: set[str] = set()
        self.rounds = 0
        self.names: dict[str, str] = {}

    def case(self) -> grpc.StatusCode:
        """One case of one method; the code that it ended with."""
        method = self.random.choice(self.methods)
        if self.random.random() < 0.4:
            bodies = [self._touched(message) for message in _valid(method, self.random, self.names)]
        else:
            bodies = [self._body(method) for _ in range(self._count(method))]
        code = self._send(method, bodies)
        self.ended[code.name] += 1
        if code is CODE.OK:
            self.reached.add(method.name)
        return code

    def prepare(self) -> None:
        """Make what valid messages name: a dataset, an upload of a file, and one of samples.

        To be repeated: what is there is deleted and finalized sooner or later.
        """
        stub = dataset_service_pb2_grpc.DatasetServiceStub(self.channel)
        self.rounds += 1
        for name, file in (("d", "a.csv"), ("u", "a.csv"), ("s", "")):
            made = stub.StartUpload(_start(f"{name}{self.rounds}", file))
            self.names[name] = made.name
        self.names["dataset"] = f"projects/default/datasets/d{self.rounds}"
        self.names["ranking"] = f"projects/default/rankings/r{self.rounds}"
        kind = dataset_service_pb2.UploadChunksRequest
        stub.UploadChunks(iter([kind(upload=self.names["d"], data=_FILE)]))
        stub.FinalizeUpload(dataset_service_pb2.FinalizeUploadRequest(name=self.names["d"]))

    def _count(self, method: Any) -> int:
        return self.random.choice([0, 1, 1, 2, 4]) if method.client_streaming else 1

    def _send(self, method: Any, bodies: list[bytes]) -> grpc.StatusCode:
        make = {
            (False, False): self.channel.unary_unary,
            (True, False): self.channel.stream_unary,
            (False, True): self.channel.unary_stream,
            (True, True): self.channel.stream_stream,
        }[method.client_streaming, method.server_streaming]
        call = make(f"/{method.containing_service.full_name}/{method.name}")
        given = iter(bodies) if method.client_streaming else bodies[0]
        try:
            answer = call(given, timeout=5)
            if method.server_streaming:
                for _ in zip(answer, range(3), strict=False):
                    pass
                answer.cancel()
        except grpc.RpcError as error:
            return error.code()
        return CODE.OK

    def _body(self, method: Any) -> bytes:
        kind = self.random.random()
        if kind < 0.15:
            return self.random.randbytes(self.random.randrange(200))
        content = self._message(method.input_type, 0).SerializeToString()
        if kind < 0.45 and content:
            return self._mutated(content)
        return content

    def _touched(self, message: Any) -> bytes:
        """A valid message, as it is or with a field or a byte changed."""
        if self.random.random() < 0.4 and message.DESCRIPTOR.fields:
            field = self.random.choice(message.DESCRIPTOR.fields)
            message.ClearField(field.name)
            self._set(message, field, 1)
        content = message.SerializeToString()
        return self._mutated(content) if content and self.random.random() < 0.1 else content

    def _mutated(self, content: bytes) -> bytes:
        mutated = bytearray(content)
        for _ in range(self.random.randrange(1, 6)):
            place = self.random.randrange(len(mutated))
            action = self.random.randrange(3)
            if action == 0:
                mutated[place] = self.random.randrange(256)
            elif action == 1 and len(mutated) > 1:
                del mutated[place]
            else:
                mutated[place:place] = self.random.randbytes(self.random.randrange(1, 4))
        return bytes(mutated)

    def _message(self, descriptor: Any, depth: int) -> Any:
        """A message with some of its fields set, a tensor more often right than wrong."""
        message = message_factory.GetMessageClass(descriptor)()
        if descriptor.name == "Tensor" and self.random.random() < 0.7:
            return self._tensor(message)
        for field in descriptor.fields:
            if self.random.random() < (0.7 if depth == 0 else 0.5):
                self._set(message, field, depth)
        return message

    def _tensor(self, message: Any) -> Any:
        rows, columns = self.random.choice([1, 2, 9, 40]), self.random.choice([1, 3, 8])
        message.CopyFrom(
            _labels(rows, self.random)
            if self.random.random() < 0.5
            else _features(rows, columns, self.random)
        )
        return message

    def _set(self, message: Any, field: Any, depth: int) -> None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return
        values = [self._value(field, depth) for _ in range(self.random.randrange(1, 4))]
        values = [value for value in values if value is not None]
        if not values:
            return
        if field.is_repeated:
            getattr(message, field.name).extend(values)
        elif field.type == Field.TYPE_MESSAGE:
            getattr(message, field.name).CopyFrom(values[0])
        else:
            setattr(message, field.name, values[0])

    def _value(self, field: Any, depth: int) -> Any:
        kind = field.type
        if kind == Field.TYPE_MESSAGE:
            is_ours = field.message_type.full_name.startswith("transferscore")
            return self._message(field.message_type, depth + 1) if is_ours and depth < 5 else None
        if kind == Field.TYPE_STRING:
            return self.random.choice(_TEXTS)
        if kind == Field.TYPE_BYTES:
            return self.random.randbytes(self.random.choice([0, 1, 4, 32, 96, 5000]))
        if kind in {Field.TYPE_DOUBLE, Field.TYPE_FLOAT}:
            return self.random.choice(_REAL)
        if kind == Field.TYPE_BOOL:
            return self.random.random() < 0.5
        if kind == Field.TYPE_ENUM:
            return self.random.randrange(0, 9)
        return self._whole(kind)

    def _whole(self, kind: int) -> int:
        value = self.random.choice(_WHOLE)
        if kind in {Field.TYPE_INT32, Field.TYPE_SINT32, Field.TYPE_SFIXED32}:
            return max(-(2**31), min(2**31 - 1, value))
        if kind in {Field.TYPE_UINT32, Field.TYPE_FIXED32}:
            return abs(value) % 2**32
        return abs(value) if kind in {Field.TYPE_UINT64, Field.TYPE_FIXED64} else value


def _features(rows: int, columns: int, rng: random.Random) -> Any:
    values = [rng.gauss(0, 1) for _ in range(rows * columns)]
    return types_pb2.Tensor(
        data_type=1, shape=[rows, columns], data=struct.pack(f"<{len(values)}f", *values)
    )


def _labels(rows: int, rng: random.Random) -> Any:
    values = [rng.randrange(3) for _ in range(rows)]
    return types_pb2.Tensor(data_type=5, shape=[rows], data=struct.pack(f"<{rows}q", *values))


def _start(name: str, file: str) -> Any:
    kind = dataset_service_pb2.Dataset.FORMAT_UNSPECIFIED
    if not file:
        kind = dataset_service_pb2.Dataset.SAMPLES
    return dataset_service_pb2.StartUploadRequest(
        parent="projects/default",
        dataset_id=name,
        dataset=dataset_service_pb2.Dataset(display_name=file, format=kind),
        total_size=len(_FILE) if file else 0,
    )


_FILE = b"text,label\na,0\nb,1\nc,0\nd,1\n"


def _valid(method: Any, rng: random.Random, names: dict[str, str]) -> list[Any]:
    """Messages that a careful caller might send."""
    if method.name in _MADE:
        return _MADE[method.name](rng)
    if method.name in _SENT:
        return _SENT[method.name](rng, names)
    kind = message_factory.GetMessageClass(method.input_type)
    fields = method.input_type.fields_by_name
    if "Upload" in method.name:
        return [kind(name=names[rng.choice("us")])]
    if "parent" in fields:
        return [kind(parent="projects/default")]
    if method.name == "ListOperations":
        return [kind(name="projects/default")]
    if "Dataset" in method.name:
        return [kind(name=names["dataset"])]
    if "Operation" in method.name:
        return [kind(name=names["ranking"].replace("rankings", "operations"))]
    return [kind(name=names["ranking"])] if "name" in fields else [kind()]


def _scored(rng: random.Random) -> list[Any]:
    rows = rng.choice([9, 40])
    return [
        scoring_service_pb2.ScoreFeaturesRequest(
            features=_features(rows, 3, rng),
            labels=_labels(rows, rng),
            scores=rng.choice([["logme"], ["h_score", "knn"], []]),
            return_statistics=rng.random() < 0.5,
        )
    ]


def _streamed(rng: random.Random) -> list[Any]:
    kind = scoring_service_pb2.ScoreFeatureStreamRequest
    header = kind.Header(feature_count=3, data_type=1, scores=["logme"])
    parts = [kind(header=header)]
    for _ in range(rng.randrange(1, 4)):
        x, y = _features(9, 3, rng), _labels(9, rng)
        parts.append(kind(rows=kind.Rows(features=x.data, labels=y.data, row_count=9)))
    return parts


def _distanced(rng: random.Random) -> list[Any]:
    return [
        scoring_service_pb2.ComputeDistancesRequest(
            source_features=_features(40, 3, rng),
            target_features=_features(9, 3, rng),
            distances=rng.choice([["frechet"], ["mmd", "energy_distance"]]),
        )
    ]


def _chunked(rng: random.Random, names: dict[str, str]) -> list[Any]:
    kind = dataset_service_pb2.UploadChunksRequest
    cut = rng.randrange(len(_FILE))
    return [kind(upload=names["u"], data=_FILE[:cut]), kind(offset=cut, data=_FILE[cut:])]


def _sampled(rng: random.Random, names: dict[str, str]) -> list[Any]:
    sample = dataset_service_pb2.Sample(text="a", class_id=rng.randrange(2))
    return [
        dataset_service_pb2.UploadSamplesRequest(
            upload=names["s"], offset=rng.randrange(3), samples=[sample]
        )
    ]


def _created(rng: random.Random, names: dict[str, str]) -> list[Any]:
    spec = ranking_service_pb2.RankingSpec(
        dataset=names["dataset"], models=["onnx:m.onnx"], scores=["logme"]
    )
    return [
        ranking_service_pb2.CreateRankingRequest(
            parent="projects/default",
            ranking_id=names["ranking"].rpartition("/")[2],
            ranking=ranking_service_pb2.Ranking(spec=spec),
            validate_only=rng.random() < 0.3,
        )
    ]


_MADE = {
    "ScoreFeatures": _scored,
    "ScoreFeatureStream": _streamed,
    "ComputeDistances": _distanced,
    "StartUpload": lambda rng: [_start(rng.choice("usx"), rng.choice(["a.csv", "b.zip", ""]))],
}
_SENT = {"UploadChunks": _chunked, "UploadSamples": _sampled, "CreateRanking": _created}
