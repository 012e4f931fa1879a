"""Recipe: how to train a model by a strategy, as advice, as JSON, and as library arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from transferscore.strategies.cost import Schedule

__all__ = ["Circumstances", "Recipe", "recipe_of", "schedule_of"]

# Below so many labels a class augmentation is made stronger: the few hundred images of a small data
# set are seen some twenty times each.
_FEW_LABELS_A_CLASS = 100
_HELD_OUT_SHARE = 0.2
_WARMUP_SHARE = 0.1
_PROBE = "linear_probe"


@dataclass(frozen=True, slots=True)
class _Habits:
    """What is customary for a strategy: learning rates by modality, and how long to train."""

    text_rates: tuple[float, float]
    other_rates: tuple[float, float]
    weight_decay: float
    steps: int
    epochs: tuple[int, int]


_HABITS = {
    _PROBE: _Habits((1e-3, 3e-2), (1e-3, 3e-2), 0.0, 1500, (20, 100)),
    "norm_tuning": _Habits((3e-4, 5e-3), (1e-3, 1e-2), 0.0, 500, (5, 25)),
    "partial": _Habits((5e-5, 5e-4), (1e-4, 3e-3), 0.01, 500, (4, 20)),
    "lora": _Habits((1e-4, 2e-3), (5e-4, 5e-3), 0.0, 500, (5, 25)),
    "full": _Habits((1e-5, 2e-4), (5e-5, 1e-3), 0.01, 500, (4, 20)),
    "scratch": _Habits((1e-4, 1e-3), (5e-4, 5e-3), 0.05, 2500, (20, 100)),
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a recipe depends on besides the strategy.

    Attributes:
        n_samples: Labelled samples.
        n_classes: Classes; 0 for regression.
        modality: Of the samples: "image", "text", "audio" and so on.
        metric: Name of the metric that early stopping watches.
        train_only: Modules and parameters of the model that the strategy trains; empty for none, or
            for all where `trains_all`.
        trains_all: Whether every weight that the features depend on is trained.
        lora_rank: Width of the adapters; None without adapters.
        lora_targets: Names of the layers that adapters stand beside.
        has_batch_norm: Whether the model has batch norms.
    """

    n_samples: int
    n_classes: int
    modality: str
    metric: str = "accuracy"
    train_only: tuple[str, ...] = ()
    trains_all: bool = False
    lora_rank: int | None = None
    lora_targets: tuple[str, ...] = ()
    has_batch_norm: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        strategy: Name of the strategy.
        learning_rate: Lowest and highest rate to try; three or four values between them, a factor
            of three apart, are enough.
        epochs: At most so many passes; early stopping may end sooner.
        batch_size: Samples a step.
        weight_decay: Of AdamW.
        warmup_steps: Steps in which the rate rises, a tenth of all; a cosine takes it down after.
        held_out_share: Share of the labelled samples that early stopping watches.
        patience: Epochs without a better `metric` after which training ends.
        metric: What early stopping watches.
        augmentation: What to do to the training samples; empty for nothing.
        train_only: Modules and parameters of the model that are trained, the new head aside.
        freeze: The same in words.
        notes: What else to mind.
        lora: Arguments of `peft.LoraConfig`; None without adapters.
    """

    strategy: str
    learning_rate: tuple[float, float]
    epochs: int
    batch_size: int
    weight_decay: float
    warmup_steps: int
    held_out_share: float
    patience: int
    metric: str
    augmentation: tuple[str, ...]
    train_only: tuple[str, ...]
    freeze: str
    notes: tuple[str, ...]
    lora: Mapping[str, Any] | None

    def training_arguments(self) -> dict[str, Any]:
        """Keyword arguments of `transformers.TrainingArguments`, `output_dir` aside.

        The learning rate is the geometric middle of the range. Early stopping is transformers'
        `EarlyStoppingCallback(early_stopping_patience=recipe.patience)`.
        """
        low, high = self.learning_rate
        return {
            "learning_rate": float(f"{math.sqrt(low * high):.1e}"),
            "num_train_epochs": self.epochs,
            "per_device_train_batch_size": self.batch_size,
            "per_device_eval_batch_size": 2 * self.batch_size,
            "weight_decay": self.weight_decay,
            "warmup_steps": self.warmup_steps,
            "lr_scheduler_type": "cosine",
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "save_total_limit": 1,
            "load_best_model_at_end": True,
            "metric_for_best_model": self.metric,
            "greater_is_better": True,
        }

    def to_dict(self) -> dict[str, Any]:
        """For the ranking document, library arguments included."""
        own = asdict(self) | {"learning_rate": list(self.learning_rate)}
        for name in ("augmentation", "train_only", "notes"):
            own[name] = list(own[name])
        del own["lora"]
        return own | {
            "training_arguments": self.training_arguments(),
            "lora_config": None if self.lora is None else dict(self.lora),
        }


def recipe_of(strategy: str, about: Circumstances) -> Recipe:
    """The recipe of a strategy; one that is not ours is trained as in full fine-tuning.

    Args:
        strategy: Its name.
        about: What else it depends on.
    """
    habits = _HABITS.get(strategy.partition(":")[0], _HABITS["full"])
    batch_size = _batch_size(about.n_samples)
    per_epoch = max(1, math.ceil(about.n_samples * (1.0 - _HELD_OUT_SHARE) / batch_size))
    least, most = habits.epochs
    epochs = min(most, max(least, round(habits.steps / per_epoch)))
    return Recipe(
        strategy=strategy,
        learning_rate=habits.text_rates if about.modality == "text" else habits.other_rates,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=habits.weight_decay,
        warmup_steps=round(_WARMUP_SHARE * epochs * per_epoch),
        held_out_share=_HELD_OUT_SHARE,
        patience=max(3, epochs // 5),
        metric=about.metric,
        augmentation=() if strategy == _PROBE else _augmentation(about),
        train_only=about.train_only,
        freeze=_freeze(about),
        notes=tuple(_notes(strategy, about)),
        lora=_lora(about),
    )


def schedule_of(recipe: Recipe, n_samples: int) -> Schedule:
    """How long a run of the recipe is, without early stopping: the most that it can take."""
    n_held_out = min(n_samples - 1, max(1, round(recipe.held_out_share * n_samples)))
    epochs = 0 if recipe.strategy == _PROBE else recipe.epochs
    return Schedule(n_samples - n_held_out, n_held_out, epochs, recipe.batch_size)


def _batch_size(n_samples: int) -> int:
    """32, less where an epoch would have under eight steps."""
    size = 32
    while size > 8 and n_samples < 8 * size:
        size //= 2
    return size


def _augmentation(about: Circumstances) -> tuple[str, ...]:
    few = about.n_samples < _FEW_LABELS_A_CLASS * max(1, about.n_classes)
    if about.modality == "image":
        standard = ("random resized crop, scale 0.5 to 1", "horizontal flip if it keeps the class")
        return (
            (*standard, "RandAugment, 2 operations of magnitude 9", "mixup 0.2")
            if few
            else (standard)
        )
    if about.modality == "audio":
        standard = ("random time shift", "random gain of 6 dB")
        return (*standard, "SpecAugment: 2 time and 2 frequency masks") if few else standard
    # Nothing is customary for texts and tables: what changes the words may change the class.
    return ()


def _freeze(about: Circumstances) -> str:
    if about.lora_rank is not None:
        return "every weight of the model; adapters and the new head are trained"
    if about.trains_all:
        return "nothing"
    if not about.train_only:
        return "every weight of the model; only the new head is trained"
    shown = ", ".join(f"`{name}`" for name in about.train_only[:6])
    more = f" and {len(about.train_only) - 6} more" if len(about.train_only) > 6 else ""
    return f"everything but {shown}{more} and the new head"


def _notes(strategy: str, about: Circumstances) -> Sequence[str]:
    notes = []
    if strategy == _PROBE:
        notes.append("Features are computed once; then only the head is fitted.")
    elif strategy != "scratch":
        notes.append("Fit the new head on frozen features first, then train (LP-FT).")
    if about.has_batch_norm and strategy not in (_PROBE, "scratch"):
        notes.append("Leave batch norms in eval mode: batches are small and few.")
    if about.n_samples < _FEW_LABELS_A_CLASS * about.n_classes and strategy == "scratch":
        notes.append("Few labels for training from nothing: expect it to lose.")
    return notes


def _lora(about: Circumstances) -> Mapping[str, Any] | None:
    if about.lora_rank is None:
        return None
    return {
        "r": about.lora_rank,
        "lora_alpha": 2 * about.lora_rank,
        "lora_dropout": 0.05,
        "bias": "none",
        "target_modules": list(about.lora_targets) or "all-linear",
        "modules_to_save": ["classifier"],
    }
