"""A ranking says how far the data lies from each model's source, wherever that can be known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import transferscore
from transferscore.cli.main import main
from transferscore.distances import fingerprint_of, level_of, save_fingerprint
from transferscore.errors import InputError, UnknownNameError
from transferscore.ranking import outcome_of_bytes, outcome_to_bytes
from transferscore.ranking.evaluated import Evaluated

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 60)
ROWS = (RNG.normal(size=(180, 6)) + 1.5 * np.eye(3, 6)[LABELS]).astype(np.float32)
SOURCE = RNG.normal(size=(300, 6)).astype(np.float32) + 2.0


def good(samples):
    return np.stack(samples)


def normed():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU())
    for _ in range(80):
        net(torch.from_numpy(ROWS[RNG.integers(0, 180, 64)]))
    return net.eval()


def rank(models, **options):
    return transferscore.rank(ROWS, models, labels=LABELS, cache=False, baseline=False, **options)


def test_batch_norms_tell_the_distance_of_a_network():
    near = rank({"net": normed()}).best.distance
    assert (near.name, near.level) == ("batch_norm", "low")
    assert near.rests_on == "the stored statistics of 1 batch norms, 16 samples"
    far = transferscore.rank(ROWS + 5, {"net": normed()}, labels=LABELS, cache=False).best.distance
    assert far.level == "very high"
    assert far.value > near.value


def test_a_fingerprint_comes_before_batch_norms():
    net = normed()
    with torch.no_grad():
        fingerprint = fingerprint_of(net(torch.from_numpy(SOURCE)).numpy())
    found = rank({"net": net}, fingerprints={"net": fingerprint}).best.distance
    with torch.no_grad():
        expected = level_of(fingerprint, net(torch.from_numpy(ROWS)).numpy())
    assert (found.name, found.level) == ("relative_energy", expected.level)
    assert found.value == pytest.approx(expected.effect, rel=1e-4)
    assert found.rests_on == "a fingerprint of the source: 180 of its 300 rows"


def test_document_table_and_rows_show_it_only_where_there_is_one(tmp_path):
    save_fingerprint(fingerprint_of(SOURCE, provenance={"source": "moons"}), tmp_path / "f.st")
    ranking = rank([good, normed()], fingerprints={"good": tmp_path / "f.st"})
    document = ranking.to_dict()
    distances = {c["model"]: c["distance"] for c in document["candidates"]}
    assert set(distances["good"]) == {"name", "value", "level", "rests_on"}
    assert "a fingerprint of moons" in str(ranking)
    level = distances["good"]["level"]
    assert f"{level} ({distances['good']['value']:.3f})" in str(ranking)
    row = transferscore.report.rows(document)[0]
    assert row["distance_level"] == document["candidates"][0]["distance"]["level"]
    plain = rank([good])
    assert plain.to_dict()["candidates"][0]["distance"] is None
    assert "distance" not in str(plain)


def test_what_goes_wrong_is_a_note_and_never_a_failure(tmp_path):
    (tmp_path / "broken.st").write_text("not an archive")
    save_fingerprint(fingerprint_of(SOURCE[:, :4]), tmp_path / "narrow.st")
    for name, sentence in (
        ("broken.st", "distance from the source not computed: The fingerprint"),
        ("narrow.st", "the fingerprint has 4 features and the model gives 6"),
    ):
        ranking = rank([good], fingerprints={"good": tmp_path / name})
        assert ranking.best.distance is None
        assert not ranking.failures
        assert sentence in ranking.warnings[0]


def test_fingerprints_are_for_models_that_are_there(tmp_path):
    fingerprint = fingerprint_of(SOURCE)
    with pytest.raises(
        UnknownNameError, match=r"^A fingerprint must be for one of the models; 'x'"
    ):
        rank([good], fingerprints={"x": fingerprint})
    with pytest.raises(InputError, match=r"^There is no fingerprint `gone.st`"):
        rank([good], fingerprints={"good": "gone.st"})


def test_the_command_finds_what_lies_beside_the_model(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TRANSFERSCORE_CACHE", str(tmp_path / "cache"))
    data, model, source = (str(tmp_path / name) for name in ("data.npz", "m.npz", "source.npz"))
    np.savez(data, features=ROWS, labels=LABELS)
    np.savez(model, features=ROWS)
    np.savez(source, features=SOURCE)
    arguments = ["rank", data, "--model", f"features:{model}", "--quiet"]
    assert main(arguments) == 0
    assert "distance" not in capsys.readouterr().out
    assert main(["fingerprint", source, "--output", f"{model}.fingerprint.safetensors"]) == 0
    assert main(arguments) == 0
    assert "relative_energy, from a fingerprint of source.npz" in capsys.readouterr().out
    (tmp_path / "m.npz.fingerprint.safetensors").rename(tmp_path / "elsewhere.safetensors")
    named = f"m.npz={tmp_path / 'elsewhere.safetensors'}"
    assert main([*arguments, "--fingerprint", named]) == 0
    assert "relative_energy" in capsys.readouterr().out
    assert main([*arguments, "--fingerprint", "m.npz"]) == 2
    assert "`--fingerprint` must be MODEL=FILE; got 'm.npz'." in capsys.readouterr().err


def test_a_fingerprint_of_another_version_is_not_used_unless_named(tmp_path):
    dynamic = ({0: torch.export.Dim("batch", min=1, max=64)},)
    linear = nn.Sequential(nn.Linear(6, 6))
    program = torch.export.export(linear, (torch.randn(4, 6),), dynamic_shapes=dynamic)
    model, beside = tmp_path / "net.pt2", tmp_path / "net.pt2.fingerprint.safetensors"
    torch.export.save(program, model)
    save_fingerprint(fingerprint_of(SOURCE, provenance={"model_digest": "another"}), beside)
    ranking = rank([f"export:{model}"])
    assert ranking.best.distance is None
    assert "was made with another version" in ranking.warnings[0]
    ranking = rank([f"export:{model}"], fingerprints={"net.pt2": beside})
    assert ranking.best.distance.name == "relative_energy"
    assert "not with this very model" in ranking.warnings[0]


def test_it_is_kept_with_the_evaluation_and_by_a_keeper(tmp_path, monkeypatch):
    model = {"net": normed()}
    options = {"labels": LABELS, "cache": tmp_path}
    first = transferscore.rank(ROWS, model, **options).best.distance

    def never(*_):
        raise AssertionError("the model was asked again")

    monkeypatch.setattr("transferscore.ranking.distance_from_source.norm_layers", never)
    assert transferscore.rank(ROWS, model, **options).best.distance == first
    # Other scores: the evaluation is new, and what the model told is remembered.
    assert transferscore.rank(ROWS, model, scores="knn", **options).best.distance == first


def test_an_outcome_as_bytes_keeps_it():
    kept = []

    class Remember(transferscore.ranking.KeepNothing):
        def keep(self, position, outcome, dataset):  # noqa: ARG002 -- as the protocol has it
            kept.append(outcome)

    rank({"net": normed()}, keeper=Remember())
    (outcome,) = kept
    again = outcome_of_bytes(outcome_to_bytes(outcome))
    assert isinstance(again, Evaluated)
    assert again.evaluation.distance == outcome.evaluation.distance
    assert again.evaluation.distance is not None
