"""Differentiable features of a sentence-transformers model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["pair_tensor", "sentence_features"]

Library = Any  # a `SentenceTransformer`


def sentence_features(
    model: Library, prompt: str | None, device: str, name: str
) -> Callable[[Sequence[str]], Tensor]:
    """A function from b texts to features `(b, d)`: those of `encode`, with their gradients.

    Args:
        model: The library's model.
        prompt: Name of one of its prompts; its default prompt, if it has one, otherwise.
        device: Where the model is.
        name: What the report calls it.

    Raises:
        EncoderError: The installed library is too old to prepare texts apart from encoding them.
    """
    if not hasattr(model, "preprocess"):
        raise EncoderError(
            f"`{name}` can be trained with a newer sentence-transformers only; update it with "
            f"`pip install -U sentence-transformers`, or use the model's `hf:` folder."
        )
    stated = model.prompts.get(prompt or model.default_prompt_name or "")

    def features(texts: Sequence[str]) -> Tensor:
        inputs = model.preprocess(list(texts), prompt=stated)
        on_device = {
            key: value.to(device) if hasattr(value, "to") else value
            for key, value in inputs.items()
        }
        embedding: Tensor = model(on_device)["sentence_embedding"]
        return embedding[:, : model.truncate_dim].float()

    return features


def pair_tensor(features: Tensor) -> Tensor:
    """Features `(b, 2 d)` of pairs, |u - v| and u * v, all first texts before all second ones."""
    import torch

    first, second = features.chunk(2)
    return torch.cat([(first - second).abs(), first * second], dim=1)
