"""PEFT adapters: a base model with the changes of an adapter folder merged in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transferscore.errors import EncoderError, MissingExtraError

__all__ = ["auto_class_of", "n_labels_of", "with_adapter"]

Library = Any  # transformers, peft and what they make

_AUTO_OF_TASK = {
    "SEQ_CLS": "AutoModelForSequenceClassification",
    "TOKEN_CLS": "AutoModelForTokenClassification",
    "CAUSAL_LM": "AutoModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM",
    "QUESTION_ANS": "AutoModelForQuestionAnswering",
    "FEATURE_EXTRACTION": "AutoModel",
}


def auto_class_of(adapter: Path, transformers: Library) -> Library:
    """The class of the model that the adapter was trained on, so that its weights find theirs."""
    config = _config(adapter)
    task = _AUTO_OF_TASK.get(str(config.get("task_type")))
    stated = (config.get("auto_mapping") or {}).get("base_model_class")
    return getattr(transformers, task or str(stated), transformers.AutoModel)


def n_labels_of(adapter: Path) -> int | None:
    """Classes of the classifier that was trained together with the adapter; None without one."""
    from safetensors import safe_open

    for file in sorted(adapter.glob("adapter_model*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            for key in weights.keys():  # noqa: SIM118 -- it is no dictionary
                if key.endswith(
                    ("classifier.weight", "score.weight", "classifier.out_proj.weight")
                ):
                    return int(weights.get_slice(key).get_shape()[0])
    return None


def with_adapter(model: Library, adapter: Path, name: str) -> Library:
    """The model with the adapter merged into its weights.

    Raises:
        EncoderError: Weights of the adapter belong to no part of the model.
        MissingExtraError: peft is not installed.
    """
    try:
        import peft
    except ImportError as error:
        raise MissingExtraError.of("peft", "peft", f"The adapter `{name}`") from error
    _require_safetensors(adapter, name)
    peft_model = peft.PeftModel.from_pretrained(model, str(adapter), local_files_only=True)
    _require_all_weights(peft_model, adapter, name)
    return peft_model.merge_and_unload()


def _config(adapter: Path) -> Mapping[str, Any]:
    config: Mapping[str, Any] = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    return config


def _require_safetensors(adapter: Path, name: str) -> None:
    if not (adapter / "adapter_model.safetensors").is_file():
        raise EncoderError(
            f"`{name}` must have its weights in `adapter_model.safetensors`; `{adapter}` has no "
            f"such file. Save the adapter again with `save_pretrained`."
        )


def _require_all_weights(peft_model: Library, adapter: Path, name: str) -> None:
    """Weights that find no place are left out by the library, and only a warning says so."""
    from peft import get_peft_model_state_dict
    from safetensors import safe_open

    with safe_open(adapter / "adapter_model.safetensors", framework="numpy") as weights:
        saved = set(weights.keys())
    lost = sorted(saved - set(get_peft_model_state_dict(peft_model)))
    if lost:
        raise EncoderError(
            f"{len(lost)} of the {len(saved)} weights of the adapter `{name}` belong to no part of "
            f"its base model (first: {lost[0]}). Check `base_model_name_or_path`."
        )
