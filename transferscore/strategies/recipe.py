"""Recipe: how to train a model by a strategy, as advice, as JSON, and as library arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from transferscore.strategies.cost import Schedule
from transferscore.strategies.training import LEARNING_RATES, TrainingPlan

__all__ = ["Circumstances", "Recipe", "recipe_of", "schedule_of"]

# Below so many labels a class augmentation is made stronger: the few hundred images of a small data
# set are seen some fifteen times each.
_FEW_LABELS_A_CLASS = 100
_WARMUP_SHARE = 0.1
_PROBE = "linear_probe"
# Of a classifier head alone, in a training loop rather than in closed form.
_PROBE_RATES = (1e-3, 4e-3, 1.6e-2)
# Predictions were tested on runs of 15 epochs, 10 of texts; beyond so many rows fewer are enough.
_EPOCHS, _TEXT_EPOCHS, _FEWEST_EPOCHS = 15, 10, 3
_ROWS_OF_ALL_EPOCHS = 5000


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
        adapts_convolutions: Whether adapters stand beside convolutions.
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
    adapts_convolutions: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: what `transferscore verify` does, and what was predicted.

    Attributes:
        strategy: Name of the strategy.
        learning_rate: Lowest and highest rate to try.
        learning_rates: The rates to try on the held-out share, each for `search_epochs`.
        search_epochs: Passes for each rate that is tried.
        epochs: Passes with the chosen rate, over all labelled samples.
        batch_size: Samples a step.
        weight_decay: Of AdamW.
        warmup_steps: Steps in which the rate rises, a tenth of all; a cosine takes it down after.
        held_out_share: Share of the labelled samples on which rate and stopping are chosen.
        patience: Epochs without a better `metric` after which training ends.
        metric: What early stopping watches.
        augmentation: What to do to the training samples; empty for nothing. Predictions are of
            training without it.
        train_only: Modules and parameters of the model that are trained, the new head aside.
        freeze: The same in words.
        notes: What else to mind.
        lora: Arguments of `peft.LoraConfig`; None without adapters.
    """

    strategy: str
    learning_rate: tuple[float, float]
    learning_rates: tuple[float, ...]
    search_epochs: int
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

    def plan(self) -> TrainingPlan:
        """The same for `train_strategy`, which does what is recommended."""
        return TrainingPlan(
            self.epochs,
            self.search_epochs,
            self.batch_size,
            self.learning_rates,
            self.weight_decay,
            self.held_out_share,
        )

    def training_arguments(self) -> dict[str, Any]:
        """Keyword arguments of `transformers.TrainingArguments`, `output_dir` aside.

        The learning rate is the middle one of those to try. Early stopping is transformers'
        `EarlyStoppingCallback(early_stopping_patience=recipe.patience)`.
        """
        return {
            "learning_rate": self.learning_rates[len(self.learning_rates) // 2],
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
        for name in ("learning_rates", "augmentation", "train_only", "notes"):
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
    rates = _rates(strategy)
    defaults = TrainingPlan()
    most = _TEXT_EPOCHS if about.modality in ("text", "text_pair", "tokens") else _EPOCHS
    epochs = max(_FEWEST_EPOCHS, min(most, round(most * _ROWS_OF_ALL_EPOCHS / about.n_samples)))
    steps = epochs * math.ceil(about.n_samples / defaults.batch_size)
    return Recipe(
        strategy=strategy,
        learning_rate=(min(rates), max(rates)),
        learning_rates=rates,
        search_epochs=max(1, round(epochs / 3)),
        epochs=epochs,
        batch_size=defaults.batch_size,
        weight_decay=defaults.weight_decay,
        warmup_steps=round(_WARMUP_SHARE * steps),
        held_out_share=defaults.held_out,
        patience=3,
        metric=about.metric,
        augmentation=() if strategy == _PROBE else _augmentation(about),
        train_only=about.train_only,
        freeze=_freeze(about),
        notes=tuple(_notes(strategy, about)),
        lora=_lora(about),
    )


def schedule_of(recipe: Recipe, n_samples: int) -> Schedule:
    """How long a run of the recipe is, without early stopping: the most that it can take."""
    if recipe.strategy == _PROBE:
        return Schedule(n_samples, recipe.batch_size)
    return Schedule(
        n_samples,
        recipe.batch_size,
        recipe.epochs,
        len(recipe.learning_rates),
        recipe.search_epochs,
        recipe.held_out_share,
    )


def _rates(strategy: str) -> tuple[float, ...]:
    if strategy == _PROBE:
        return _PROBE_RATES
    return LEARNING_RATES.get(strategy.partition(":")[0], LEARNING_RATES["full"])


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
    if about.adapts_convolutions:
        notes.append(
            "PEFT hides the geometry of a convolution that it adapts. MobileNets read it: after "
            "`get_peft_model`, set `layer.stride = layer.base_layer.stride` on each adapted "
            "layer, and `kernel_size` and `dilation` likewise."
        )
    return notes


def _lora(about: Circumstances) -> Mapping[str, Any] | None:
    if about.lora_rank is None:
        return None
    return {
        "r": about.lora_rank,
        "lora_alpha": 2 * about.lora_rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(about.lora_targets) or "all-linear",
        "modules_to_save": ["classifier"],
    }
