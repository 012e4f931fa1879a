"""Tests of ONNX graphs that become trainable modules."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import OnnxEncoder, trainable_model, why_untrainable
from transferscore.encoders.onnx_plain import plain_graph
from transferscore.errors import EncoderError

SHAPE = (2, 3, 7, 6)


def graph(folder, *, batch="n", operation="Relu"):
    """Integer weights, padding by SAME and an opset that converters do not know."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.integers(-9, 9, (4, 3, 3, 3)).astype(np.int8), "q"),
        numpy_helper.from_array(np.float32(0.1), "scale"),
        numpy_helper.from_array(np.array([0, 0, 1, 0, 0, 0, 0, 2]), "pads"),
    ]
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale"], ["w"]),
        helper.make_node("Pad", ["image", "pads"], ["wide"]),
        helper.make_node(
            "Conv", ["wide", "w"], ["c"], "c", strides=[2, 2], auto_pad="SAME_UPPER",
            kernel_shape=[3, 3],
        ),
        helper.make_node(operation, ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["features"]),
    ]  # fmt: skip
    size = [batch, 3, "h", "w"]
    made = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [batch, 4])],
        weights,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {"native_resolution": "7x6"})
    path = folder / "net.onnx"
    onnx.save(model, path)
    return path


def pictures():
    pixels = np.random.default_rng(2).integers(0, 255, (4, 7, 6, 3), dtype=np.uint8)
    return dataset_from_arrays(list(pixels), [0, 1, 0, 1]).samples


def values_of(model, batch):
    options = onnxruntime.SessionOptions()
    return onnxruntime.InferenceSession(model, options).run(["features"], {"image": batch})[0]


def test_a_graph_said_plainly_computes_the_same(tmp_path):
    path = graph(tmp_path)
    plain = plain_graph(path, "features", SHAPE)
    kinds = {node.op_type for node in plain.graph.node}
    assert "DequantizeLinear" not in kinds
    (convolution,) = (node for node in plain.graph.node if node.op_type == "Conv")
    assert {each.name: list(each.ints) for each in convolution.attribute}["pads"] == [0, 0, 1, 1]
    assert plain.opset_import[0].version == 17
    batch = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
    assert values_of(plain.SerializeToString(), batch) == pytest.approx(
        values_of(path.read_bytes(), batch), abs=1e-5
    )


def test_without_onnx2torch_it_is_said_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx2torch", None)
    encoder = OnnxEncoder(graph(tmp_path))
    reason = why_untrainable(encoder)
    assert reason.startswith("it is an ONNX graph, which holds no way back")
    assert "pip install 'transferscore[onnx2torch]'" in reason
    with pytest.raises(EncoderError, match="has no gradients: it is an ONNX graph"):
        trainable_model(encoder, [])


@pytest.fixture
def converter(monkeypatch):
    """A package onnx2torch whose `convert` is the test's."""
    package = ModuleType("onnx2torch")
    monkeypatch.setitem(sys.modules, "onnx2torch", package)
    return package


class Net(torch.nn.Module):
    """What onnx2torch would make of the graph, or nearly."""

    def __init__(self, model, factor=1.0):
        super().__init__()
        (weight,) = (w for w in model.graph.initializer if w.name == "w")
        self.weight = torch.nn.Parameter(torch.from_numpy(numpy_helper.to_array(weight).copy()))
        self.factor = factor

    def forward(self, image):
        wide = torch.nn.functional.pad(image, (0, 2, 1, 0))
        wide = torch.nn.functional.pad(wide, (0, 1, 0, 1))
        kept = torch.relu(torch.nn.functional.conv2d(wide, self.weight, stride=2))
        return self.factor * kept.mean((2, 3))


def test_a_converted_graph_is_trained_and_the_encoder_stays_as_it_is(tmp_path, converter):
    converter.convert = Net
    encoder = OnnxEncoder(graph(tmp_path))
    assert why_untrainable(encoder) is None
    images = pictures()
    model = trainable_model(encoder, images)
    batch = model.prepare(images)
    before = encoder.forward(batch).features
    assert model.features(batch).detach().numpy() == pytest.approx(before, abs=1e-5)
    model.features(batch).sum().backward()
    assert model.module.weight.grad.abs().sum() > 0
    with torch.no_grad():
        model.module.weight.zero_()
    assert encoder.forward(batch).features == pytest.approx(before)
    assert trainable_model(encoder, images).module.weight.abs().sum() > 0


@pytest.mark.parametrize(
    ("convert", "reason"),
    [
        (lambda model: Net(model, 1.1), "features change when onnx2torch converts it (by 10.0%)"),
        (lambda _: torch.nn.Identity(), "finds no weights"),
        (lambda _: torch.nn.Linear(5, 5), "does not run as onnx2torch has converted it"),
        (lambda _: 1 / 0, "onnx2torch cannot convert (division by zero)"),
    ],
)
def test_a_graph_that_is_not_converted_says_why(tmp_path, converter, convert, reason):
    converter.convert = convert
    assert reason in why_untrainable(OnnxEncoder(graph(tmp_path)))


def test_a_graph_for_batches_of_one_size_is_not_trained(tmp_path, converter):
    converter.convert = Net
    assert "batches of exactly 4" in why_untrainable(OnnxEncoder(graph(tmp_path, batch=4)))


def test_a_torchvision_that_does_not_fit_is_named(tmp_path, monkeypatch):
    (tmp_path / "onnx2torch.py").write_text("raise RuntimeError('no operator nms')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "onnx2torch", raising=False)
    reason = why_untrainable(OnnxEncoder(graph(tmp_path)))
    assert "cannot be imported (no operator nms)" in reason
    assert "a torchvision built for the installed torch" in reason


def test_onnx2torch_itself_converts(tmp_path):
    reason = why_untrainable(encoder := OnnxEncoder(graph(tmp_path)))
    if reason is not None and "convert" not in reason:
        pytest.skip(reason)
    images = pictures()
    model = trainable_model(encoder, images)
    assert sum(weight.numel() for weight in model.module.parameters()) == 4 * 27
