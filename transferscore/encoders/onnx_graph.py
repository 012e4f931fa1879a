"""Finding the tensor before the classifier of an ONNX graph, and making a tensor an output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transferscore.errors import EncoderError, MissingExtraError

__all__ = ["GraphCut", "cut_graph"]

Proto = Any  # a message of the package onnx, which is imported only if it is needed

# What may stand between a linear classifier and the output of the model.
_AFTER_CLASSIFIER = frozenset(
    {
        "Add",
        "Cast",
        "Clip",
        "DequantizeLinear",
        "Flatten",
        "Identity",
        "LogSoftmax",
        "QuantizeLinear",
        "Reshape",
        "Softmax",
        "Squeeze",
    }
)
_UNCHANGED = frozenset({"Cast", "Flatten", "Identity", "Reshape", "Squeeze"})
_LINEAR = frozenset({"Gemm", "MatMul"})


@dataclass(frozen=True, slots=True)
class GraphCut:
    """A model that gives the features asked for as an output.

    Attributes:
        model: The serialised model, weights in external files left out.
        features: Name of the output with the features.
        logits: Name of the output of the classifier, if there is one.
        are_probabilities: Whether `logits` come out of a softmax.
    """

    model: bytes
    features: str
    logits: str | None
    are_probabilities: bool


def cut_graph(path: Path, output: str | None, name: str) -> GraphCut:
    """The model in `path` with the wanted features among its outputs.

    Args:
        path: The ONNX file.
        output: Name of any tensor of the graph. None for the input of the classifier: of the
            matrix product with constant weights from which the first output comes by nothing but
            a bias, a softmax or a change of shape. A graph without one gives its first output.
        name: What the report calls the model.

    Raises:
        EncoderError: The file is no ONNX model, or has no tensor named `output`.
        MissingExtraError: The package `onnx` is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        purpose = f"Taking features from inside `{name}`, which has no output named `features`,"
        raise MissingExtraError.of("onnx", "onnx", purpose) from error
    model = onnx.load(str(path), load_external_data=False)
    graph = _Graph(model.graph)
    classifier = graph.classifier()
    features = output or (classifier[1] if classifier else model.graph.output[0].name)
    graph.require_tensor(features, name)
    logits = graph.logits(classifier is not None)
    if logits == features:
        logits = None
    _add_output(model, onnx.ValueInfoProto(name=features))
    return GraphCut(
        model.SerializeToString(), features, logits, logits is not None and graph.is_softmax(logits)
    )


class _Graph:
    """Who makes which tensor of an `onnx.GraphProto`."""

    def __init__(self, graph: Proto) -> None:
        self._outputs = [output.name for output in graph.output]
        self._makers = {tensor: node for node in graph.node for tensor in node.output}
        self._weights = {weight.name for weight in graph.initializer}
        self._weights |= {weight.values.name for weight in graph.sparse_initializer}

    def classifier(self) -> tuple[str, str] | None:
        """(output, data input) of the linear map that ends the graph; None if none does.

        A map of the model's own input does not count: nothing was learnt before it.
        """
        tensor = self._outputs[0]
        while (node := self._makers.get(tensor)) is not None:
            data = [name for name in node.input if name and not self._is_constant(name)]
            if len(data) != 1:
                return None
            if node.op_type in _LINEAR or _is_pointwise_convolution(node):
                return (tensor, data[0]) if data[0] in self._makers else None
            if node.op_type not in _AFTER_CLASSIFIER:
                return None
            tensor = data[0]
        return None

    def logits(self, has_classifier: bool) -> str | None:
        """The output called `logits`, else the one that the classifier makes."""
        if "logits" in self._outputs:
            return "logits"
        return self._outputs[0] if has_classifier else None

    def is_softmax(self, tensor: str) -> bool:
        """Whether a softmax made the tensor, changes of shape apart."""
        node = self._makers.get(tensor)
        while node is not None and node.op_type in _UNCHANGED:
            node = self._makers.get(node.input[0])
        return node is not None and node.op_type == "Softmax"

    def require_tensor(self, tensor: str, name: str) -> None:
        """Raise an `EncoderError` unless the graph makes the tensor."""
        if tensor not in self._makers:
            raise EncoderError(
                f"`{name}` has no tensor named {tensor!r}; its outputs are "
                f"{', '.join(self._outputs)}."
            )

    def _is_constant(self, tensor: str) -> bool:
        """Whether the tensor depends on weights only (dequantised ones, say)."""
        if tensor in self._weights:
            return True
        node = self._makers.get(tensor)
        return node is not None and all(self._is_constant(name) for name in node.input if name)


def _is_pointwise_convolution(node: Proto) -> bool:
    """A 1 x 1 convolution that follows pooling is a linear map (MobileNet's classifier is one)."""
    kernels = [list(item.ints) for item in node.attribute if item.name == "kernel_shape"]
    return node.op_type == "Conv" and kernels == [[1, 1]]


def _add_output(model: Proto, output: Proto) -> None:
    if output.name not in {existing.name for existing in model.graph.output}:
        model.graph.output.append(output)
