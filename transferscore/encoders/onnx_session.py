"""An ONNX Runtime session, and which of its tensors are the features and the logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.encoders.loading import explained
from transferscore.encoders.model_input import ModelInput
from transferscore.encoders.onnx_graph import cut_graph
from transferscore.encoders.pooling import log_probabilities, pooled, words_pooled
from transferscore.errors import EncoderError, MissingExtraError

__all__ = ["OnnxSession", "open_session"]

Runtime = Any  # onnxruntime or its session: the package has no types
Feeds = Mapping[str, NDArray[Any]]

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


# What a tokenizer gives beside the ids.
_TOKEN_INPUTS = frozenset({"attention_mask", "token_type_ids", "position_ids"})


@dataclass(frozen=True, slots=True)
class OnnxSession:
    """A loaded model.

    Attributes:
        session: The `onnxruntime.InferenceSession`.
        input: Its input, or of those of a text model, the ids.
        more_inputs: Names of the other inputs of a text model.
        rate: Hertz of the sound that it takes, where it says so.
        features: Name of the output that is the features.
        states: Name of the output `(b, t, d)` from which words are pooled.
        logits: Name of the output that is the logits, if there is one.
        are_probabilities: Whether `logits` come out of a softmax.
        features_channels_last: Whether four dimensions of features are `(b, h, w, d)`.
        pooling: How more than two dimensions become features.
    """

    session: Runtime
    input: ModelInput
    more_inputs: tuple[str, ...]
    rate: int | None
    features: str
    states: str
    logits: str | None
    are_probabilities: bool
    features_channels_last: bool
    pooling: str = "auto"

    def run(
        self,
        feeds: Feeds,
        name: str,
        mask: NDArray[np.bool_] | None = None,
        *,
        shares: NDArray[np.float64] | None = None,
    ) -> Encoding:
        """Features and logits of one batch.

        Args:
            feeds: Inputs by name.
            name: What the report calls the model.
            mask: `(b, t)`, true where a token is text.
            shares: `(b,)`, how much of each sample, from its beginning, is not filling; instead of
                a mask, where the steps t of the features are not those of the input.
        """
        wanted = [self.features] if self.logits is None else [self.features, self.logits]
        features, *rest = self.session.run(wanted, dict(feeds))
        if shares is not None and features.ndim == 3:
            n_steps = features.shape[1]
            mask = np.arange(n_steps) < np.ceil(shares * n_steps)[:, None]
        return Encoding(
            pooled(
                features,
                name,
                mask=mask,
                channels_last=self.features_channels_last,
                pooling=self.pooling,
            ),
            _logits(rest[0], self.are_probabilities) if rest else None,
        )

    def run_words(self, feeds: Feeds, words: NDArray[np.int64], name: str) -> NDArray[np.float32]:
        """Features of each word that has tokens; `words` as of `words_pooled`.

        Raises:
            EncoderError: The model gives no state for each token.
        """
        (states,) = self.session.run([self.states], dict(feeds))
        if states.ndim != 3 or states.shape[:2] != words.shape:
            raise EncoderError(
                f"`{name}` gives {self.states!r} of shape {states.shape}, and words need one state "
                f"for each token, (b, t, d). Name another tensor with `#name`."
            )
        return words_pooled(states, words, self.pooling)


def open_session(
    path: Path,
    name: str,
    *,
    output: str | None = None,
    size: tuple[int, int] | None = None,
    device: str = "cpu",
    pooling: str = "auto",
) -> OnnxSession:
    """Load the model in `path`.

    Args:
        path: The ONNX file.
        name: What the report calls the model.
        output: Which tensor is the features: None for the output `features`, else the tensor
            before the classifier; a name for that output or inner tensor.
        size: (height, width) of images, for inputs of no fixed size; None for the
            `native_resolution` of the model's metadata.
        device: "cpu", or "cuda" if ONNX Runtime has it.
        pooling: How more than two dimensions become features.

    Raises:
        EncoderError: The file is no model, or its inputs are not those of one kind of sample.
        MissingExtraError: A package is not installed.
    """
    session = _session(path, None, device, name)
    outputs = [tensor.name for tensor in session.get_outputs()]
    features, probabilities = output or "features", False
    logits = "logits" if "logits" in outputs and features != "logits" else None
    declared = features in outputs
    if not declared:
        with explained(name, "read"):
            cut = cut_graph(path, output, name)
        features, logits, probabilities = cut.features, cut.logits, cut.are_probabilities
        session = _session(path, cut.model, device, name)
    spec, more = _model_input(session, size, name)
    return OnnxSession(
        session,
        spec,
        more,
        _stated_rate(session),
        features,
        "hidden" if "hidden" in outputs and output is None else features,
        logits,
        probabilities,
        declared and spec.channels_last,
        pooling,
    )


def _session(path: Path, model: bytes | None, device: str, name: str) -> Runtime:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError.of("onnxruntime", "onnx", f"The model `{name}`") from error
    options = onnxruntime.SessionOptions()
    # The reason of a failure is in the exception; on standard error it would be noise.
    options.log_severity_level = 4
    # Spinning threads starve decoding and, where cores are few, the session itself.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Products with dequantised weights would round the activations to 8 bits as well.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    # A model passed as bytes cannot tell where its external weights lie.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path.resolve().parent)
    )
    with explained(name, "loaded"):
        return onnxruntime.InferenceSession(
            model or str(path), options, providers=_providers(onnxruntime, device)
        )


def _providers(onnxruntime: Runtime, device: str) -> list[Any]:
    """CUDA first where it is wanted and there; a build without it runs on the CPU."""
    available = onnxruntime.get_available_providers()
    if not device.startswith("cuda") or "CUDAExecutionProvider" not in available:
        return ["CPUExecutionProvider"]
    index = int(device.partition(":")[2] or 0)
    return [("CUDAExecutionProvider", {"device_id": index}), "CPUExecutionProvider"]


def _model_input(
    session: Runtime, size: tuple[int, int] | None, name: str
) -> tuple[ModelInput, tuple[str, ...]]:
    """The input, and the names of what a tokenizer gives beside it."""
    more = tuple(t.name for t in session.get_inputs() if t.name in _TOKEN_INPUTS)
    inputs = [tensor for tensor in session.get_inputs() if tensor.name not in _TOKEN_INPUTS]
    if len(inputs) != 1 or inputs[0].type not in _TYPES:
        shown = ", ".join(f"{tensor.name}: {tensor.type}" for tensor in inputs)
        raise EncoderError(
            f"`{name}` must have one input of numbers; it has {shown}. "
            f"Export the model with one input, or pass it as a callable."
        )
    tensor = inputs[0]
    shape = tuple(axis if isinstance(axis, int) and axis > 0 else None for axis in tensor.shape)
    kind = np.dtype(_TYPES[tensor.type])
    return ModelInput(tensor.name, shape, kind, size or _native_size(session, name)), more


def _stated_rate(session: Runtime) -> int | None:
    """Hertz, from the metadata `sample_rate` or `sampling_rate`."""
    metadata = session.get_modelmeta().custom_metadata_map
    stated = metadata.get("sample_rate") or metadata.get("sampling_rate") or ""
    return int(stated) if stated.isdecimal() and int(stated) > 0 else None


def _native_size(session: Runtime, name: str) -> tuple[int, int] | None:
    """(height, width) from the metadata `native_resolution`: "224", "224x320" or "224,320"."""
    value = session.get_modelmeta().custom_metadata_map.get("native_resolution")
    if value is None:
        return None
    numbers = value.replace("x", ",").split(",")
    if not 1 <= len(numbers) <= 2 or not all(number.strip().isdecimal() for number in numbers):
        raise EncoderError(
            f"The metadata `native_resolution` of `{name}` must be pixels such as 224 or 224x320; "
            f"got {value!r}. Set the size with `?size=`."
        )
    return int(numbers[0]), int(numbers[-1])


def _logits(values: NDArray[Any], are_probabilities: bool) -> NDArray[np.float32] | None:
    """`(b, C)` logits; None if they are no such thing, or of one class, which says nothing."""
    is_flat = values.ndim >= 2 and values[0].size == max(values.shape[1:]) > 1
    if not is_flat:
        return None
    flat = values.reshape(len(values), -1)
    return log_probabilities(flat) if are_probabilities else flat.astype(np.float32)
