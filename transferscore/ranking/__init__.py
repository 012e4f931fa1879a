"""Ranking: candidates in order, with intervals, ties, failures and agreement with the truth."""

from transferscore.ranking.assembly import assemble_ranking
from transferscore.ranking.decision import Decision
from transferscore.ranking.evaluated import Evaluated
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
from transferscore.ranking.ranking import Candidate, Failure, Prediction, Ranking, Unavailable

__all__ = [
    "Candidate",
    "Decision",
    "Evaluated",
    "Evaluation",
    "Failure",
    "KeepNothing",
    "Keeper",
    "Outcome",
    "Prediction",
    "Ranking",
    "Unavailable",
    "assemble_ranking",
    "evaluate",
    "evaluation_key",
    "evaluation_of_entry",
    "outcome_of_bytes",
    "outcome_to_bytes",
]
