"""The linear classifier (or regression) on frozen features: a strategy, and others' first head."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.strategies.kernel import feature_scale

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Probe", "fit_probe", "head_of"]

# Inverse penalties, on standardised features.
_CHOICES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear map of standardised features, `(features - mean) / scale @ weights + bias`.

    Attributes:
        mean: `(d,)`.
        scale: `(d,)`, positive.
        weights: `(d, K)`; one column for each class, or for each real-valued target.
        bias: `(K,)`.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def outputs(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """Logits, or predicted values, `(n, K)`."""
        outputs: NDArray[np.float64] = self._standardised(features) @ self.weights + self.bias
        return outputs

    def _standardised(self, features: NDArray[Any]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = (features - self.mean) / self.scale
        return scaled


def fit_probe(features: NDArray[Any], labels: NDArray[Any], n_classes: int) -> Probe:
    """Logistic regression (ridge for real targets) with its penalty chosen by cross-validation.

    Args:
        features: `(n, d)`.
        labels: `(n,)` class ids, or real values `(n,)` or `(n, m)` where `n_classes` is 0.
        n_classes: Number of classes.
    """
    values = features.astype(np.float64)
    mean, scale = values.mean(axis=0), feature_scale(values)
    standard = (values - mean) / scale
    # A rotation changes nothing, and makes the fit small where features outnumber rows.
    left, sizes, right = np.linalg.svd(standard, full_matrices=False)
    fit = _logistic if n_classes else _ridge
    weights, bias = fit(left * sizes, labels, n_classes)
    return Probe(mean, scale, right.T @ weights, bias)


def head_of(probe: Probe) -> nn.Module:
    """The probe as a module on features, to be trained on."""
    import torch
    from torch import nn

    class Head(nn.Module):
        mean: torch.Tensor
        scale: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            d, k = probe.weights.shape
            self.register_buffer("mean", torch.tensor(probe.mean, dtype=torch.float32))
            self.register_buffer("scale", torch.tensor(probe.scale, dtype=torch.float32))
            self.linear = nn.Linear(d, k)
            with torch.no_grad():
                self.linear.weight.copy_(torch.tensor(probe.weights.T))
                self.linear.bias.copy_(torch.tensor(probe.bias))

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.linear((features - self.mean) / self.scale)
            return outputs

    return Head()


def _logistic(
    rows: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    folds = _folds_by_class(labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        def right(choice: float) -> float:
            hits = 0
            for fold in range(_FOLDS):
                held = folds == fold
                model = LogisticRegression(C=choice, max_iter=300).fit(rows[~held], labels[~held])
                hits += int(np.sum(model.predict(rows[held]) == labels[held]))
            return hits

        best = max(_CHOICES, key=right)
        model = LogisticRegression(C=best, max_iter=300).fit(rows, labels)
    weights, bias = np.zeros((rows.shape[1], n_classes)), np.full(n_classes, -30.0)
    if len(model.classes_) == 2:
        # One column of log odds: half to each class.
        halves = np.array([-0.5, 0.5])
        weights[:, model.classes_] = model.coef_.T * halves
        bias[model.classes_] = model.intercept_ * halves
    else:
        weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return weights, bias


def _ridge(
    rows: NDArray[np.float64],
    labels: NDArray[np.float64],
    n_classes: int,  # noqa: ARG001 -- the signature of a fit
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.linear_model import RidgeCV

    targets = labels.reshape(len(labels), -1)
    model = RidgeCV(alphas=np.logspace(-1, 5, 13)).fit(rows, targets)
    return np.asarray(model.coef_).reshape(targets.shape[1], -1).T, np.atleast_1d(model.intercept_)


def _folds_by_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """A fold for each row, every class dealt out in turn."""
    order = np.argsort(labels, kind="stable")
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % _FOLDS
    return folds
