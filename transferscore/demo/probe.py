"""The truth: a real probe trained on a model's frozen features, and tested on unseen rows."""

from __future__ import annotations

import numpy as np

from transferscore.datasets import dataset_from_arrays
from transferscore.demo.target import Target
from transferscore.encoders import resolve_encoder
from transferscore.features import extract_features

__all__ = ["measure_probe"]

_PENALTIES = np.logspace(-3.0, 3.0, 13)
_INNER_FOLDS = 5


def measure_probe(model: str, target: Target, seed: int) -> float:
    """Accuracy of a tuned logistic regression on the rows that are not labelled.

    The features are standardised, and the penalty is chosen by cross-validation among the labelled
    rows: nothing is fitted to the rows that it is tested on.

    Args:
        model: Model URI.
        target: What to learn and to test on.
        seed: Seed of the folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    dataset = dataset_from_arrays(target.images, target.labels)
    features = extract_features(resolve_encoder(model, device="cpu"), dataset).values
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        {"logisticregression__C": _PENALTIES},
        cv=StratifiedKFold(_INNER_FOLDS, shuffle=True, random_state=seed),
    )
    search.fit(features[target.labelled], target.labels[target.labelled])
    return float(search.score(features[~target.labelled], target.labels[~target.labelled]))
