"""Ranking: candidates in order, with intervals, ties, failures and agreement with the truth."""

from transferscore.ranking.assembly import assemble_ranking
from transferscore.ranking.baseline import with_baseline
from transferscore.ranking.decision import Decision
from transferscore.ranking.distance_from_source import SourceDistance, source_distance
from transferscore.ranking.document import ranking_of_document, with_source
from transferscore.ranking.evaluated import Evaluated
from transferscore.ranking.evaluation import (
    Evaluation,
    evaluate,
    evaluation_key,
    evaluation_of_entry,
)
from transferscore.ranking.fingerprints import (
    Fingerprints,
    FoundFingerprint,
    fingerprints_of,
)
from transferscore.ranking.keeper import (
    Keeper,
    KeepNothing,
    Outcome,
    outcome_of_bytes,
    outcome_to_bytes,
)
from transferscore.ranking.ranking import Candidate, Failure, Prediction, Ranking, Unavailable
from transferscore.ranking.source import encode, fingerprint_path, fingerprint_source, one_encoder

__all__ = [
    "Candidate",
    "Decision",
    "Evaluated",
    "Evaluation",
    "Failure",
    "Fingerprints",
    "FoundFingerprint",
    "KeepNothing",
    "Keeper",
    "Outcome",
    "Prediction",
    "Ranking",
    "SourceDistance",
    "Unavailable",
    "assemble_ranking",
    "encode",
    "evaluate",
    "evaluation_key",
    "evaluation_of_entry",
    "fingerprint_path",
    "fingerprint_source",
    "fingerprints_of",
    "one_encoder",
    "outcome_of_bytes",
    "outcome_to_bytes",
    "ranking_of_document",
    "source_distance",
    "with_baseline",
    "with_source",
]
