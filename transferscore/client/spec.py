"""The arguments of `rank()` as the message of a ranking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
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

_LIMITS = {
    "max_gpu_memory": "max_memory_bytes",
    "max_cost": "max_cost",
    "price_per_hour": "price_per_hour",
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
        strategies=_strategies(given.pop("strategies", None)),
        priors=given.pop("priors", {}),
    )
    if (most := given.pop("max_samples", None)) is not None:
        spec.max_samples = most
    _set_limits(spec, given.pop("limits", None))
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


def _strategies(asked: Any) -> list[str]:
    """Names of strategies; none for the default, which a server has as well."""
    if asked is None or asked == "linear_probe":
        return []
    names = [asked] if isinstance(asked, str) or not isinstance(asked, Iterable) else list(asked)
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"Strategies for a server must be names; got {names}.")
    return [each for name in names for each in name.split(",")]


def _set_limits(spec: Any, limits: Any) -> None:
    """Limits as `rank` takes them: a mapping, or the library's own value."""
    if limits is None:
        return
    from transferscore.strategies.limits import parse_limits

    parsed = asdict(parse_limits(limits))
    given = {name: value for name, value in parsed.items() if value is not None}
    for word, name in _LIMITS.items():
        if word in given:
            setattr(spec.limits, name, given.pop(word))
    if "max_train_time" in given:
        spec.limits.max_train_time.FromNanoseconds(round(given.pop("max_train_time") * 1e9))
    if (device := given.pop("device", None)) is not None:
        _set_device(spec.limits, device)


def _set_device(limits: Any, device: Mapping[str, Any]) -> None:
    """The device that training will run on: its name in the library's table, or its figures."""
    from transferscore.strategies.devices import DEVICES

    is_known = device["name"] in {known.name for known in DEVICES.values()}
    if is_known:
        limits.train_device = device["name"]
    if not is_known or device["source"] == "the caller":
        limits.device_flops = device["flops"]
    if device["memory_bytes"] is not None:
        limits.device_memory_bytes = device["memory_bytes"]


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
