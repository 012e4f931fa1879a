"""From the arguments of `rank()` to a message and back: what a client says is what is run."""

from __future__ import annotations

import pytest
from transferscore_server.servicers.rankings import _arguments
from transferscore_server.store.records import EventKind, EventRecord
from transferscore_server.values.rankings import event_message, ranking_options

from transferscore.client.spec import spec_of
from transferscore.errors import EncoderError, InputError, UnknownNameError
from transferscore.strategies.limits import parse_limits
from transferscore.v1 import ranking_service_pb2 as pb


def through(**options):
    return ranking_options(spec_of("onnx:m.onnx", options), _arguments())


def test_every_option_arrives():
    found = through(
        task="regression",
        split="train",
        scores="logme,knn",
        max_samples=7,
        seed=3,
        device="cpu",
        strategies="linear_probe,lora",
        limits={
            "max_gpu_memory": "2GB",
            "max_train_time": "2h",
            "max_cost": 5,
            "price_per_hour": 1.5,
            "train_device": "a100-80gb",
        },
        columns={"text": "review"},
    )
    assert found == {
        "task": "regression",
        "split": "train",
        "scores": ["logme", "knn"],
        "max_samples": 7,
        "seed": 3,
        "device": "cpu",
        "strategies": ["linear_probe", "lora"],
        "limits": {
            "max_gpu_memory": 2_000_000_000,
            "max_train_time": 7200.0,
            "max_cost": 5.0,
            "price_per_hour": 1.5,
            "train_device": "A100 80GB",
            "device_memory": 80 * 2**30,
        },
        "columns": {"text": "review"},
    }


def test_what_is_not_said_is_left_to_the_library():
    assert through(strategies="linear_probe", limits=None, scores=None) == {
        "seed": 0,
        "device": "auto",
    }
    assert through(scores="all")["scores"] == "all"


def test_what_cannot_be_sent_is_refused():
    with pytest.raises(InputError, match=r"^Strategies for a server must be names"):
        spec_of("onnx:m", {"strategies": [object()]})
    with pytest.raises(InputError, match=r"^Options for a server must be numbers"):
        spec_of("onnx:m", {"columns": object()})
    with pytest.raises(EncoderError, match=r"^A model for a server must be a URI"):
        spec_of([print], {})


def test_a_device_without_a_name_arrives_by_its_figures():
    limits = {"device_flops": "10TFLOPS", "device_memory": "8GB", "max_gpu_memory": "4GB"}
    found = through(limits=limits)["limits"]
    assert parse_limits(found) == parse_limits(limits)
    with pytest.raises(UnknownNameError, match="`train_device` must be one of"):
        ranking_options(
            pb.RankingSpec(limits=pb.CandidateLimits(train_device="abacus")), _arguments()
        )


def test_a_row_says_what_the_document_says():
    row = {
        "model": "m",
        "strategy": "lora",
        "basis": "rehearsal",
        "p_beats_baseline": 0.75,
        "distance": {"name": "batch_norm", "value": 1.5, "level": "low", "rests_on": "2 layers"},
        "cost": {
            "train_seconds": 2.5,
            "train_memory_bytes": 7,
            "money": None,
            "fits": False,
            "breaks": ["max_train_time"],
            "device": "cpu",
            "basis": "measured",
            "breaches": [],
        },
    }
    event = EventRecord(1, 0.0, EventKind.CANDIDATE, {"model": "m", "results": [row]})
    made = event_message(event, None, 1).candidate
    assert (made.strategy, made.basis, made.beats_baseline_probability) == (
        "lora",
        "rehearsal",
        0.75,
    )
    assert (made.distance.distance, made.distance.value, made.distance.level) == (
        "batch_norm",
        1.5,
        "low",
    )
    assert made.cost.train_time.ToMilliseconds() == 2500
    assert (made.cost.train_memory_bytes, list(made.cost.broken_limits)) == (7, ["max_train_time"])
    assert made.cost.HasField("fits")
    assert not made.cost.HasField("money")
    assert not made.HasField("is_pareto")
