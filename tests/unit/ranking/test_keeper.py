"""A ranking with a keeper goes on where it stopped, and says the same to the last bit."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

import transferscore
from transferscore.encoders import resolve_models
from transferscore.events import SamplesEncoded
from transferscore.ranking import Failure, KeepNothing, outcome_of_bytes, outcome_to_bytes

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 60)
ROWS = (RNG.normal(size=(180, 6)) + 1.5 * np.eye(3, 6)[LABELS]).astype(np.float32)


class Interrupted(BaseException):
    """Ends a run from within, as a cancelled job does."""


class InMemory(KeepNothing):
    """Keeps outcomes as bytes, and the names of the encoders whose turn has ended."""

    def __init__(self):
        self.kept = {}
        self.released = []

    def finished(self, position):
        return outcome_of_bytes(self.kept[position]) if position in self.kept else None

    def keep(self, position, outcome, dataset):
        self.kept[position] = outcome_to_bytes(outcome)
        assert len(dataset) == len(ROWS)

    def release(self, encoder):
        self.released.append(encoder.name)
        super().release(encoder)


def good(samples):
    return np.stack(samples)


def poor(samples):
    return np.stack(samples)[:, 3:]


def broken(samples):
    raise ValueError("this model is broken")


def without_times(ranking):
    document = ranking.to_dict()
    for candidate in document["candidates"]:
        del candidate["seconds"], candidate["forward_seconds"]
    return document


@pytest.mark.parametrize("n_finished", [0, 1, 2, 3])
def test_an_interrupted_ranking_goes_on_and_says_the_same(n_finished):
    models = [poor, broken, good]
    whole = transferscore.rank(ROWS, models, labels=LABELS, cache=False)
    keeper = InMemory()

    def interrupt(event):
        if len(keeper.kept) == n_finished and n_finished < 3:
            raise Interrupted

    def run(on_event=None):
        return transferscore.rank(
            ROWS, models, labels=LABELS, cache=False, on_event=on_event, keeper=keeper
        )

    if n_finished < 3:
        with pytest.raises(Interrupted):
            run(interrupt)
    else:
        run()
    assert sorted(keeper.kept) == list(range(n_finished))
    encoded = []
    resumed = run(lambda e: encoded.append(e.model) if isinstance(e, SamplesEncoded) else None)
    assert without_times(resumed) == without_times(whole)
    assert set(encoded) == {"poor", "broken", "good"} - {
        name for i, name in enumerate(["poor", "broken", "good"]) if i < n_finished
    }


def test_a_keeper_may_keep_models_and_is_told_when_each_is_done_with():
    keeper = InMemory()
    transferscore.rank(ROWS, [good, broken], labels=LABELS, cache=False, keeper=keeper)
    assert keeper.released == ["good", "broken"]
    assert [e.name for e in keeper.encoders([good], "cpu")] == [
        e.name for e in resolve_models([good])
    ]


class AsTheyCame(KeepNothing):
    def __init__(self):
        self.outcomes = {}

    def keep(self, position, outcome, dataset):
        self.outcomes[position, len(dataset)] = outcome


def test_an_outcome_survives_as_bytes_with_every_number_exact():
    keeper = AsTheyCame()
    transferscore.rank(ROWS, {"a": good, "b": broken}, labels=LABELS, cache=False, keeper=keeper)
    evaluated, failure = keeper.outcomes[0, len(ROWS)], keeper.outcomes[1, len(ROWS)]
    assert isinstance(failure, Failure)
    assert outcome_of_bytes(outcome_to_bytes(failure)) == failure
    again = outcome_of_bytes(outcome_to_bytes(evaluated))
    np.testing.assert_equal(asdict(again), asdict(evaluated))
