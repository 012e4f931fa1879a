"""The arguments of `rank()` as the message of a ranking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from transferscore.datasets import task_named
from transferscore.errors import EncoderError, InputError
from transferscore.v1 import ranking_service_pb2 as pb
from transferscore.v1 import types_pb2

__all__ = ["spec_of", "task_of"]

_TASKS: dict[str, Any] = {
    "classification": types_pb2.TASK_CLASSIFICATION,
    "multilabel": types_pb2.TASK_MULTILABEL,
    "regression": types_pb2.TASK_REGRESSION,
    "token_classification": types_pb2.TASK_TOKEN_CLASSIFICATION,
}


def spec_of(models: Any, options: Mapping[str, Any]) -> Any:
    """The spec of a ranking, its dataset left out.

    Raises:
        EncoderError: A model is no URI, which is all that can be sent.
        InputError: An option cannot be sent.
        UnknownNameError: There is no such task.
    """
    given = {name: value for name, value in options.items() if value is not None}
    spec = pb.RankingSpec(
        task=task_of(given.pop("task", None)),
        split=given.pop("split", ""),
        scores=_listed(given.pop("scores", ())),
        seed=given.pop("seed", 0),
        device=given.pop("device", ""),
        strategies=_listed(given.pop("strategies", ())),
        priors=given.pop("priors", {}),
    )
    if (most := given.pop("max_samples", None)) is not None:
        spec.max_samples = most
    _set_models(spec, models)
    try:
        spec.options.update(given)
    except ValueError:
        raise InputError(
            f"Options for a server must be numbers, texts and lists of them; got {given}."
        ) from None
    return spec


def task_of(task: str | None) -> Any:
    """The Task of the library's word.

    Raises:
        UnknownNameError: There is no such task.
    """
    return types_pb2.TASK_UNSPECIFIED if task is None else _TASKS[task_named(task).kind]


def _set_models(spec: Any, models: Any) -> None:
    if isinstance(models, Mapping):
        spec.model_names.extend(map(str, models))
        models = list(models.values())
    is_one = isinstance(models, str | Path) or not isinstance(models, Iterable)
    for model in [models] if is_one else models:
        if not isinstance(model, str | Path):
            raise EncoderError(
                f"A model for a server must be a URI that the server can read, such as "
                f"`onnx:model.onnx`; got {type(model).__name__}."
            )
        spec.models.append(str(model))


def _listed(names: Any) -> list[str]:
    return names.split(",") if isinstance(names, str) else list(names)
