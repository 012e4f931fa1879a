"""One row of features a sample, or a word, from what a transformers model returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transferscore.encoders.pooling import POOLINGS
from transferscore.encoders.samples import TEXT_KINDS, Modality
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HF_POOLINGS", "Pooler"]

HF_POOLINGS = (*POOLINGS, "pooler")

Output = Any  # a `ModelOutput` of transformers
Body = Any  # an `nn.Module`


@dataclass(frozen=True, slots=True)
class Pooler:
    """How the hidden states of one batch become features.

    "auto" is what the model was made to be read by. Of an image or sound it is what the model's own
    classifier sees: its `pooler_output` where that is a plain pooling, perhaps normalised (ResNet,
    MobileNet, ConvNeXt, Swin, BEiT, AST). A pooler with a dense layer is not used unless asked
    for (ViT's is seldom trained): those give their CLS token, or where they have none, the mean.
    Of a text it is the mean over its tokens, and the tower's own choice in CLIP.

    Attributes:
        modality: What the samples are.
        pooling: As asked for. Of the tokens of a word, "cls" is the first.
        body: The model.
        is_tower: Whether the model is one of two towers (CLIP), made to be read by its pooler.
        mask: `(b, t)`, 1 where a token is text or a number is sound; None where nothing is padded.
        words: `(b, t)`, which word a token is of, for token sequences.
        name: What the report calls the model.
    """

    modality: Modality
    pooling: str
    body: Body
    is_tower: bool
    mask: Tensor | None
    words: Tensor | None
    name: str

    def layers(self, output: Output, layer: int | None) -> list[Tensor]:
        """Features of one layer, or of all of them, the embeddings first, for None.

        Args:
            output: What the body returned, with the hidden states unless `layer` is -1.
            layer: -1 is the last, 0 the embeddings.

        Raises:
            EncoderError: The model has no such layer, or no pooler for "pooler".
        """
        if layer == -1:
            return [self._pooled(output, output.last_hidden_state)]
        states = list(getattr(output, "hidden_states", None) or ())
        if not states or (layer is not None and not -len(states) <= layer < len(states)):
            between = f"between {-len(states)} and {len(states) - 1}" if states else "-1"
            raise EncoderError(
                f"`layer` of `{self.name}` must be {between}; "
                f"got {'all' if layer is None else layer}."
            )
        last = len(states) - 1
        chosen = range(len(states)) if layer is None else [layer % len(states)]
        return [
            self._pooled(output, output.last_hidden_state)
            if index == last
            else self._pooled(None, states[index])
            for index in chosen
        ]

    def _pooled(self, output: Output, hidden: Tensor) -> Tensor:
        """`(rows, d)` of one layer; `output` is None for an inner one, which no pooler is of."""
        hidden = hidden.float()
        if self.pooling == "pooler":
            return self._own_pooler(output).float()
        if self.modality == "tokens":
            return self._words_pooled(hidden)
        if self.modality in TEXT_KINDS and not self.is_tower:
            return _pool_tokens(hidden, self._mask_of(hidden), self.pooling)
        if self.pooling == "auto" and output is not None and _has_plain_pooler(output, self.body):
            return output.pooler_output.flatten(1).float()  # type: ignore[no-any-return]
        if hidden.ndim == 4:
            flat = hidden.flatten(2)
            return flat.amax(-1) if self.pooling == "max" else flat.mean(-1)
        is_cls = self.pooling == "auto" and _has_cls_token(self.body)
        return _pool_tokens(hidden, self._mask_of(hidden), "cls" if is_cls else self.pooling)

    def _own_pooler(self, output: Output) -> Tensor:
        if output is None:
            raise EncoderError(
                f"`pooling=pooler` of `{self.name}` is of its last layer; got another `layer`."
            )
        pooled = getattr(output, "pooler_output", None)
        if pooled is None:
            raise EncoderError(
                f"`{self.name}` has no pooler; leave `pooling` out, or use cls or mean."
            )
        return pooled.flatten(1)  # type: ignore[no-any-return]

    def _mask_of(self, hidden: Tensor) -> Tensor:
        """`(b, t)` of hidden states `(b, t, d)`; convolutions leave fewer t than the mask has."""
        n_frames = hidden.shape[1]
        if self.mask is None:
            return hidden.new_ones(hidden.shape[:2]).long()
        if self.mask.shape[1] == n_frames:
            return self.mask
        if hasattr(self.body, "_get_feature_vector_attention_mask"):
            return self.body._get_feature_vector_attention_mask(n_frames, self.mask).long()  # type: ignore[no-any-return]
        kept = (self.mask.sum(1) * n_frames / self.mask.shape[1]).ceil().clamp(min=1)
        return (self.mask.new_tensor(range(n_frames)) < kept[:, None]).long()

    def _words_pooled(self, hidden: Tensor) -> Tensor:
        """`(n_words, d)`: the words of all samples that have tokens, in their order."""
        import torch

        words = self.words
        if words is None:
            raise EncoderError(f"`{self.name}` cannot tell the words of a text apart.")
        longest = int(words.max()) + 2
        row = torch.arange(len(words), device=words.device)[:, None]
        is_word = words >= 0
        _, word = torch.unique((row * longest + words)[is_word], return_inverse=True)
        return _pool_groups(hidden[is_word], word, self.pooling)


def _pool_tokens(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """`(b, d)` of tokens `(b, t, d)`, padding left out; "auto" is the mean."""
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        rows = mask.new_tensor(range(len(mask)))
        return hidden[rows, mask.sum(1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    if pooling == "max":
        return hidden.masked_fill(weights == 0, float("-inf")).amax(1)
    return (hidden * weights).sum(1) / weights.sum(1)


def _pool_groups(tokens: Tensor, group: Tensor, pooling: str) -> Tensor:
    """`(g, d)` of tokens `(t, d)` in g groups that follow one another."""
    counts = group.bincount()
    if pooling in ("cls", "last"):
        ends = counts.cumsum(0)
        return tokens[ends - counts] if pooling == "cls" else tokens[ends - 1]
    shape = (len(counts), tokens.shape[1])
    if pooling == "max":
        index = group[:, None].expand_as(tokens)
        lowest = tokens.new_full(shape, float("-inf"))
        return lowest.scatter_reduce(0, index, tokens, reduce="amax")
    return tokens.new_zeros(shape).index_add(0, group, tokens) / counts[:, None]


def _has_plain_pooler(output: Output, body: Body) -> bool:
    if getattr(output, "pooler_output", None) is None:
        return False
    pooler = getattr(body, "pooler", None)
    return pooler is None or all(weight.ndim < 2 for weight in pooler.parameters())


def _has_cls_token(body: Body) -> bool:
    names = (name.rpartition(".")[2] for name, _ in body.named_parameters())
    return any(name in {"cls_token", "class_embedding"} for name in names)
