"""What every adapter on PyTorch shares: device, precision, modes, and what a module returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "Precision",
    "autocast",
    "chosen_device",
    "chosen_precision",
    "encoding_of_layers",
    "encoding_of_tensors",
    "evaluating",
    "features_and_logits",
    "is_out_of_memory",
    "pooled_tensor",
    "ready_on",
    "to_device",
]

Precision = Literal["auto", "float32", "bf16", "fp16"]

_GPU_DEVICE_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def chosen_device(device: str) -> str:
    """The device meant by `device`: "auto" is the GPU where there is one, else the CPU.

    A machine without a GPU driver is told without importing torch, so that a run which finds all
    its features in the store never pays for that import.
    """
    if device != "auto":
        return device
    if not any(Path(file).exists() for file in _GPU_DEVICE_FILES):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def chosen_precision(precision: str, device: str) -> str:
    """The precision in which a model runs on a chosen device.

    Reduced precision is for GPUs only: on a CPU it is slower and no smaller. "auto" is bf16 where
    the GPU has it, else fp16.

    Raises:
        EncoderError: There is no precision of that name.
    """
    if precision not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise EncoderError(f"`precision` must be one of {known}; got {precision!r}.")
    if not device.startswith("cuda"):
        return "float32"
    if precision != "auto":
        return precision
    import torch

    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


def autocast(precision: str, device: str) -> AbstractContextManager[Any]:
    """The context in which a forward pass runs in a chosen precision."""
    if precision == "float32":
        return nullcontext()
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(torch.device(device).type, dtype=dtype)


@contextmanager
def evaluating(module: nn.Module, device: str) -> Iterator[None]:
    """Run a module that belongs to someone else: in eval mode, without gradients, on `device`.

    The training flag of every submodule, the grad mode and the device are as before afterwards. A
    module that is spread over several devices stays where it is.
    """
    import torch

    modes = {part: part.training for part in module.modules()}
    homes = {tensor.device for tensor in (*module.parameters(), *module.buffers())}
    moves = len(homes) == 1 and homes != {torch.device(device)}
    try:
        module.eval()
        if moves:
            module.to(device)
        with torch.no_grad():
            yield
    finally:
        if moves:
            module.to(homes.pop())
        for part, training in modes.items():
            part.training = training


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether a model failed for want of memory, so that a smaller batch may pass.

    Looks at the causes of the error as well. Imports no model library: PyTorch's and ONNX
    Runtime's errors are recognised by their names and words.
    """
    while error is not None:
        words = str(error).lower()
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return True
        if "out of memory" in words or "failed to allocate memory" in words:
            return True
        if "can't allocate memory" in words:  # PyTorch's allocator on the CPU
            return True
        error = error.__cause__
    return False


def features_and_logits(output: object, key: str | None, name: str) -> tuple[Tensor, Tensor | None]:
    """The features and logits in what a module returned.

    Args:
        output: A tensor of features, a pair (features, logits), or a mapping with "features" and
            perhaps "logits".
        key: Which entry of a mapping holds the features, if not "features".
        name: What the report calls the model.

    Raises:
        EncoderError: The output is none of these, or a mapping without that key.
    """
    if isinstance(output, Mapping):
        return _from_mapping(output, key or "features", name)
    if key is not None and key != "features":
        raise EncoderError(f"`{name}` returns no mapping, so it has no output named {key!r}.")
    parts: list[Any] = list(output) if isinstance(output, Sequence) else [output]
    if not 1 <= len(parts) <= 2 or not all(_is_tensor(part) for part in parts):
        raise EncoderError(
            f"`{name}` must return a tensor of features, a pair (features, logits) or a mapping "
            f"with `features`; got {_described(output)}."
        )
    return parts[0], parts[1] if len(parts) == 2 else None


def encoding_of_tensors(features: Tensor, logits: Tensor | None, name: str) -> Encoding:
    """An `Encoding` of a module's tensors.

    Args:
        features: `(b, d)`; `(b, t, d)` is averaged over the tokens t, `(b, d, h, w)` over space.
        logits: `(b, C)`, or None. Fewer than two classes say nothing and are dropped.
        name: What the report calls the model.

    Raises:
        EncoderError: The features have another number of dimensions.
    """
    pooled = pooled_tensor(features, name)
    has_classes = logits is not None and logits.ndim == 2 and logits.shape[1] > 1
    return Encoding(
        pooled.detach().cpu().numpy(),
        logits.detach().float().cpu().numpy() if logits is not None and has_classes else None,
    )


def pooled_tensor(features: Tensor, name: str) -> Tensor:
    """Features `(b, d)` float32 with their gradients; tokens and space are averaged over.

    Args:
        features: `(b, d)`, `(b, t, d)` or `(b, d, h, w)`.
        name: What the report calls the model.

    Raises:
        EncoderError: The features have another number of dimensions.
    """
    if features.ndim not in (2, 3, 4):
        raise EncoderError(
            f"The features of `{name}` must have shape (b, d), (b, t, d) or (b, d, h, w); "
            f"got {tuple(features.shape)}."
        )
    pooled = features.float()
    if features.ndim == 2:
        return pooled
    return pooled.mean(1) if features.ndim == 3 else pooled.mean((2, 3))


def encoding_of_layers(
    layers: Sequence[Tensor],
    logits: Tensor | None,
    name: str,
    *,
    word_mask: NDArray[np.bool_] | None = None,
) -> Encoding:
    """An `Encoding` of one layer's features, or of those of all layers, the last one last."""
    last = encoding_of_tensors(layers[-1], logits, name)
    inner = [encoding_of_tensors(layer, None, name).features for layer in layers[:-1]]
    every = (*inner, last.features) if inner else ()
    return Encoding(last.features, last.logits, every, word_mask)


def ready_on(module: Any, device: str) -> Any:
    """The module in float32 and eval mode on a device; on a GPU, convolutions' channels last."""
    import torch

    ready = module.float().eval().to(device)
    if device.startswith("cuda"):
        ready = ready.to(memory_format=torch.channels_last)
    return ready


def to_device(values: NDArray[Any], device: str) -> Tensor:
    """The array as a tensor on a device; to a GPU it is copied while the GPU works.

    Images go to a GPU with their channels last, the layout its convolutions are fastest in.
    """
    import torch

    tensor = torch.from_numpy(values)
    if not device.startswith("cuda"):
        return tensor.to(device)
    if tensor.ndim == 4:
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    return tensor.pin_memory().to(device, non_blocking=True)


def _from_mapping(output: Mapping[str, Any], key: str, name: str) -> tuple[Tensor, Tensor | None]:
    if not _is_tensor(output.get(key)):
        raise EncoderError(f"`{name}` returns no tensor named {key!r}; it returns {list(output)}.")
    logits = output.get("logits") if key != "logits" else None
    return output[key], logits if _is_tensor(logits) else None


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _described(output: object) -> str:
    if isinstance(output, Sequence):
        return f"{type(output).__name__} of {len(output)} items"
    return type(output).__name__
