"""One row of features a sample from what a transformers model returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Pooling", "hidden_layer", "pool_image", "pool_text", "require_pooling"]

Pooling = Literal["auto", "cls", "last", "max", "mean"]


Output = Any  # a `ModelOutput` of transformers
Body = Any  # an `nn.Module`


def require_pooling(pooling: str) -> None:
    """Check that there is a pooling of that name.

    Raises:
        EncoderError: There is none; the message lists those that exist.
    """
    if pooling not in get_args(Pooling):
        known = ", ".join(get_args(Pooling))
        raise EncoderError(f"`pooling` must be one of {known}; got {pooling!r}.")


def hidden_layer(output: Output, layer: int, name: str) -> Tensor:
    """The hidden states of one layer: -1 is the last, 0 the embeddings.

    Raises:
        EncoderError: The model has no such layer.
    """
    if layer == -1:
        return output.last_hidden_state  # type: ignore[no-any-return]
    states = output.hidden_states or ()
    if not -len(states) <= layer < len(states):
        raise EncoderError(
            f"`layer` of `{name}` must be between {-len(states)} and {len(states) - 1}; "
            f"got {layer}."
        )
    return states[layer]  # type: ignore[no-any-return]


def pool_text(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """`(b, d)` of tokens `(b, t, d)`, padding left out.

    Args:
        hidden: Hidden states, texts on the left.
        mask: `(b, t)`, 1 where a token is text.
        pooling: "cls" is the first token, "last" the last of the text; "auto" is "mean".
    """
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        rows = mask.new_tensor(range(len(mask)))
        return hidden[rows, mask.sum(1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    if pooling == "max":
        return hidden.masked_fill(weights == 0, float("-inf")).amax(1)
    return (hidden * weights).sum(1) / weights.sum(1)


def pool_image(output: Output, hidden: Tensor, body: Body, pooling: str) -> Tensor:
    """`(b, d)` of an image model's output.

    "auto" is what the model's own classifier sees: its `pooler_output` where that is a plain
    pooling, perhaps normalised (ResNet, MobileNet, ConvNeXt, Swin, BEiT). A pooler with a dense
    layer is not used (ViT's is seldom trained): those give their CLS token, or where they have
    none, the mean over the tokens.

    Args:
        output: The model's output; None of an inner layer, which no pooler belongs to.
        hidden: Hidden states `(b, t, d)`, or `(b, d, h, w)` of a convolutional network.
        body: The model.
        pooling: As asked for.
    """
    if pooling == "auto" and output is not None and _has_plain_pooler(output, body):
        return output.pooler_output.flatten(1)  # type: ignore[no-any-return]
    if hidden.ndim == 4:
        flat = hidden.flatten(2)
        return flat.amax(-1) if pooling == "max" else flat.mean(-1)
    if pooling == "max":
        return hidden.amax(1)
    if pooling == "last":
        return hidden[:, -1]
    if pooling == "cls" or (pooling == "auto" and _has_cls_token(body)):
        return hidden[:, 0]
    return hidden.mean(1)


def _has_plain_pooler(output: Output, body: Body) -> bool:
    if getattr(output, "pooler_output", None) is None:
        return False
    pooler = getattr(body, "pooler", None)
    return pooler is None or all(weight.ndim < 2 for weight in pooler.parameters())


def _has_cls_token(body: Body) -> bool:
    names = (name.rpartition(".")[2] for name, _ in body.named_parameters())
    return any(name in {"cls_token", "class_embedding"} for name in names)
