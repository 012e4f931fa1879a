"""Ranking: candidates in order, with intervals, ties, failures and agreement with the truth."""

from transferscore.ranking.assembly import Evaluated, assemble_ranking
from transferscore.ranking.evaluation import (
    Evaluation,
    evaluate,
    evaluation_key,
    evaluation_of_entry,
)
from transferscore.ranking.ranking import Candidate, Failure, Prediction, Ranking

__all__ = [
    "Candidate",
    "Evaluated",
    "Evaluation",
    "Failure",
    "Prediction",
    "Ranking",
    "assemble_ranking",
    "evaluate",
    "evaluation_key",
    "evaluation_of_entry",
]
