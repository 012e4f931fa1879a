"""The language-model head of a transformers folder: what the model expects a token to be."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Sample
from transferscore.encoders.hf_folder import ModelFolder
from transferscore.encoders.hf_inputs import HfBatch
from transferscore.encoders.hf_model import load_with_head
from transferscore.encoders.torch_inference import autocast, to_device

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HeadKind", "HfLanguageModel", "head_kind", "load_language_model"]

HeadKind = Literal["causal", "masked"]
Library = Any  # transformers and what it makes

_ENDINGS: tuple[tuple[str, HeadKind], ...] = (
    ("ForCausalLM", "causal"),
    ("LMHeadModel", "causal"),
    ("ForMaskedLM", "masked"),
    ("ForPreTraining", "masked"),
)
_AUTO_CLASSES = {"causal": "AutoModelForCausalLM", "masked": "AutoModelForMaskedLM"}
# Their heads say neither what comes next nor what a mask hides: one reads in any order, the others
# tell replaced tokens from true ones or are trained on pictures.
_OTHER_HEADS = frozenset({"xlnet", "xlm", "flaubert", "transfo-xl"})
_OTHER_PRETRAINING = ("Electra", "Funnel", "Flava", "Lxmert", "VisualBert")


@dataclass(frozen=True, slots=True)
class HfLanguageModel:
    """A loaded model with its language-model head.

    Attributes:
        kind: Whether it expects the next token, or one that is masked.
        module: The model.
        device: Where it is.
        precision: In which it runs.
        tokenizer: Its tokenizer.
        tokens: Samples to token ids, at most so many a sample.
    """

    kind: HeadKind
    module: Any
    device: str
    precision: str
    tokenizer: Library
    tokens: Callable[[Sequence[Sample], int], HfBatch]

    @property
    def vocabulary_size(self) -> int:
        """How many tokens it chooses from."""
        return int(self.module.config.get_text_config().vocab_size)

    @property
    def mask_id(self) -> int | None:
        """The token that hides another; None in a causal model."""
        return None if self.kind == "causal" else int(self.tokenizer.mask_token_id)

    def is_special(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which tokens are not of the text itself, or stand for what the vocabulary lacks."""
        return np.isin(ids, list(self.tokenizer.all_special_ids))

    def losses(
        self, inputs: Mapping[str, NDArray[Any]], ids: NDArray[np.int64], at: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Negative log-likelihood of some tokens.

        Args:
            inputs: What the model is called with, arrays `(b, t)` by name.
            ids: `(b, t)` true tokens.
            at: `(b, t)`, of which tokens; in a causal model none of the first column.

        Returns:
            One number a token, in nats, row after row.
        """
        import torch

        taken = inspect.signature(self.module.forward).parameters
        arguments = {
            key: to_device(value, self.device) for key, value in inputs.items() if key in taken
        }
        shift = 1 if self.kind == "causal" else 0
        with torch.inference_mode(), autocast(self.precision, self.device):
            logits: Tensor = self.module(**arguments).logits
            chosen = logits[:, : ids.shape[1] - shift][to_device(at[:, shift:], self.device)]
            true = to_device(ids[at], self.device)
            found = torch.nn.functional.cross_entropy(chosen.float(), true, reduction="none")
        values: NDArray[np.float64] = found.double().cpu().numpy()
        return values


def head_kind(folder: ModelFolder) -> HeadKind | None:
    """Which language-model head `config.json` says that the folder has; None for none."""
    config, architecture = folder.config, folder.architecture
    reads_text = folder.has_tokenizer and folder.main_modality == "text"
    is_other = config.get("model_type") in _OTHER_HEADS or architecture.startswith(
        _OTHER_PRETRAINING
    )
    # An adapter changes the body and may bring a head of its own; a pair reads two texts.
    is_changed = folder.adapter is not None or bool(config.get("is_encoder_decoder"))
    if is_other or is_changed or not reads_text:
        return None
    return next((kind for ending, kind in _ENDINGS if architecture.endswith(ending)), None)


def load_language_model(
    folder: ModelFolder, kind: HeadKind, device: str, name: str
) -> Library | None:
    """The model with its head; None where weights are missing, as after training on a task.

    Raises:
        EncoderError: The model needs code that is not trusted.
        MissingExtraError: transformers is not installed.
    """
    module = load_with_head(folder, _AUTO_CLASSES[kind], device, name)
    if module is None or kind == "masked":
        return module
    # A BERT that was not made a decoder sees the token that it is asked for.
    return None if getattr(module.config, "is_decoder", True) is False else module
