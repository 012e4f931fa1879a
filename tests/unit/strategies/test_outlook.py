import numpy as np
import pytest
import torch
from torch import nn

from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import CallableEncoder, ModuleEncoder
from transferscore.errors import InputError
from transferscore.statistics import Statistics
from transferscore.strategies import STRATEGIES, outlook, rehearsal, resolve_strategies
from transferscore.strategies.calibration import (
    Observed,
    calibrated,
    log_odds,
    weighs_rehearsal,
)
from transferscore.strategies.evidence import gather_evidence
from transferscore.strategies.kernel import best_mixture, feature_kernel, targets_of
from transferscore.strategies.loop import fit
from transferscore.strategies.published import Frozen, published_outlook
from transferscore.strategies.rehearsal import Rehearsal, rehearse

KINDS = ["image", "text", "audio"]
SEEN = Observed(0.7, 300, 0.5, 0.5)


def encoder(scale=1.0):
    """A small network for data of some scale; the larger, the further do small steps move it."""
    torch.manual_seed(0)
    first = nn.Linear(2, 8)
    first.weight.data /= scale
    return ModuleEncoder(nn.Sequential(first, nn.Tanh(), nn.Linear(8, 8), nn.Tanh()), layer="")


def dataset(n=120, task="classification", scale=1.0):
    x = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    labels = (x[:, 0] * x[:, 1] > 0).astype(int) if task == "classification" else x[:, 0] * x[:, 1]
    return dataset_from_arrays(x * np.float32(scale), labels, task=task)


def looked(model, data, names="all", **options):
    features = model.forward(model.prepare(data.samples)).features
    return features, outlook(model, data, features, resolve_strategies(names), **options)


def test_every_strategy_has_a_prediction_inside_its_interval():
    features, found = looked(encoder(), dataset())
    assert list(found) == list(STRATEGIES)
    for one in found.values():
        assert one.available
        assert 0.0 <= one.predicted.low < one.predicted.value < one.predicted.high <= 1.0
    exact = Statistics(features, dataset().labels).held_out.value
    assert found["linear_probe"].predicted.value == pytest.approx(exact)
    counts = {name: one.n_trainable for name, one in found.items()}
    assert counts == {
        "linear_probe": 0,
        "norm_tuning": 16,
        "partial": 72,
        "lora": 8 * (8 + 2) + 8 * (8 + 8),
        "full": 96,
        "scratch": 96,
    }


def test_learning_curves_rise_to_the_prediction():
    _, found = looked(encoder(), dataset(200), "linear_probe,full")
    for one in found.values():
        sizes = [point.n_samples for point in one.learning_curve]
        assert sizes == [25, 50, 100, 200]
        assert one.learning_curve[-1].predicted == one.predicted
        assert one.learning_curve[0].predicted.value < one.predicted.value


def test_the_same_seed_gives_the_same_outlook():
    found = [looked(encoder(), dataset(), "lora,scratch", seed=3)[1] for _ in range(2)]
    assert found[0] == found[1]


def test_a_model_without_gradients_has_its_probe_and_reasons():
    model = CallableEncoder(lambda rows: np.asarray(rows), name="plain")
    _, found = looked(model, dataset())
    assert found["linear_probe"].available
    assert found["full"].predicted is None
    assert "plain function" in found["full"].reason


def test_more_rows_than_allowed_are_sampled():
    _, found = looked(encoder(), dataset(150), "norm_tuning", max_samples=60)
    curve = found["norm_tuning"].learning_curve
    assert [point.n_samples for point in curve] == [30, 60, 150]
    assert curve[-1].predicted == found["norm_tuning"].predicted


def test_regression_is_looked_at_too():
    _, found = looked(encoder(), dataset(task="regression"), "linear_probe,full")
    assert found["full"].predicted.value >= found["linear_probe"].predicted.value - 0.05


def test_features_must_match():
    with pytest.raises(InputError, match=r"one row for each sample \(120\); got 119"):
        outlook(encoder(), dataset(), np.zeros((119, 2)), resolve_strategies("full"))


def test_evidence_moves_the_prediction_and_rows_narrow_it():
    low, high = (calibrated("full", Observed(0.7, 300, gain, gain), "image") for gain in (0.2, 1.0))
    assert 0.7 < low.value < high.value
    few, many = (calibrated("full", Observed(0.7, n, 0.5, 0.5), "text") for n in (50, 5000))
    assert few.high - few.low > many.high - many.low
    assert calibrated("mine", Observed(0.7, 300, 0.5, 0.5), "audio").value > 0.7
    assert log_odds(1.0, 100) == pytest.approx(np.log(0.995 / 0.005))


def test_gains_grow_with_rows_that_were_not_seen_and_so_does_the_doubt():
    def foreseen(n_seen, gain=0.5, strategy="full"):
        return calibrated(strategy, Observed(0.7, 8000, gain, gain, n_seen=n_seen), "image")

    all_seen, quarter, little, least = (foreseen(n) for n in (8000, 2000, 500, 50))
    assert all_seen.value < quarter.value < little.value == least.value
    assert all_seen == foreseen(None) == foreseen(9000)
    assert quarter.high - quarter.low > all_seen.high - all_seen.low
    assert foreseen(500, gain=0.0) == foreseen(None, gain=0.0)
    assert foreseen(500, strategy="linear_probe") == foreseen(None, strategy="linear_probe")


def test_kernel_and_rehearsal_both_have_a_say():
    for modality in ("image", "text"):
        low, kernel, rehearsal = (
            calibrated("full", Observed(0.7, 300, *gains), modality).value
            for gains in ((0.1, 0.1), (1.0, 0.1), (0.1, 1.0))
        )
        assert low < kernel
        assert low < rehearsal
        assert weighs_rehearsal(modality)
    assert calibrated("full", SEEN, "text_pair") == calibrated("full", SEEN, "text")
    assert not weighs_rehearsal("audio")


def test_data_of_which_nothing_was_measured_have_the_widest_interval():
    halves = [(p.high - p.low) / 2 for p in (calibrated("full", SEEN, m) for m in KINDS)]
    assert max(halves) == halves[KINDS.index("audio")] > halves[KINDS.index("image")]
    probes = {calibrated("linear_probe", SEEN, modality) for modality in KINDS}
    assert len(probes) == 1


def test_a_rehearsal_tunes_one_half_and_is_tested_on_the_other():
    data, model = dataset(400, scale=100.0), encoder(100.0)
    found = rehearse(model, data, 0)
    assert found.n_rows == 200
    assert found.tuned > found.probe + 0.03
    everything = best_mixture(
        feature_kernel(model.forward(model.prepare(data.samples)).features), None, targets_of(data)
    ).value
    assert found.frozen == pytest.approx(everything, abs=0.05)
    assert rehearse(encoder(100.0), data, 0) == found


def test_the_gain_of_a_rehearsal_is_the_mean_of_two_and_never_a_loss():
    tuned = log_odds(0.9, 200) - log_odds(0.8, 200)
    assert Rehearsal(0.8, 0.9, 0.8, 0.9, 200).gain == pytest.approx(tuned)
    assert Rehearsal(0.8, 0.9, 0.8, 0.7, 200).gain == pytest.approx(tuned / 2)
    assert Rehearsal(0.8, 0.4, 0.8, 0.7, 200).gain == 0.0


def test_features_that_learned_random_labels_show_nothing_of_the_rows_held_out(monkeypatch):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 40)).astype(np.float32)
    data = dataset_from_arrays(rows, rng.integers(0, 2, 400), task="classification")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(40, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU())
    of_all_rows = []

    def noted(features, tangents, targets, among):
        of_all_rows.append(best_mixture(features, tangents, targets).value)
        return best_mixture(features, tangents, targets, among)

    monkeypatch.setattr(rehearsal, "best_mixture", noted)
    monkeypatch.setattr(rehearsal, "_RATE", 1e-3)
    found = rehearse(ModuleEncoder(network, layer=""), data, 0)
    assert found.refitted == pytest.approx(0.5, abs=0.1)
    assert of_all_rows[1] > 0.7  # half of them were learned by heart


@pytest.mark.parametrize(("bold", "epochs"), [(1e-3, [(1e-3, 10)]), (30.0, [(30.0, 3), (3e-4, 8)])])
def test_a_convolutional_network_is_rehearsed_boldly_unless_that_tears_it_apart(
    monkeypatch, bold, epochs
):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Unflatten(1, (1, 2)), nn.Conv1d(1, 8, 2), nn.Tanh(), nn.Flatten())
    ran = []

    def noted(run, rows, probe, rate, n_epochs, stop, ends=None):
        heads = []

        def asked(head):
            heads.append(head)
            return ends is not None and ends(head)

        head = fit(run, rows, probe, rate, n_epochs, stop, asked)
        ran.append((rate, len(heads)))
        return head

    monkeypatch.setattr(rehearsal, "_BOLD_RATE", bold)
    monkeypatch.setattr(rehearsal, "fit", noted)
    found = rehearse(ModuleEncoder(network, layer=""), dataset(200), 0)
    assert ran == epochs
    assert 0.0 < found.tuned <= 1.0


def test_only_what_is_tuned_is_rehearsed():
    strategies = resolve_strategies("linear_probe,full,scratch")
    found = gather_evidence(encoder(), dataset(), strategies, 0)
    assert found["linear_probe"].rehearsal is None
    assert (
        found["full"].rehearsal == found["scratch"].rehearsal == rehearse(encoder(), dataset(), 0)
    )
    unrehearsed = gather_evidence(encoder(), dataset(), strategies, 0, rehearsed=False)
    assert unrehearsed["full"].rehearsal is None
    assert unrehearsed["full"].kernel.value == found["full"].kernel.value


def test_full_tuning_of_a_model_without_gradients_is_told_from_published_runs():
    texts = [f"{word} {i}" for i in range(60) for word in ("good", "bad")]
    labels = [text.split()[0] for text in texts]
    model = CallableEncoder(
        lambda batch: np.array([[len(text), sum(map(ord, text)) % 7] for text in batch]),
        name="plain",
    )
    data = dataset_from_arrays(texts, labels)
    _, found = looked(model, data)
    full, probe = found["full"], found["linear_probe"]
    assert full.basis == "published runs of other models"
    assert full.predicted.value > probe.predicted.value
    assert probe.predicted.value < found["lora"].predicted.value < full.predicted.value
    assert not found["partial"].available
    assert "plain function" in found["partial"].reason


def test_source_classes_tell_how_far_full_tuning_goes():
    pixels = np.random.default_rng(0).integers(0, 255, (80, 4, 4, 3), dtype=np.uint8)
    labels = np.arange(80) % 2
    model = CallableEncoder(lambda batch: np.stack(batch).reshape(len(batch), -1), name="plain")
    data = dataset_from_arrays(list(pixels), labels)
    features = model.forward(model.prepare(data.samples)).features
    telling = 9.0 * np.eye(2)[labels]
    ways = resolve_strategies("full")
    sure, unsure, unknown = (
        outlook(model, data, features, ways, source_logits=logits)["full"].predicted
        for logits in (telling, np.zeros((80, 2)), None)
    )
    assert sure.value < unsure.value
    assert unknown.value not in (sure.value, unsure.value)


def published(modality, probe, n_rows, source_nce=None, strategy="full"):
    return published_outlook(strategy, modality, Frozen(probe, n_rows, source_nce))


def test_published_gains_shrink_towards_the_ceiling_and_are_never_losses():
    gains = [published("image", p, 1000).value - p for p in (0.5, 0.9, 0.99)]
    assert gains[0] > gains[1] > gains[2] >= 0.0
    by_nce = [published("image", 0.5, 1000, nce).value for nce in (-0.9, -0.3, 0.0)]
    assert by_nce[0] > by_nce[1] > by_nce[2] == pytest.approx(0.5)
    assert published("audio", 0.5, 100) is None
    assert published("image", 0.5, 100, strategy="lora") is None


def test_few_labels_bring_less_of_published_gains_and_less_surely():
    few, more, many, most = (published("image", 0.5, n, -0.9) for n in (300, 800, 2000, 10**6))
    assert few.value < more.value < many.value == most.value
    assert published("image", 0.5, 50, -0.9).value == few.value
    assert few.high - few.low > more.high - more.low > most.high - most.low


def test_lora_of_text_gains_less_than_full_tuning_and_is_told_less_surely():
    full = published("text", 0.7, 1000)
    lora = published("text_pair", 0.7, 1000, strategy="lora:4")
    assert 0.7 < lora.value < full.value
    assert lora.high - lora.low > full.high - full.low
