"""Profiles of ONNX files: their graphs walked through, with the shapes of one sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transferscore.encoders.digests import existing_file
from transferscore.encoders.onnx_graph import cut_graph
from transferscore.encoders.profile import Profile
from transferscore.encoders.uri import ModelUri
from transferscore.errors import MissingExtraError

__all__ = ["profile_onnx"]

Proto = Any  # a message of the package onnx
Shapes = Mapping[str, Sequence[int | None]]

_TOKENS, _PIXELS, _RATE = 128, 224, 16_000
_LINEAR = frozenset({"Gemm", "MatMul"})
_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})
_RECURRENT = {"LSTM": 4, "GRU": 3, "RNN": 1}
_INTEGERS = frozenset({6, 7})  # onnx.TensorProto.INT32 and INT64


def profile_onnx(uri: ModelUri) -> Profile:
    """The profile of an `onnx:` model; its weights are not read."""
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError.of("onnx", "onnx", f"The profile of `{uri.text}`") from error
    path = existing_file(uri.path)
    model = onnx.load(str(path), load_external_data=False)
    metadata = {item.key.lower(): item.value for item in model.metadata_props}
    shown = _fix_input(model.graph, uri.integer("size") or _native_size(metadata))
    shapes = _shapes(onnx.shape_inference.infer_shapes(model, data_prop=True).graph)
    weighted = [node for node in model.graph.node if _has_weights(node)]
    counts = [_flops(node, shapes) for node in weighted]
    if any(count is None for count in counts):
        shapes = {**shapes, **_shapes_of_a_run(model, weighted, path)}
        counts = [_flops(node, shapes) for node in weighted]
    return Profile(
        uri.text,
        parameters=sum(math.prod(weight.dims) for weight in model.graph.initializer),
        flops=None if any(count is None for count in counts) else sum(c for c in counts if c),
        flops_input=shown,
        n_features=_width(shapes, _features(path, model.graph, uri)),
        n_layers=len(weighted),
        license=metadata.get("license") or metadata.get("licence"),
        weights_format="onnx",
        memory_bytes=sum(_n_bytes(weight, onnx) for weight in model.graph.initializer),
    )


def _features(path: Path, graph: Proto, uri: ModelUri) -> str:
    outputs = [output.name for output in graph.output]
    if uri.output is None and "features" in outputs:
        return "features"
    if uri.output is not None and uri.output in outputs:
        return uri.output
    return cut_graph(path, uri.output, uri.text).features


def _native_size(metadata: Mapping[str, str]) -> int | None:
    stated = metadata.get("native_resolution", "").replace("x", ",").partition(",")[0].strip()
    return int(stated) if stated.isdecimal() else None


def _fix_input(graph: Proto, size: int | None) -> str:
    """Give the axes that the inputs leave open those of one sample; says what it is."""
    weights = {weight.name for weight in graph.initializer}
    inputs = [each for each in graph.input if each.name not in weights]
    for each in inputs:
        axes = each.type.tensor_type.shape.dim
        is_text = each.type.tensor_type.elem_type in _INTEGERS and len(axes) == 2
        rest = {2: _TOKENS if is_text else _RATE, 4: size or _PIXELS}.get(len(axes), _RATE)
        for position, axis in enumerate(axes):
            if axis.dim_value <= 0:
                axis.dim_value = 1 if position == 0 else rest
    axes = [axis.dim_value for axis in inputs[0].type.tensor_type.shape.dim]
    if len(axes) == 4:
        return f"{axes[2]} x {axes[3] if axes[1] in (1, 3) else axes[1]} pixels"
    is_text = inputs[0].type.tensor_type.elem_type in _INTEGERS
    return f"{axes[1]} tokens" if is_text else f"{math.prod(axes[1:])} values"


def _shapes(graph: Proto) -> Shapes:
    values = [*graph.input, *graph.value_info, *graph.output]
    known = {
        value.name: [axis.dim_value or None for axis in value.type.tensor_type.shape.dim]
        for value in values
        if value.type.tensor_type.HasField("shape")
    }
    return known | {weight.name: list(weight.dims) for weight in graph.initializer}


def _shapes_of_a_run(model: Proto, weighted: Sequence[Proto], path: Path) -> Shapes:
    """Shapes around the operations with weights, seen in one run of zeros; none if it fails.

    Where the graph cuts its input into frames, how many there are follows from no shape.
    """
    import numpy as np
    import onnx
    import onnxruntime

    names = {name for node in weighted for name in (*node.input[:2], *node.output[:1])}
    made = {name for node in model.graph.node for name in node.output}
    wanted = sorted(names & made)
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    present = {output.name for output in probe.graph.output}
    probe.graph.output.extend(onnx.ValueInfoProto(name=n) for n in wanted if n not in present)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path.resolve().parent)
    )
    try:
        session = onnxruntime.InferenceSession(
            probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        zeros = {
            each.name: np.zeros(
                [axis.dim_value for axis in each.type.tensor_type.shape.dim],
                onnx.helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type),
            )
            for each in model.graph.input
        }
        arrays = session.run(wanted, zeros)
    except Exception:  # ONNX Runtime's errors have no common base; the cost stays unknown then
        return {}
    return {name: list(array.shape) for name, array in zip(wanted, arrays, strict=True)}


def _has_weights(node: Proto) -> bool:
    return node.op_type in _LINEAR | _CONVOLUTIONS or node.op_type in _RECURRENT


def _flops(node: Proto, shapes: Shapes) -> int | None:
    """Operations of a convolution, matrix product or recurrence; None where a shape is unknown."""
    data, weights = shapes.get(node.input[0]), shapes.get(node.input[1])
    made = shapes.get(next((name for name in node.output if name), ""))
    if data is None or weights is None or made is None or None in (*data, *weights, *made):
        return None
    numbers = [[int(axis or 0) for axis in axes] for axes in (data, weights, made)]
    given, kernel, output = numbers
    if node.op_type == "Conv":
        return 2 * math.prod(output) * math.prod(kernel[1:])
    if node.op_type == "ConvTranspose":
        return 2 * math.prod(given) * math.prod(kernel[1:])
    if node.op_type in _RECURRENT:
        n_steps = given[0] * given[1]
        n_directions, gates, n_inputs = kernel
        return 2 * n_steps * n_directions * gates * (n_inputs + gates // _RECURRENT[node.op_type])
    is_transposed = any(item.name == "transA" and item.i for item in node.attribute)
    return 2 * math.prod(output) * given[-2 if is_transposed else -1]


def _width(shapes: Shapes, features: str) -> int | None:
    """Length of the feature axis: the second of two or of four; the last of three."""
    shape = shapes.get(features)
    if shape is None or len(shape) < 2:
        return None
    return shape[1] if len(shape) in (2, 4) else shape[-1]


def _n_bytes(weight: Proto, onnx: Any) -> int:
    kind = onnx.helper.tensor_dtype_to_np_dtype(weight.data_type)
    return int(math.prod(weight.dims) * kind.itemsize)
