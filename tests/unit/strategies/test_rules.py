"""Tests of reasons and rules of thumb: every number in them is one that was given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from transferscore.strategies.prospect import Prospect, Setting, family_of, gain_text, label_of
from transferscore.strategies.reason import reason_for
from transferscore.strategies.rules import rules_of_thumb

PROBE = Prospect("linear_probe", 0.80, n_trainable=1_300, seconds=3.0, memory_bytes=100_000_000)
FULL = Prospect("full", 0.89, 0.09, 0.02, 22_000_000, 22_000_000, 300.0, 900_000_000)
LORA = Prospect("lora", 0.885, 0.085, 0.02, 300_000, 22_000_000, 290.0, 300_000_000)
SCRATCH = Prospect("scratch", 0.5, -0.3, 0.05, 22_000_000, 22_000_000, 900.0, 900_000_000)
SETTING = Setting(1400, 5, "images", "accuracy", "high", "AUC 0.97")


def weaker(prospect, gain):
    return Prospect(
        prospect.strategy,
        0.8 + gain,
        gain,
        0.02,
        prospect.n_trainable,
        prospect.n_parameters,
        prospect.seconds,
        prospect.memory_bytes,
    )


def rules(chosen, prospects, setting=SETTING):
    return {finding.rule: finding for finding in rules_of_thumb(chosen, prospects, setting)}


def test_the_reason_of_the_issue():
    text = reason_for(FULL, [PROBE, FULL, LORA], SETTING)
    assert text == (
        "Full fine-tuning: the data are far from what the model has seen (distance: high) and "
        "1,400 images suffice (+9.0 ± 2.0 points over the probe); LoRA reaches 94% of that gain at "
        "33% of the memory, but not of the time (4.83 min against 5 min)."
    )


def test_a_probe_says_what_fine_tuning_would_add():
    assert reason_for(PROBE, [PROBE, FULL], SETTING) == (
        "Linear probe: frozen features reach 80.0%; fine-tuning adds to that (Full fine-tuning "
        "+9.0 ± 2.0 points)."
    )
    text = reason_for(PROBE, [PROBE, weaker(FULL, 0.01)], SETTING)
    assert "fine-tuning adds nothing that is sure (Full fine-tuning +1.0 ± 2.0 points)" in text
    assert "forward only" in reason_for(PROBE, [PROBE], SETTING)


def test_the_reason_says_where_a_prediction_comes_from():
    noted = replace(FULL, gain=0.01, n_trainable=None, memory_bytes=None, note="a note")
    assert reason_for(noted, [PROBE, noted], SETTING) == (
        "Full fine-tuning: no sure gain (+1.0 ± 2.0 points over the probe); a note."
    )


def test_a_loss_is_called_one():
    text = reason_for(SCRATCH, [PROBE, SCRATCH], SETTING)
    assert text == (
        "Training from scratch: 1,400 images are too few for 22 M trained weights in 900 MB "
        "(-30.0 ± 5.0 points over the probe)."
    )


def test_no_rival_is_named_that_saves_nothing():
    assert "LoRA" not in reason_for(FULL, [PROBE, FULL, weaker(LORA, 0.02)], SETTING)
    dear = Prospect("lora", 0.89, 0.09, 0.02, 1, 1, 1.0, 890_000_000)
    assert "LoRA" not in reason_for(FULL, [PROBE, FULL, dear], SETTING)


def test_without_a_probe_there_is_no_gain_to_speak_of():
    assert reason_for(FULL, [FULL], SETTING) == (
        "Full fine-tuning: expected to reach 89.0% with 22 M trained weights in 900 MB."
    )


def test_r2_is_not_told_in_points():
    setting = Setting(1400, 0, "texts", "r2")
    assert gain_text(FULL, setting) == "+0.090 ± 0.020 in r2"
    assert "r2 0.800" in reason_for(PROBE, [PROBE, FULL], setting)


def test_each_rule_has_its_number_and_is_judged():
    found = rules(FULL, [PROBE, FULL, LORA, SCRATCH])
    assert found["domain"].says == "fine-tune"
    assert found["domain"].agrees
    assert "high (AUC 0.97)" in found["domain"].because
    assert found["overfitting"].because == (
        "Full fine-tuning trains 15.7 k weights a label (22 M for 1,400 labels)."
    )
    assert found["overfitting"].agrees is False
    assert "33% of the memory and 97% of the time" in found["adapters of a small model"].prediction
    assert found["adapters of a small model"].agrees is None
    assert "(full) against none: +39.0 points" in found["pretraining"].because
    assert "few labels" not in found
    assert "near the ceiling" not in found
    assert "little compute" not in found


def test_rules_that_disagree_say_so():
    near = Setting(100, 5, "images", "accuracy", "low")
    found = rules(FULL, [PROBE, FULL], near)
    assert found["domain"].says == "freeze"
    assert found["domain"].agrees is False
    assert "+9.0 ± 2.0 points over the probe." in found["domain"].prediction
    assert found["few labels"].because == "20 labels a class are fewer than 50."
    assert found["few labels"].agrees is False
    assert rules(PROBE, [PROBE, FULL], near)["few labels"].agrees


def test_a_gain_within_its_interval_may_be_chance():
    found = rules(PROBE, [PROBE, weaker(FULL, 0.01)])
    assert found["domain"].prediction.endswith("which may be chance.")
    assert found["domain"].agrees is False


def test_a_limit_that_full_breaks_is_a_rule():
    broken = Prospect("full", 0.89, 0.09, 0.02, 1, 1, 300.0, 900_000_000, ("max_gpu_memory",))
    found = rules(LORA, [PROBE, broken, LORA])["little compute"]
    assert found.because == "Full fine-tuning breaks max_gpu_memory (900 MB, 5 min)."
    assert found.prediction == "LoRA is the best that fits (300 MB, 4.83 min)."


def test_near_the_ceiling_there_is_little_to_gain():
    probe = Prospect("linear_probe", 0.97)
    found = rules(probe, [probe, weaker(FULL, 0.17)])
    assert found["near the ceiling"].because == "Frozen features reach 97.0% already."


def test_nothing_known_triggers_nothing():
    setting = Setting(1000, 5, "samples", "accuracy")
    assert rules(PROBE, [PROBE], setting) == {}


@pytest.mark.parametrize(
    ("name", "label", "family"),
    [
        ("lora:16", "LoRA of rank 16", "fine-tune"),
        ("mine", "`mine`", "fine-tune"),
        ("linear_probe", "Linear probe", "freeze"),
        ("scratch", "Training from scratch", "scratch"),
    ],
)
def test_names(name, label, family):
    assert label_of(name) == label
    assert family_of(name) == family


def test_what_is_to_be_known_of_gains_stands_beside_them():
    setting = replace(SETTING, gain_note="gains are a lower bound")
    assert reason_for(FULL, [PROBE, FULL], setting).endswith("; gains are a lower bound.")
    assert reason_for(PROBE, [PROBE, FULL], setting).endswith("; gains are a lower bound.")
    assert "lower bound" not in reason_for(PROBE, [PROBE], setting)
