"""ScoringService without a socket: the library's numbers, and one clear error a mistake."""

from __future__ import annotations

import asyncio
import zlib

import grpc
import numpy as np
import pytest
from transferscore_server.errors import CallError, status_of
from transferscore_server.servicers import ScoringServicer
from transferscore_server.settings import Limits

import transferscore
from transferscore.statistics import Statistics, statistics_of
from transferscore.v1 import scoring_service_pb2 as pb
from transferscore.v1 import types_pb2

TYPES = {
    "f2": types_pb2.DATA_TYPE_FLOAT16,
    "f4": types_pb2.DATA_TYPE_FLOAT32,
    "f8": types_pb2.DATA_TYPE_FLOAT64,
    "i4": types_pb2.DATA_TYPE_INT32,
    "i8": types_pb2.DATA_TYPE_INT64,
    "u1": types_pb2.DATA_TYPE_UINT8,
}


class Inline:
    """Computes where it is called."""

    async def run(self, function, *arguments):
        return function(*arguments)


def tensor(array, *, crc=False):
    array = np.ascontiguousarray(array)
    message = types_pb2.Tensor(
        data_type=TYPES[array.dtype.str[1:]], shape=array.shape, data=array.tobytes()
    )
    if crc:
        message.crc32 = zlib.crc32(message.data)
    return message


def servicer(**limits):
    return ScoringServicer(Inline(), Limits(**limits))


def score(request, **limits):
    return asyncio.run(servicer(**limits).ScoreFeatures(request))


def stream(parts, **limits):
    async def run():
        async def requests():
            for part in parts:
                yield part

        return [each async for each in servicer(**limits).ScoreFeatureStream(requests())]

    return asyncio.run(run())


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 120)
    x = (rng.normal(size=(120, 9)) + y[:, None]).astype("f4")
    return x, y


def values(response):
    return {result.score: result.value for result in response.results}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_scores_are_the_librarys_to_the_last_bit(data):
    x, y = data
    response = score(pb.ScoreFeaturesRequest(features=tensor(x, crc=True), labels=tensor(y)))
    assert values(response) == dict(transferscore.score(x, y))
    assert response.row_count == 120


def test_every_kind_of_input_arrives(data):
    x, y = data
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(5), len(x))
    request = pb.ScoreFeaturesRequest(
        features=tensor(x),
        class_names=pb.ClassNames(names=[f"class {i}" for i in y]),
        source_probabilities=tensor(p),
        scores=["leep", "logme"],
    )
    names = [f"class {i}" for i in y]
    expected = transferscore.score(x, names, "leep,logme", source_probabilities=p)
    assert values(score(request)) == dict(expected)
    numbers = pb.ScoreFeaturesRequest(
        features=tensor(x),
        labels=tensor(p[:, :2]),
        task=types_pb2.TASK_REGRESSION,
        scores=["logme"],
    )
    expected = transferscore.score(x, p[:, :2], "logme", task="regression")
    assert values(score(numbers)) == dict(expected)


def test_narrow_numbers_are_read_as_they_are(data):
    x, y = data
    half = x.astype("f2")
    response = score(
        pb.ScoreFeaturesRequest(features=tensor(half), labels=tensor(y), scores=["logme"])
    )
    assert values(response) == dict(transferscore.score(half, y, "logme"))
    bits = (x.view("u4") >> 16).astype("u2")
    brain = types_pb2.Tensor(
        data_type=types_pb2.DATA_TYPE_BFLOAT16, shape=x.shape, data=bits.tobytes()
    )
    response = score(pb.ScoreFeaturesRequest(features=brain, labels=tensor(y), scores=["logme"]))
    widened = (bits.astype("u4") << 16).view("f4")
    assert values(response) == dict(transferscore.score(widened, y, "logme"))


def test_statistics_come_back_and_can_be_scored_and_merged(data):
    x, y = data
    request = pb.ScoreFeaturesRequest(
        features=tensor(x), labels=tensor(y), scores=["logme"], return_statistics=True
    )
    first = score(request)
    again = score(pb.ScoreFeaturesRequest(statistics=first.statistics, scores=["logme"]))
    assert again.row_count == 120
    assert not again.statistics
    assert values(again)["logme"] == pytest.approx(values(first)["logme"], rel=1e-10)
    merged = Statistics.from_bytes(first.statistics).merge(Statistics(x, y))
    assert merged.n_samples == 240


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.ClearField("features"), r"^`features` must be given"),
        (lambda r: r.ClearField("labels"), r"^`labels` must be given"),
        (lambda r: setattr(r.features, "data_type", 0), r"^`features.data_type` must be one of"),
        (lambda r: setattr(r.features, "data_type", 99), r"^`features.data_type` must be one of"),
        (lambda r: r.features.shape.append(2), r"^`features.data` must have 8640 bytes"),
        (lambda r: r.features.shape.extend([1, 1, 1]), r"^`features.shape` must have at most 4"),
        (
            lambda r: r.features.shape.__setitem__(0, -120),
            r"^`features.shape` must have .* none neg",
        ),
        (
            lambda r: r.features.shape.__setitem__(0, 2**62),
            r"^`features.shape` must have sizes whose",
        ),
        (lambda r: setattr(r, "task", 77), r"^`task` must be one of"),
        (lambda r: r.scores.append("best"), r"^There is no score named 'best'"),
        (lambda r: r.scores.append("leep"), r"source"),
        (lambda r: setattr(r, "statistics", b"x" * 99), r"statistics"),
    ],
)
def test_a_mistake_is_named(data, change, message):
    x, y = data
    request = pb.ScoreFeaturesRequest(features=tensor(x), labels=tensor(y))
    change(request)
    with pytest.raises(Exception, match=message) as caught:
        score(request)
    assert status_of(caught.value).code is grpc.StatusCode.INVALID_ARGUMENT


def test_an_empty_array_may_not_claim_to_be_huge(data):
    x, y = data
    request = pb.ScoreFeaturesRequest(features=tensor(x), labels=tensor(y))
    request.features.data = b""
    request.features.shape[:] = [0, 2**62, 2**62]
    with pytest.raises(CallError, match=r"^`features.shape` must have sizes whose product"):
        score(request)


def test_damaged_bytes_may_be_sent_again(data):
    x, y = data
    request = pb.ScoreFeaturesRequest(features=tensor(x, crc=True), labels=tensor(y))
    request.features.crc32 ^= 1
    with pytest.raises(CallError, match=r"^The CRC-32 of `features` must be") as caught:
        score(request)
    assert caught.value.status.code is grpc.StatusCode.ABORTED


def parts_of(x, y, sizes, *, crc=False, **header):
    given = {"feature_count": x.shape[1], "data_type": types_pb2.DATA_TYPE_FLOAT32} | header
    yield pb.ScoreFeatureStreamRequest(header=pb.ScoreFeatureStreamRequest.Header(**given))
    start = 0
    for size in sizes:
        rows = pb.ScoreFeatureStreamRequest.Rows(
            features=x[start : start + size].tobytes(),
            labels=y[start : start + size].tobytes(),
            row_count=size,
        )
        if crc:
            rows.crc32 = zlib.crc32(rows.labels, zlib.crc32(rows.features))
        yield pb.ScoreFeatureStreamRequest(rows=rows)
        start += size


def test_a_stream_gives_what_one_message_gives(data):
    x, y = data
    names = ["logme", "h_score", "lfc"]
    (response,) = stream(parts_of(x, y, [1, 50, 69], crc=True, scores=names))
    expected = transferscore.score(x, y, names)
    assert values(response.scores) == pytest.approx(dict(expected), rel=1e-10)
    assert response.scores.row_count == 120
    assert not response.scores.statistics


def test_a_long_stream_is_summed_up_on_the_way():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(9000, 512)).astype("f4")
    y = rng.integers(0, 3, 9000)
    (response,) = stream(parts_of(x, y, [1500] * 6, scores=["logme"]))
    expected = transferscore.score(statistics_of([(x, y)]), scores="logme")
    assert values(response.scores) == pytest.approx(dict(expected), rel=1e-9)


def test_statistics_of_a_stream_go_into_the_next(data):
    x, y = data
    first, *pieces = stream(
        parts_of(x[:60], y[:60], [60], return_statistics=True), max_chunk_bytes=1000
    )
    assert len(pieces) > 1
    header, *rows = parts_of(x[60:], y[60:], [60], scores=["logme"])
    earlier = [pb.ScoreFeatureStreamRequest(statistics=p.statistics) for p in pieces]
    (response,) = stream([header, *earlier, *rows])
    assert response.scores.row_count == 120
    expected = transferscore.score(x, y, "logme")
    assert values(response.scores) == pytest.approx(dict(expected), rel=1e-10)
    assert first.scores.row_count == 60


def test_several_numbers_a_label(data):
    x, _ = data
    target = np.random.default_rng(3).normal(size=(120, 3))
    header = {"task": types_pb2.TASK_REGRESSION, "label_count": 3, "scores": ["logme"]}
    (response,) = stream(parts_of(x, target, [120], **header))
    expected = transferscore.score(x, target, "logme", task="regression")
    assert values(response.scores) == pytest.approx(dict(expected), rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parts: parts.clear(), r"^`header` must be given in the first message"),
        (lambda parts: parts.pop(0), r"^`part` must be `header` in the first message"),
        (lambda parts: parts.append(parts[0]), r"^`part` must be `rows` or `statistics`"),
        (lambda parts: parts.pop(), r"^The stream ended without rows"),
        (
            lambda parts: setattr(parts[0].header, "feature_count", 0),
            r"^`header.feature_count` must be 1 to 4096; got 0",
        ),
        (
            lambda parts: setattr(parts[0].header, "feature_count", 2**30),
            r"^`header.feature_count` must be 1 to 4096",
        ),
        (lambda parts: setattr(parts[0].header, "data_type", 0), r"^`header.data_type` must be"),
        (
            lambda parts: setattr(parts[0].header, "label_count", 2),
            r"^`header.label_count` must be 1",
        ),
        (lambda parts: setattr(parts[0].header, "task", 2), r"^`header.label_count` must be 1 to"),
        (lambda parts: setattr(parts[1].rows, "row_count", 0), r"^`rows.row_count` must be 1 to"),
        (
            lambda parts: setattr(parts[1].rows, "row_count", 119),
            r"^`rows.features.data` must have",
        ),
        (lambda parts: setattr(parts[1].rows, "labels", b"1"), r"^`rows.labels.data` must have"),
        (lambda parts: setattr(parts[1].rows, "crc32", 1), r"^The CRC-32 of `rows`"),
    ],
)
def test_a_mistake_in_a_stream_is_named(data, change, message):
    parts = list(parts_of(*data, [120]))
    change(parts)
    with pytest.raises(CallError, match=message):
        stream(parts)


def test_a_stream_keeps_to_its_limits(data):
    x, y = data
    with pytest.raises(CallError, match=r"^A stream may have 1000 bytes"):
        stream(parts_of(x, y, [60, 60]), max_stream_bytes=1000)
    with pytest.raises(CallError, match=r"^A stream may have 3 classes"):
        stream(parts_of(x, y, [120]), max_stream_classes=3)


def test_distances_are_the_librarys_to_the_last_bit(data):
    x, _ = data
    request = pb.ComputeDistancesRequest(
        source_features=tensor(x[:60]),
        target_features=tensor(x[60:]),
        distances=["frechet", "mmd"],
        seed=3,
    )
    response = asyncio.run(servicer().ComputeDistances(request))
    found = {result.distance: result.value for result in response.results}
    assert found == dict(transferscore.distance(x[:60], x[60:], "frechet,mmd", seed=3))
    request.distances.append("nothing")
    with pytest.raises(Exception, match="nothing"):
        asyncio.run(servicer().ComputeDistances(request))


def test_the_catalogue_comes_in_pages():
    from transferscore.distances import DISTANCES, SOURCE_FREE
    from transferscore.scores.registry import SCORES

    one, scorers, token = servicer(), [], ""
    while True:
        request = pb.ListScorersRequest(page_size=7, page_token=token)
        page = asyncio.run(one.ListScorers(request))
        scorers += page.scorers
        token = page.next_page_token
        if not token:
            break
    assert [each.name for each in scorers] == [*SCORES, *DISTANCES, *SOURCE_FREE]
    assert [each.name for each in scorers if each.source_free] == list(SOURCE_FREE)
