"""ONNX graphs as trainable modules, by the package onnx2torch."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.loading import explained
from transferscore.encoders.model_input import ModelInput
from transferscore.encoders.onnx_plain import plain_graph
from transferscore.encoders.onnx_session import OnnxSession
from transferscore.encoders.torch_inference import pooled_tensor
from transferscore.errors import EncoderError
from transferscore.wording import one_line

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["converted_graph", "graph_features"]

Proto = Any  # a message of the package onnx

# Features may differ by rounding from those of ONNX Runtime, and by no more.
_TOLERANCE = 1e-3


def converted_graph(path: Path, session: OnnxSession, name: str) -> nn.Module:
    """A trainable module `(b, ...)` to features, of the graph that a session runs.

    It is compared with ONNX Runtime on random input, as a converter may be wrong silently.

    Args:
        path: The ONNX file.
        session: The same model as it runs.
        name: What the report calls the model.

    Raises:
        EncoderError: The graph takes no images or arrays, or cannot be converted; the message ends
            a sentence that begins with "it is".
    """
    if session.more_inputs or session.input.is_text or session.rate is not None:
        raise EncoderError(
            "an ONNX graph for texts or sounds; only those for images and arrays become trainable"
        )
    if (size := session.input.shape[0]) is not None:
        raise EncoderError(
            f"an ONNX graph for batches of exactly {size}; export it with a dynamic batch axis"
        )
    convert = _converter()
    with explained(name, "read"):
        model = plain_graph(path, session.features, _random_batch(session.input).shape)
    module = _converted(convert, model)
    if not list(module.parameters()):
        raise EncoderError("an ONNX graph in which onnx2torch finds no weights to train")
    _require_equal(module, session, name)
    return module


def graph_features(
    module: nn.Module, batch: NDArray[Any], session: OnnxSession, name: str
) -> Tensor:
    """Differentiable features `(b, d)` of a prepared batch.

    Args:
        module: As `converted_graph` gives it.
        batch: `(b, ...)` the graph's input.
        session: The same model as ONNX Runtime runs it.
        name: What the report calls the model.
    """
    import torch

    device = next(module.parameters()).device
    with warnings.catch_warnings():
        # Some modules of onnx2torch use what PyTorch will deprecate.
        warnings.simplefilter("ignore")
        output = module(torch.from_numpy(np.ascontiguousarray(batch)).to(device))
    if session.features_channels_last and output.ndim == 4:
        output = output.movedim(3, 1)
    return pooled_tensor(output, name)


def _converter() -> Any:
    try:
        import onnx  # noqa: F401 -- onnx2torch is an extra of its own, and reads by this
        import onnx2torch
    except ModuleNotFoundError as error:
        raise EncoderError(
            f"an ONNX graph, which holds no way back from outputs to weights, and the package "
            f"{error.name!r}, which would help to make one, is not installed. Install it with: "
            f"pip install 'transferscore[onnx2torch]'"
        ) from error
    except Exception as error:
        reason = one_line(error)
        raise EncoderError(
            f"an ONNX graph, and onnx2torch, which makes such graphs trainable, cannot be imported "
            f"({reason}): it needs a torchvision built for the installed torch"
        ) from error
    return onnx2torch.convert


def _converted(convert: Any, model: Proto) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module: nn.Module = convert(model)
    except Exception as error:
        reason = one_line(error)[:300]
        raise EncoderError(f"an ONNX graph that onnx2torch cannot convert ({reason})") from error
    return module.float().eval()


def _require_equal(module: nn.Module, session: OnnxSession, name: str) -> None:
    """Raise an `EncoderError` unless the module computes what ONNX Runtime does."""
    import torch

    batch = _random_batch(session.input)
    wanted = session.run({session.input.name: batch}, name).features
    try:
        with torch.no_grad():
            found = graph_features(module, batch, session, name).numpy()
    except Exception as error:
        reason = one_line(error)[:300]
        raise EncoderError(
            f"an ONNX graph that does not run as onnx2torch has converted it ({reason})"
        ) from error
    off = float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-12))
    if not off <= _TOLERANCE:
        raise EncoderError(
            f"an ONNX graph whose features change when onnx2torch converts it (by {off:.1%})"
        )


def _random_batch(spec: ModelInput) -> NDArray[Any]:
    """Two samples of the graph's input; axes of any length get one that is usual."""
    shape = [2, *(axis or 8 for axis in spec.shape[1:])]
    if spec.is_image:
        places = slice(1, 3) if spec.channels_last else slice(2, 4)
        shape[places] = spec.image_size
        shape[3 if spec.channels_last else 1] = spec.channels
    values = np.random.default_rng(0).random(shape)
    return (255 * values if spec.dtype == np.uint8 else values).astype(spec.dtype)
