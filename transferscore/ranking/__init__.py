"""Ranking: candidates in order, with intervals, ties, failures and agreement with the truth."""

from transferscore.ranking.assembly import Evaluated, assemble_ranking
from transferscore.ranking.evaluation import (
    Evaluation,
    evaluate,
    evaluation_key,
    evaluation_of_entry,
)
from transferscore.ranking.keeper import (
    Keeper,
    KeepNothing,
    Outcome,
    outcome_of_bytes,
    outcome_to_bytes,
)
from transferscore.ranking.ranking import Candidate, Failure, Prediction, Ranking

__all__ = [
    "Candidate",
    "Evaluated",
    "Evaluation",
    "Failure",
    "KeepNothing",
    "Keeper",
    "Outcome",
    "Prediction",
    "Ranking",
    "assemble_ranking",
    "evaluate",
    "evaluation_key",
    "evaluation_of_entry",
    "outcome_of_bytes",
    "outcome_to_bytes",
]
