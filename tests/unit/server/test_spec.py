"""From the arguments of `rank()` to a message and back: what a client says is what is run."""

from __future__ import annotations

import pytest
from transferscore_server.servicers.rankings import _arguments
from transferscore_server.values.rankings import ranking_options

from transferscore.client.spec import spec_of
from transferscore.errors import EncoderError, InputError


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
