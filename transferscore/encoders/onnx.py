"""OnnxEncoder: models in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transferscore.encoders.digests import digest_of, existing_file
from transferscore.encoders.encoder import IMAGE_COST, Batch, Encoding, Sample
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.model_input import input_batch
from transferscore.encoders.onnx_files import onnx_files
from transferscore.encoders.onnx_session import OnnxSession, open_session
from transferscore.encoders.onnx_text import encode_texts
from transferscore.encoders.pooling import in_fixed_batches
from transferscore.encoders.samples import modality_of, require_modality, text_cost
from transferscore.encoders.text_units import TextUnits, read_text_units
from transferscore.encoders.torch_inference import chosen_device
from transferscore.encoders.uri import ModelUri

__all__ = ["OnnxEncoder"]

_VERSION = "onnx 1"


class OnnxEncoder:
    """A model in an ONNX file: `onnx:FILE.onnx[?size=PIXELS][#TENSOR]`.

    Features are the output `features`, or the tensor named, or (where there is neither) what goes
    into the classifier; naming an inner tensor and finding the classifier need the package `onnx`.
    The output `logits` (else the classifier's) gives the source logits. Tensors of four dimensions
    are averaged over space, of three over tokens.

    Images go in as RGB in [0, 1] (uint8 inputs: 0 to 255), in the layout and size of the input,
    else at the `native_resolution` of the metadata, else 224 x 224: normalisation is the graph's
    affair. Texts need a `<stem>.tokenizer.json` beside the file. Arrays go in as they are.

    Args:
        path: The ONNX file.
        output: Name of the output or inner tensor to take as features.
        size: Height and width of images, where the input leaves them open.
        device: "auto", "cpu" or "cuda"; without ONNX Runtime's CUDA provider, all are the CPU.
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
        self._path = Path(path).expanduser()
        self._output = output
        self._size = size
        self._device = device
        self._name = name or f"onnx:{path}" + (f"#{output}" if output else "")
        self._session = Lazily(self._open)
        self._units = Lazily(self._read_units)

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> OnnxEncoder:
        """The encoder that an `onnx:` URI means."""
        size = uri.integer("size")
        return cls(uri.path, output=uri.output, size=size, device=device, name=name)

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    def digest(self) -> str:
        """Hash of the model file, its external weights, its tokenizer, and the options."""
        files = onnx_files(existing_file(self._path))
        return digest_of(_VERSION, self._output, str(self._size), *files)

    def cost(self, sample: Sample) -> int:
        """About how many tokens a text is; a constant for anything else."""
        return text_cost(sample) or IMAGE_COST

    def prepare(self, samples: Sequence[Sample]) -> Batch:
        """The graph's input for the samples; for texts, their ids."""
        spec = self._session.get().input
        if spec.is_text and modality_of(samples[0]) != "array":
            require_modality(samples, "text", self._name)
            units = self._units.get()
            return [units.sequences(text) for text in samples]
        return input_batch(samples, spec, self._name)

    def forward(self, batch: Batch) -> Encoding:
        """Features (and logits) of a prepared batch."""
        session = self._session.get()
        with explained(self._name, "run"):
            if isinstance(batch, list):
                return encode_texts(batch, session, self._units.get(), self._name)
            return in_fixed_batches(
                lambda part: session.run(part, self._name), batch, session.input.shape[0]
            )

    def release(self) -> None:
        """Drop the session."""
        self._session.drop()

    def _open(self) -> OnnxSession:
        path = existing_file(self._path)
        size = None if self._size is None else (self._size, self._size)
        return open_session(path, self._output, size, chosen_device(self._device), self._name)

    def _read_units(self) -> TextUnits:
        return read_text_units(self._path, self._session.get().input.shape[1], self._name)
