"""Three doors, one answer: the library, the command and the service, to the last bit."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import transferscore
from tests.contracts.serving import Served
from transferscore.distances import fingerprint_of, save_fingerprint
from transferscore.events import CandidateDone, CandidateFailed, CandidateStarted, SamplesEncoded

ROOT = Path(__file__).parents[2]
ZOO = (ROOT.parent / "shared/zoo").resolve()  # the server follows no links


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of tiny models that read arrays of 8."""
    folder = tmp_path_factory.mktemp("models")
    for seed in range(3):
        save_model(folder / f"model{seed}.onnx", seed)
    (folder / "broken.onnx").write_bytes(b"this is no model")
    return folder


def save_model(path: Path, seed: int) -> None:
    from onnx import TensorProto, helper, numpy_helper, save_model

    rng = np.random.default_rng(seed)
    weights = {"w": rng.normal(size=(8, 6)), "v": rng.normal(size=(6, 4))}
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["features"]),
            helper.make_node("MatMul", ["features", "v"], ["logits"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 8])],
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 6]),
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [None, 4]),
        ],
        [numpy_helper.from_array(w.astype("f4"), name) for name, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    save_model(model, str(path))


@pytest.fixture(scope="module")
def server(tmp_path_factory, models):
    roots = [
        flag for root in (models, ZOO) if root.is_dir() for flag in ("--model-root", str(root))
    ]
    with Served(tmp_path_factory.mktemp("server"), roots) as served:
        yield served


@pytest.fixture(scope="module")
def client(server):
    with transferscore.Client(server.address) as opened:
        yield opened


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 90)
    x = (rng.normal(size=(90, 8)) + np.eye(3, 8)[y]).astype("f4")
    return x, y


@pytest.fixture(scope="module")
def file(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("data") / "mine.npz"
    np.savez(path, features=arrays[0], labels=arrays[1])
    return path


def numbers(document: dict) -> dict:
    """A document without its times, which no two runs share."""
    for candidate in document["candidates"]:
        assert candidate.pop("seconds") >= 0
        assert candidate.pop("forward_seconds") >= 0
    return document


def by_command(*arguments: object) -> tuple[int, dict]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "transferscore.cli.main", "rank"),
            *map(str, arguments),
            *("--format", "json", "--quiet"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    return done.returncode, numbers(json.loads(done.stdout))


def test_a_file_by_every_door(client, server, models, file, tmp_path):
    uris = [f"onnx:{models}/model*.onnx", f"onnx:{models}/broken.onnx"]
    options = {"scores": "logme,knn,leep", "max_samples": 80, "seed": 3}
    library = numbers(transferscore.rank(file, uris, cache=tmp_path, **options).to_dict())
    assert len(library["candidates"]) == 4  # the baseline is one
    assert len(library["failures"]) == 1
    service = numbers(client.rank(file, uris, **options).to_dict())
    assert service == library
    flags = ["--scores", "logme,knn,leep", "--max-samples", 80, "--seed", 3]
    named = [flag for uri in uris for flag in ("--model", uri)]
    assert by_command(file, *named, *flags, "--no-cache") == (1, library)
    assert by_command(file, *named, *flags, "--server", server.address) == (1, library)


def test_arrays_and_names(client, models, arrays):
    x, y = arrays
    named = {"first": f"onnx:{models}/model0.onnx", "second": f"onnx:{models}/model1.onnx"}
    library = transferscore.rank(x, named, labels=y, cache=False)
    service = client.rank(x, named, labels=y)
    assert numbers(service.to_dict()) == numbers(library.to_dict())
    assert str(service).split()[:3] == str(library).split()[:3]


def test_a_fingerprint_gives_the_same_distance_by_every_door(client, server, models, arrays, file):
    x, _ = arrays
    source = np.maximum(x @ np.ones((8, 6)), 0) + np.random.default_rng(1).normal(size=(90, 6))
    fingerprint = fingerprint_of(source, provenance={"source": "elsewhere"})
    uris, given = [f"onnx:{models}/model{i}.onnx" for i in (0, 1)], {"model1.onnx": fingerprint}
    library = transferscore.rank(file, uris, fingerprints=given, cache=False)
    found = {row.model.rpartition("/")[2]: row.distance for row in library.candidates}
    assert found["model0.onnx"] is None
    assert found["model1.onnx"].name == "relative_energy"
    service = client.rank(file, uris, fingerprints=given)
    assert numbers(service.to_dict()) == numbers(library.to_dict())
    path = file.with_name("source.safetensors")
    save_fingerprint(fingerprint, path)
    named = [flag for uri in uris for flag in ("--model", uri)]
    flags = ["--fingerprint", f"model1.onnx={path}", "--server", server.address]
    code, told = by_command(file, *named, *flags)
    assert code == 0
    assert {row["model"]: row["distance"] for row in told["candidates"]} == {
        row["model"]: row["distance"] for row in numbers(library.to_dict())["candidates"]
    }
    with pytest.raises(transferscore.errors.InputError, match=r"mine\.npz"):
        client.rank(file, uris, fingerprints={"model1.onnx": file})


def test_a_device_to_train_on_is_the_same_by_every_door(client, models, file):
    uri = f"onnx:{models}/model0.onnx"
    for limits in (
        {"train_device": "a100-80gb", "max_train_time": "2h"},
        {"device_flops": "10TFLOPS", "device_memory": "8GB", "max_gpu_memory": "4GB"},
    ):
        asked = {"strategies": "linear_probe,full", "limits": limits}
        library = transferscore.rank(file, uri, cache=False, **asked).to_dict()
        assert client.rank(file, uri, **asked).to_dict()["limits"] == library["limits"]


def test_real_models_on_real_images(client, tmp_path):
    if not ZOO.is_dir():
        pytest.skip(f"needs the model zoo at {ZOO}")
    data = ZOO / "datasets/image/flowers5.zip"
    uris = [
        f"onnx:{ZOO}/models/image/{name}.onnx"
        for name in ("resnet20_cifar10", "resnet8_cifar10_mlperftiny", "doodlenet_quickdraw345")
    ]
    library = transferscore.rank(data, uris, max_samples=60, cache=tmp_path)
    service = client.rank(data, uris, max_samples=60)
    assert len(library.candidates) == 4  # the baseline is one
    assert numbers(service.to_dict()) == numbers(library.to_dict())


def test_asynchronously(server, models, arrays):
    x, y = arrays

    async def run():
        async with transferscore.AsyncClient(server.address) as client:
            ranking, scores, distances = await asyncio.gather(
                client.rank(x, f"onnx:{models}/model2.onnx", labels=y),
                client.score(x, y, "logme"),
                client.distance(x[:40], x[40:], "frechet"),
            )
            return ranking, scores, distances, await client.server_info()

    ranking, scores, distances, info = asyncio.run(run())
    library = transferscore.rank(x, f"onnx:{models}/model2.onnx", labels=y, cache=False)
    assert numbers(ranking.to_dict()) == numbers(library.to_dict())
    assert scores == transferscore.score(x, y, "logme")
    assert distances == transferscore.distance(x[:40], x[40:], "frechet")
    assert info.version == transferscore.__version__


def told(call, *arguments, **options):
    """The numbers, and what was warned of, each once, with where it was said to come from."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values = call(*arguments, **options)
    return dict(values), {(str(w.message), w.category, w.filename) for w in caught}


def test_scores(client, arrays):
    x, y = arrays
    names = [f"class {i}" for i in y]
    p = np.random.default_rng(1).dirichlet(np.ones(4), len(x))
    assert told(client.score, x, y)[0] == told(transferscore.score, x, y)[0]
    assert client.score(x, names, ["leep", "nce"], source_probabilities=p) == transferscore.score(
        x, names, ["leep", "nce"], source_probabilities=p
    )
    assert client.score(x, x[:, :2].astype("f8") ** 2, "logme", task="regression") == (
        transferscore.score(x, x[:, :2].astype("f8") ** 2, "logme", task="regression")
    )


def test_distances(client, arrays):
    x, y = arrays
    options = {"source_labels": y[:40], "target_labels": y[40:], "seed": 2}
    names = "frechet,otdd"
    assert (
        told(client.distance, x[:40], x[40:], names, **options)[0]
        == (told(transferscore.distance, x[:40], x[40:], names, **options)[0])
    )


def test_warnings_are_the_librarys(client, arrays):
    exact = np.eye(3)[arrays[1]]
    values, said = told(client.score, exact, arrays[1], "logme")
    expected, warned = told(transferscore.score, exact, arrays[1], "logme")
    assert values == expected == {"logme": float("inf")}
    assert {entry[:2] for entry in said} == {entry[:2] for entry in warned}
    (message, category, file) = next(iter(said))
    assert (len(said), category, file) == (1, RuntimeWarning, __file__)
    assert message.startswith("LogME is infinite")


def test_features_too_large_for_a_message_go_in_a_stream(client):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(9000, 256)).astype("f4")
    y = rng.integers(0, 5, 9000)
    assert x.nbytes > 8 * 2**20
    found = client.score(x, y, "logme,h_score")
    assert found == pytest.approx(dict(transferscore.score(x, y, "logme,h_score")), rel=1e-10)


def test_events_are_those_of_the_library(client, models, file):
    uris = [f"onnx:{models}/model0.onnx", f"onnx:{models}/broken.onnx"]

    def heard(rank, **options):
        events = []
        rank(file, uris, on_event=events.append, **options)
        return [event for event in events if not isinstance(event, SamplesEncoded)]

    library, service = heard(transferscore.rank, cache=False), heard(client.rank)
    assert [type(event) for event in service] == [type(event) for event in library]
    assert service[0] == CandidateStarted(uris[0], 1, 2)
    assert isinstance(service[1], CandidateDone)
    assert (service[1].metric, service[1].value) == (library[1].metric, library[1].value)
    assert service[-1] == library[-1]
    assert isinstance(service[-1], CandidateFailed)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda c, x, y: c.score(x, y[:-1], "logme"), "InputError", "must have one"),
        (lambda c, x, y: c.score(x, y, "best"), "UnknownNameError", "no score named 'best'"),
        (lambda c, x, y: c.score(x, y * 0, "logme"), "InputError", "class"),
        (lambda c, x, y: c.rank(x, "onnx:/etc/passwd", labels=y), "ServerError", "not under a fo"),
        (lambda c, x, y: c.rank(x, print, labels=y), "EncoderError", "must be a URI"),
        (lambda c, *_: c.rank("/no/such.npz", "onnx:m"), "DatasetError", "does not exist"),
        (lambda c, x, y: c.rank(x, "onnx:m", labels=y, task="guess"), "UnknownNameError", "guess"),
        (lambda c, x, y: c.rank(x, "onnx:m", labels=y, magic=1), "InputError", "magic"),
    ],
)
def test_mistakes_are_the_librarys_errors(client, arrays, call, kind, message):
    with pytest.raises(transferscore.errors.TransferScoreError, match=message) as caught:
        call(client, *arrays)
    assert type(caught.value).__name__ == kind


def test_nobody_there_is_said_in_a_sentence():
    with (
        transferscore.Client("127.0.0.1:1", timeout=2) as client,
        pytest.raises(ConnectionError, match=r"^The server at `127.0.0.1:1`: "),
    ):
        client.server_info()
