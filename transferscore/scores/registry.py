"""The catalogue of scores: metadata by name, in the order in which reports show them."""

from __future__ import annotations

from collections.abc import Iterable

from transferscore.errors import InputError, UnknownNameError
from transferscore.scores import (
    adjusted_h_score,
    emms,
    energy,
    gbc,
    h_score,
    intra_class_variance,
    knn,
    lda,
    leep,
    lfc,
    logistic_probe,
    logme,
    nce,
    ncti_feature_nuclear_norm,
    ncti_log_class_nuclear_norm,
    ncti_mean_posterior,
    nleep,
    pactran_dirichlet,
    pactran_gamma,
    pactran_gaussian,
    parc,
    ridge_probe,
    sfda,
    shrinkage_h_score,
    transrate,
)
from transferscore.scores.score import ScoreInfo

__all__ = ["RANKING_SCORES", "SCORES", "applicable_scores", "check_scores", "scores_named"]

SCORES: dict[str, ScoreInfo] = {
    module.INFO.name: module.INFO
    for module in (
        ridge_probe,
        logistic_probe,
        lda,
        logme,
        h_score,
        shrinkage_h_score,
        adjusted_h_score,
        pactran_gaussian,
        emms,
        transrate,
        gbc,
        sfda,
        ncti_mean_posterior,
        ncti_feature_nuclear_norm,
        ncti_log_class_nuclear_norm,
        lfc,
        parc,
        intra_class_variance,
        knn,
        nleep,
        energy,
        nce,
        leep,
        pactran_dirichlet,
        pactran_gamma,
    )
}


# What a ranking shows unless asked for more: together they cost little more than one of them.
RANKING_SCORES = (
    "ridge_probe",
    "logme",
    "h_score",
    "shrinkage_h_score",
    "adjusted_h_score",
    "knn",
    "nce",
    "leep",
)


def scores_named(names: str | Iterable[str]) -> list[ScoreInfo]:
    """The scores of these names; a string may list several, separated by commas.

    Raises:
        UnknownNameError: A name is not in the catalogue; the message lists those that are.
    """
    wanted = names.split(",") if isinstance(names, str) else list(names)
    wanted = [name.strip() for name in wanted]
    unknown = [name for name in wanted if name not in SCORES]
    if unknown:
        raise UnknownNameError(
            f"There is no score named {unknown[0]!r}; the scores are {', '.join(sorted(SCORES))}."
        )
    return [SCORES[name] for name in wanted]


def applicable_scores(task: str, *, has_source: bool) -> list[ScoreInfo]:
    """Every score whose formula has a meaning for `task` and the inputs that there are."""
    return [
        info
        for info in SCORES.values()
        if task in info.tasks and (has_source or not info.needs_source)
    ]


def check_scores(names: str | Iterable[str] | None, task: str) -> list[str] | None:
    """The names as a list, those of every score of the task for "all", or None for the default.

    Raises:
        UnknownNameError: A name is not in the catalogue.
        InputError: A score has no meaning for the task.
    """
    if names is None:
        return None
    if names == "all":
        return [name for name, info in SCORES.items() if task in info.tasks]
    infos = scores_named(names)
    for info in infos:
        if task not in info.tasks:
            raise InputError(
                f"The score {info.name!r} has no meaning for {task}; "
                f"it is defined for {', '.join(info.tasks)}."
            )
    return [info.name for info in infos]
