"""Tests of rankings over pairs of model and strategy: order, limits, front, decision."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from transferscore.datasets import dataset_from_arrays
from transferscore.ranking import (
    Evaluated,
    Evaluation,
    assemble_ranking,
    outcome_of_bytes,
    outcome_to_bytes,
)
from transferscore.ranking.priors import Prior
from transferscore.strategies import CurvePoint, Prediction, StrategyOutlook
from transferscore.strategies.limits import NO_LIMITS, parse_limits
from transferscore.strategies.option import Option, option_of_dict
from transferscore.strategies.recipe import Circumstances
from transferscore.strategies.step import StepProfile

N = 400
ROWS = np.random.default_rng(0).normal(size=(N, 3))
LABELS = np.arange(N) % 2
DATASET = dataset_from_arrays(ROWS, LABELS)
STEP = StepProfile(
    device="cpu",
    trains_model=True,
    batch_size=16,
    n_parameters=1_000_000,
    n_trainable=1_000_000,
    weight_bytes=4_000_000,
    trainable_bytes=4_000_000,
    activation_bytes=1_000_000.0,
    forward_flops=1e8,
    step_flops=3e8,
    n_operations=1000,
    forward_seconds=0.01,
    step_seconds=1.0,
    prepare_seconds=0.0,
)
STEPS = {
    "linear_probe": dataclasses.replace(
        STEP, trains_model=False, n_trainable=10, trainable_bytes=40, step_seconds=0.0
    ),
    "lora": dataclasses.replace(STEP, n_trainable=10_000, trainable_bytes=40_000),
    "full": STEP,
}


def evaluation(accuracy, n=N):
    losses = (np.arange(n) % 100 >= 100 * accuracy).astype(float)
    return Evaluation(1 - losses.mean(), losses, np.arange(n), {"logme": 0.1}, 8, {}, ())


def option(strategy, value, *, half=0.04, reason=None, step=STEP):
    predicted = None if value is None else Prediction(value, value - half, value + half)
    curve = (CurvePoint(100, Prediction(0.5, 0.4, 0.6)),) if value is not None else ()
    outlook = StrategyOutlook(strategy, predicted, reason, curve, "tangent kernel", 1000)
    about = Circumstances(N, 2, "array", train_only=("blocks.1",), lora_targets=("query",))
    return Option(outlook, STEPS.get(strategy, step) if step is not None else None, about)


def model(name, accuracy, **values):
    options = [option("linear_probe", accuracy)]
    options += [option(strategy, value) for strategy, value in values.items()]
    return Evaluated(name, evaluation(accuracy), 1.0, 0.5, options=tuple(options))


def test_pairs_are_ranked_together():
    entries = [model("a", 0.80, full=0.95, lora=0.90), model("b", 0.85, full=0.86)]
    ranking = assemble_ranking(DATASET, entries, [], 0)
    order = [(c.model, c.strategy) for c in ranking.candidates]
    assert order == [
        ("a", "full"),
        ("a", "lora"),
        ("b", "full"),
        ("b", "linear_probe"),
        ("a", "linear_probe"),
    ]
    assert [c.rank for c in ranking.candidates] == [1, 2, 3, 4, 5]
    assert sum(c.p_best for c in ranking.candidates) == pytest.approx(1.0)
    assert ranking.best.p_best > 0.9
    assert ranking.best.basis == "tangent kernel"
    assert ranking.best.trainable_parameters == 1_000_000
    assert ranking.decision.model == "a"
    assert ranking.decision.strategy == "full"


def test_without_options_nothing_changes():
    plain = Evaluated("a", evaluation(0.8), 1.0, 0.5)
    ranking = assemble_ranking(DATASET, [plain], [], 0)
    assert ranking.decision is None
    assert ranking.limits is None
    (candidate,) = ranking.candidates
    assert candidate.strategy == "linear_probe"
    assert candidate.cost is candidate.reason is candidate.recipe is candidate.pareto is None


def test_the_probe_is_predicted_alike_with_and_without_strategies():
    plain = assemble_ranking(DATASET, [Evaluated("a", evaluation(0.8), 1.0, 0.5)], [], 0)
    both = assemble_ranking(DATASET, [model("a", 0.8, full=0.9)], [], 0)
    probe = next(c for c in both.candidates if c.strategy == "linear_probe")
    assert probe.predicted == plain.best.predicted


def test_strategies_of_one_model_share_its_sample():
    """A gain of 3 points with little spread of its own is sure, though the intervals overlap."""
    entry = model("a", 0.80, full=0.83)
    wide = assemble_ranking(DATASET, [entry], [], 0)
    assert wide.best.strategy == "full"
    assert wide.best.predicted.low < wide.candidates[1].predicted.high
    assert wide.best.p_best > 0.95


def test_who_breaks_a_limit_comes_last_and_says_which():
    limits = parse_limits({"max_gpu_memory": "24MB"})
    ranking = assemble_ranking(DATASET, [model("a", 0.8, full=0.95, lora=0.9)], [], 0, limits)
    assert [c.strategy for c in ranking.candidates] == ["lora", "linear_probe", "full"]
    full = next(c for c in ranking.candidates if c.strategy == "full")
    assert full.cost.fits is False
    assert full.cost.breaks == ("max_gpu_memory",)
    assert full.p_best == 0.0
    assert not full.tied_with_first
    assert ranking.best.cost.fits
    assert ranking.decision.fits
    higher = ranking.decision.nearest[0]
    assert higher.strategy == "full"
    assert "max_gpu_memory of 28 MB (now 24 MB)" in higher.change


def test_impossible_limits_give_the_nearest_and_what_would_have_to_change():
    limits = parse_limits({"max_gpu_memory": "1MB", "max_train_time": "1s"})
    ranking = assemble_ranking(DATASET, [model("a", 0.8, full=0.95)], [], 0, limits)
    assert not any(c.cost.fits for c in ranking.candidates)
    assert ranking.decision.fits is False
    nearest = ranking.decision.nearest[0]
    assert nearest.strategy == "linear_probe"
    assert "max_gpu_memory of" in nearest.change
    assert "max_train_time of" in nearest.change
    # Compared among themselves, since there is nobody else.
    assert sum(c.p_best for c in ranking.candidates) == pytest.approx(1.0)


def test_what_cannot_be_checked_is_not_said_to_fit():
    unseen = option("full", 0.9, step=None)
    entry = Evaluated("a", evaluation(0.8), 1.0, 0.5, options=(unseen,))
    ranking = assemble_ranking(DATASET, [entry], [], 0, parse_limits({"max_gpu_memory": "1MB"}))
    assert ranking.best.cost is None
    run_only = dataclasses.replace(
        STEPS["linear_probe"],
        n_parameters=None,
        weight_bytes=None,
        activation_bytes=None,
        forward_flops=None,
        step_flops=None,
        n_operations=None,
    )
    probe = dataclasses.replace(option("linear_probe", 0.8), step=run_only)
    entry = Evaluated("a", evaluation(0.8), 1.0, 0.5, options=(probe,))
    for limits in ({"max_gpu_memory": "1MB"}, {"train_device": "t4", "max_train_time": "1h"}):
        cost = assemble_ranking(DATASET, [entry], [], 0, parse_limits(limits)).best.cost
        assert cost.fits is None
        assert cost.train_memory_bytes is None
    cost = assemble_ranking(DATASET, [entry], [], 0, parse_limits({"max_train_time": "1s"})).best
    assert cost.cost.breaks == ("max_train_time",)


def test_a_strategy_that_is_not_available_is_a_row():
    entry = model("a", 0.8, full=0.9)
    missing = option("lora", None, reason="the model has no linear layers")
    entry = dataclasses.replace(entry, options=(*entry.options, missing))
    ranking = assemble_ranking(DATASET, [entry], [], 0)
    (row,) = ranking.unavailable
    assert (row.model, row.strategy, row.reason) == ("a", "lora", "the model has no linear layers")
    assert "lora" not in [c.strategy for c in ranking.candidates]
    assert ranking.to_dict()["unavailable"] == [dataclasses.asdict(row)]


def test_the_front_is_marked():
    ranking = assemble_ranking(DATASET, [model("a", 0.8, full=0.95, lora=0.70)], [], 0, NO_LIMITS)
    front = {c.strategy: c.pareto for c in ranking.candidates}
    assert front == {"full": True, "linear_probe": True, "lora": False}


def test_the_document_is_json_and_has_what_a_user_asks():
    ranking = assemble_ranking(
        DATASET,
        [model("a", 0.8, full=0.95)],
        [],
        0,
        parse_limits({"price_per_hour": 2, "max_cost": 5}),
    )
    document = json.loads(json.dumps(ranking.to_dict(), allow_nan=False))
    first = document["candidates"][0]
    assert first["cost"]["money"] > 0
    assert first["cost"]["fits"] is True
    assert first["cost"]["breaks"] == []
    assert first["recipe"]["strategy"] == "full"
    assert first["recipe"]["training_arguments"]["num_train_epochs"] >= 1
    assert first["reason"].startswith("Full fine-tuning: ")
    assert first["learning_curve"][0]["n_samples"] == 100
    assert document["limits"]["max_cost"] == 5
    assert {rule["rule"] for rule in document["decision"]["rules"]} >= {"overfitting"}


def test_a_tied_candidate_that_costs_less_is_named():
    ranking = assemble_ranking(DATASET, [model("a", 0.900, full=0.901)], [], 0)
    assert ranking.best.strategy == "full"
    (line,) = ranking.decision.cheaper
    assert line.startswith("Linear probe of a is tied with the first and takes ")


def test_options_survive_a_keeper_and_the_store():
    entry = model("a", 0.8, full=0.95)
    kept = outcome_of_bytes(outcome_to_bytes(entry))
    assert kept.options == entry.options
    first = json.loads(json.dumps(entry.options[1].to_dict()))
    assert option_of_dict(first) == entry.options[1]
    missing = option("lora", None, reason="no", step=None)
    assert option_of_dict(json.loads(json.dumps(missing.to_dict()))) == missing


def test_the_same_seed_gives_the_same_ranking():
    entries = [model("a", 0.80, full=0.82, lora=0.81), model("b", 0.81, full=0.82)]
    first, second = (assemble_ranking(DATASET, entries, [], 3).to_dict() for _ in range(2))
    assert first == second


def test_the_document_is_what_json_gives_back():
    document = assemble_ranking(DATASET, [model("a", 0.8, full=0.95)], [], 0).to_dict()
    assert json.loads(json.dumps(document)) == document


def with_curve(entry, tuned_power=0.6):
    """The entry with curves that rise to the prediction, the probe's slower."""

    def curved(each):
        end = 0.8 if each.strategy == "linear_probe" else each.outlook.predicted.value
        power = 0.1 if each.strategy == "linear_probe" else tuned_power
        values = {n: 1 - (1 - end) * (n / N) ** -power for n in (50, 100, 200)}
        curve = tuple(CurvePoint(n, Prediction(v, v - 0.02, v + 0.02)) for n, v in values.items())
        outlook = dataclasses.replace(each.outlook, learning_curve=curve)
        return dataclasses.replace(each, outlook=outlook)

    return dataclasses.replace(entry, options=tuple(curved(o) for o in entry.options))


def test_curves_answer_what_more_labels_would_do():
    entries = [with_curve(model("a", 0.8, full=0.95)), model("b", 0.8, full=0.93)]
    labels_or_model, until = assemble_ranking(DATASET, entries, [], 0).decision.answers
    assert labels_or_model.startswith(
        "More labels: twice as many are expected to add +1.7 points to Full fine-tuning (90%"
    )
    assert "the best other model (b, full) is 2.0 points behind" in labels_or_model
    assert until == (
        "Full fine-tuning is expected to beat the probe with a sixteenth of the 400 labels already "
        "(90% interval: at most 46)."
    )


def test_curves_that_cross_tell_where():
    entries = [with_curve(model("a", 0.8, full=0.95), tuned_power=1.0)]
    until = assemble_ranking(DATASET, entries, [], 0).decision.answers[-1]
    assert until.startswith("Full fine-tuning is expected to beat the probe from about ")
    assert until.endswith("there are 400.")


def test_without_curves_there_is_no_answer():
    ranking = assemble_ranking(DATASET, [model("a", 0.8, full=0.95)], [], 0)
    assert ranking.decision.answers == ()


PRIOR = Prior("full", "array", "d", "accuracy", 0.85, 300, 4, as_recipe=True, same_rows=True)


def after(*priors, **values):
    """The candidates by strategy, where something was measured before."""
    entry = dataclasses.replace(model("a", 0.8, **(values or {"full": 0.95})), priors=priors)
    return {c.strategy: c for c in assemble_ranking(DATASET, [entry], [], 0).candidates}


def test_a_measured_pair_is_predicted_from_its_measurement():
    before, now = after()["full"].predicted, after(PRIOR)["full"].predicted
    assert PRIOR.value < now.value < before.value
    assert now.high - now.low < 0.95 * (before.high - before.low)
    one_fold = after(dataclasses.replace(PRIOR, n_folds=1))["full"].predicted
    assert now.value < one_fold.value < before.value
    assert now.high - now.low < one_fold.high - one_fold.low < before.high - before.low
    assert after(PRIOR)["full"].basis == "tangent kernel, and measured before"


@pytest.mark.parametrize(
    "change",
    [
        {"same_rows": False},
        {"as_recipe": False},
        {"as_recipe": None},
        {"metric": "macro_f1"},
        {"strategy": "lora"},
        {"strategy": "linear_probe"},
    ],
)
def test_what_was_measured_otherwise_changes_no_prediction(change):
    other = after(dataclasses.replace(PRIOR, **change))
    assert {k: c.predicted for k, c in other.items()} == {
        k: c.predicted for k, c in after().items()
    }


def test_a_measurement_with_fewer_labels_is_raised_by_the_learning_curve():
    entry = dataclasses.replace(model("a", 0.8, full=0.95), priors=(PRIOR,))
    flat, risen = (
        assemble_ranking(DATASET, [each], [], 0).candidates for each in (entry, with_curve(entry))
    )
    values = [next(c for c in rows if c.strategy == "full").predicted for rows in (flat, risen)]
    assert values[0].value < values[1].value < 0.95
    assert values[1].high < 1.0


def test_the_report_says_what_a_measurement_means():
    def told(**change):
        prior = dataclasses.replace(PRIOR, **change)
        entry = dataclasses.replace(model("a", 0.8, full=0.95), priors=(prior,))
        lines = str(assemble_ranking(DATASET, [entry], [], 0)).splitlines()
        (line,) = [line for line in lines if line.startswith("measured before")]
        return line

    start = "measured before: full of a: accuracy 85.0% on array with 300 labels"
    assert told() == f"{start}, these very samples, and part of its prediction"
    assert told(as_recipe=None) == f"{start}, these very samples"
    assert told(same_rows=False) == start
    assert told(as_recipe=False).endswith(
        ", in shorter runs than its recipe, and so no part of its prediction"
    )
