from __future__ import annotations

import sys
from pathlib import Path

import pytest

from transferscore.encoders import is_out_of_memory
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.torch_inference import (
    autocast,
    chosen_device,
    chosen_precision,
    evaluating,
)
from transferscore.errors import EncoderError

torch = pytest.importorskip("torch")


def test_auto_is_the_cpu_without_a_driver_and_asks_no_torch(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda _: False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert chosen_device("auto") == "cpu"
    assert chosen_device("cuda:1") == "cuda:1"


@pytest.mark.parametrize("available", [True, False])
def test_auto_is_the_gpu_where_torch_sees_one(monkeypatch, available):
    monkeypatch.setattr(Path, "exists", lambda _: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert chosen_device("auto") == ("cuda" if available else "cpu")


def test_precision_is_reduced_on_gpus_only(monkeypatch):
    assert chosen_precision("bf16", "cpu") == "float32"
    assert chosen_precision("fp16", "cuda:0") == "fp16"
    for has_bf16, expected in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has=has_bf16: has)
        assert chosen_precision("auto", "cuda") == expected
    with autocast("float32", "cpu"):
        assert not torch.is_autocast_enabled("cpu")
    with autocast("bf16", "cpu"):
        assert torch.is_autocast_enabled("cpu")


def test_out_of_memory_is_recognised_at_any_depth():
    outer = EncoderError("x")
    outer.__cause__ = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
    assert is_out_of_memory(outer)
    assert is_out_of_memory(MemoryError())
    ort = "Failed to allocate memory for requested buffer of size 8"
    assert is_out_of_memory(RuntimeError(f"[ONNXRuntimeError] : 6 : {ort}"))
    cpu = "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
    assert is_out_of_memory(RuntimeError(cpu))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(None)


def test_out_of_memory_passes_unchanged():
    with pytest.raises(torch.OutOfMemoryError), explained("m", "run"):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_other_errors_become_one_sentence_that_names_the_model():
    with pytest.raises(EncoderError) as raised, explained("m", "run"):
        raise ValueError("first\n  second")
    assert str(raised.value) == "`m` could not be run: first second"
    assert isinstance(raised.value.__cause__, ValueError)


def test_a_module_moves_and_comes_back(monkeypatch):
    module, moves = torch.nn.Linear(2, 2), []
    monkeypatch.setattr(module, "to", lambda device: moves.append(str(device)))
    with evaluating(module, "cuda"):
        assert moves == ["cuda"]
    assert moves == ["cuda", "cpu"]
    with evaluating(module, "cpu"):
        pass
    assert moves == ["cuda", "cpu"]


def test_a_value_is_made_once_until_it_is_dropped():
    made = []
    value = Lazily(lambda: made.append(1) or object())
    assert value.get() is value.get()
    value.drop()
    value.get()
    assert len(made) == 2


def test_a_failed_making_is_tried_again():
    tries = []

    def make():
        tries.append(1)
        if len(tries) == 1:
            raise EncoderError("not yet")
        return "made"

    value = Lazily(make)
    with pytest.raises(EncoderError):
        value.get()
    assert value.get() == "made"
