"""ExportEncoder: programs saved by torch.export, which need no model code."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of, existing_file
from transferscore.encoders.encoder import IMAGE_COST, Encoding, Sample
from transferscore.encoders.export_check import require_plain_program
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.model_input import ModelInput, input_batch
from transferscore.encoders.on_disk import OneFile
from transferscore.encoders.pooling import in_fixed_batches
from transferscore.encoders.torch_inference import (
    chosen_device,
    encoding_of_tensors,
    features_and_logits,
    pooled_tensor,
)
from transferscore.encoders.trainable import TrainableModel
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

__all__ = ["ExportEncoder"]

_VERSION = "export 1"


@dataclass(frozen=True, slots=True)
class _Program:
    module: nn.Module
    input: ModelInput


class ExportEncoder(OneFile):
    """An exported program: `export:FILE.pt2[?size=PIXELS][#OUTPUT]`.

    The program returns features, a pair (features, logits), or a mapping with `features` and
    perhaps `logits`. Four axes of input are images, which go in as RGB in [0, 1] at the size that
    was exported; arrays go in as they are, as the input's type.

    Args:
        path: The file, written by `torch.export.save`.
        output: Key of the features, where the program returns a mapping.
        size: Height and width of images, where the program leaves them open.
        device: "auto", "cpu" or "cuda".
        name: What the report calls the model.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        output: str | None = None,
        size: int | None = None,
        device: str = "auto",
        name: str | None = None,
    ) -> None:
        super().__init__(path, name or f"export:{path}" + (f"#{output}" if output else ""))
        self._output = output
        self._size = size
        self._device = device
        self._program = Lazily(self._load)

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> ExportEncoder:
        """The encoder that an `export:` URI means."""
        size = uri.integer("size")
        return cls(uri.path, output=uri.output, size=size, device=device, name=name)

    def digest(self) -> str:
        """Hash of the file and the options."""
        return digest_of(_VERSION, self._output, str(self._size), existing_file(self._path))

    def program(self) -> tuple[nn.Module, ModelInput]:
        """The program as a module, and what it takes."""
        program = self._program.get()
        return program.module, program.input

    def cost(self, sample: Sample) -> int:  # noqa: ARG002 -- all samples are of one size
        """A constant: every sample costs the same."""
        return IMAGE_COST

    def prepare(self, samples: Sequence[Any]) -> NDArray[Any]:
        """The program's input for the samples."""
        return input_batch(samples, self._program.get().input, self._name)

    def forward(self, batch: NDArray[Any]) -> Encoding:
        """Features (and logits) of a prepared batch."""
        program = self._program.get()
        with explained(self._name, "run"):
            return in_fixed_batches(
                lambda part: self._run(program, part), batch, program.input.shape[0]
            )

    def trainable(self) -> TrainableModel:
        """The program, read from its file again. Its batch norms always use stored statistics."""
        program, device = self._load(), chosen_device(self._device)
        if (size := program.input.shape[0]) is not None:
            raise EncoderError(
                f"`{self._name}` was exported for batches of exactly {size}, so it cannot be "
                f"trained; export it with a dynamic batch axis."
            )

        def features(batch: NDArray[Any]) -> Tensor:
            import torch

            output = program.module(torch.from_numpy(batch).to(device))
            found, _ = features_and_logits(output, self._output, self._name)
            return pooled_tensor(found, self._name)

        return TrainableModel(self._name, program.module, device, self.prepare, features)

    def release(self) -> None:
        """Drop the program."""
        self._program.drop()

    def _run(self, program: _Program, part: NDArray[Any]) -> Encoding:
        import torch

        with torch.inference_mode():
            output = program.module(torch.from_numpy(part).to(chosen_device(self._device)))
            features, logits = features_and_logits(output, self._output, self._name)
            return encoding_of_tensors(features, logits, self._name)

    def _load(self) -> _Program:
        path = existing_file(self._path)
        require_plain_program(path, self._name)
        size = None if self._size is None else (self._size, self._size)
        device = chosen_device(self._device)
        with explained(self._name, "loaded"):
            import torch
            from torch.export.passes import move_to_device_pass

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                program = torch.export.load(path)
                if device != "cpu":
                    program = move_to_device_pass(program, device)
                return _Program(program.module(), _input_of(program, size, self._name))


def _input_of(program: ExportedProgram, size: tuple[int, int] | None, name: str) -> ModelInput:
    """The one tensor that the program takes, with None for the axes exported as dynamic."""
    inputs = program.graph_signature.user_inputs
    if len(inputs) != 1:
        raise EncoderError(f"`{name}` must take one tensor; it takes {len(inputs)} inputs.")
    (node,) = (node for node in program.graph.nodes if node.name == inputs[0])
    example = node.meta["val"]
    shape = tuple(axis if isinstance(axis, int) else None for axis in example.shape)
    dtype = np.dtype(str(example.dtype).removeprefix("torch."))
    return ModelInput(str(inputs[0]), shape, dtype, size)
