"""ONNX graphs in plainer words: constants computed, padding in numbers, an opset that many read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["plain_graph"]

Proto = Any  # a message of the package onnx, which is imported only if it is needed

# The last opset in which reductions and padding are as most converters know them.
_OPSET = 17
_WITH_PADDING = frozenset({"AveragePool", "Conv", "MaxPool"})


def plain_graph(path: Path, output: str, shape: Sequence[int]) -> Proto:
    """The model in `path` from its first input to one tensor, as simple as it can be said.

    Weights that are stored as integers become floats, so that a converter sees weights and not
    computations; padding that follows from the size is written out for the size in `shape`.

    Args:
        path: The ONNX file.
        output: Any tensor of the graph.
        shape: Of the input, the batch first, which stays of any length.
    """
    import onnx
    from onnx.utils import Extractor

    model = onnx.load(str(path))
    given = model.graph.input[0]
    if output not in {existing.name for existing in model.graph.output}:
        model.graph.output.append(onnx.ValueInfoProto(name=output))
    _fold_constants(model)
    for axis, length in zip(given.type.tensor_type.shape.dim[1:], shape[1:], strict=True):
        axis.dim_value = length
    model = _lowered(onnx.shape_inference.infer_shapes(model))
    _write_padding_out(model.graph)
    return Extractor(model).extract_model([given.name], [output])


def _fold_constants(model: Proto) -> None:
    """Compute what depends on weights only."""
    import onnx
    import onnxruntime

    graph = model.graph
    constant = {weight.name for weight in graph.initializer}
    fixed: list[Proto] = []
    varying: list[Proto] = []
    for node in graph.node:
        is_fixed = all(name in constant for name in node.input if name)
        (fixed if is_fixed else varying).append(node)
        constant.update(node.output if is_fixed else ())
    made = {name for node in fixed for name in node.output}
    wanted = sorted({name for node in varying for name in node.input} & made)
    if not wanted:
        return
    outputs = [onnx.ValueInfoProto(name=name) for name in wanted]
    part = onnx.helper.make_graph(fixed, "constants", [], outputs, graph.initializer)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    computed = onnx.helper.make_model(
        part, opset_imports=model.opset_import, ir_version=model.ir_version
    ).SerializeToString()
    session = onnxruntime.InferenceSession(computed, options, providers=["CPUExecutionProvider"])
    values = session.run(wanted, {})
    del graph.node[:]
    graph.node.extend(varying)
    graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name)
        for name, value in zip(wanted, values, strict=True)
    )


def _lowered(model: Proto) -> Proto:
    """The model in an older opset, where it is in a newer one and can be said in that."""
    from onnx import version_converter

    (own,) = (each for each in model.opset_import if each.domain in ("", "ai.onnx"))
    if own.version <= _OPSET:
        return model
    if {node.op_type for node in model.graph.node if _is_newer(node, own.version)} <= {"Pad"}:
        # onnx knows no way back for Pad, which has got one more input and is else the same.
        if all(len(node.input) <= 3 for node in model.graph.node if node.op_type == "Pad"):
            own.version = _OPSET
        return model
    try:
        return version_converter.convert_version(model, _OPSET)
    except RuntimeError:
        return model


def _is_newer(node: Proto, opset: int) -> bool:
    import onnx

    return int(onnx.defs.get_schema(node.op_type, opset, node.domain).since_version) > _OPSET


def _write_padding_out(graph: Proto) -> None:
    """Padding as numbers where it is SAME_UPPER or SAME_LOWER."""
    import onnx

    shapes = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.input, *graph.output)
    }
    for node in graph.node:
        given = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        auto = given.get("auto_pad", b"NOTSET").decode()
        places = shapes.get(node.input[0], [])[2:] if node.op_type in _WITH_PADDING else []
        if not auto.startswith("SAME") or not places or 0 in places:
            continue
        pads = _same_padding(places, given, auto == "SAME_UPPER")
        kept = [each for each in node.attribute if each.name not in ("auto_pad", "pads")]
        del node.attribute[:]
        node.attribute.extend([*kept, onnx.helper.make_attribute("pads", pads)])


def _same_padding(places: Sequence[int], given: Mapping[str, Any], odd_at_end: bool) -> list[int]:
    """Begins, then ends, of each axis: so much that every stride has its output."""
    begins, ends = [], []
    ones = [1] * len(places)
    strides, dilations = given.get("strides", ones), given.get("dilations", ones)
    for length, kernel, stride, dilation in zip(
        places, given["kernel_shape"], strides, dilations, strict=True
    ):
        covered = (math.ceil(length / stride) - 1) * stride + dilation * (kernel - 1) + 1
        total = max(0, covered - length)
        less, more = total // 2, total - total // 2
        begins.append(less if odd_at_end else more)
        ends.append(more if odd_at_end else less)
    return begins + ends
