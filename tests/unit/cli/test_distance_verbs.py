"""Tests of `distance`, `distances`, `fingerprint` and `cite`."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

import transferscore
from transferscore.cli.main import main
from transferscore.distances import (
    DISTANCES,
    SOURCE_FREE,
    fingerprint_of,
    level_of,
    load_fingerprint,
)
from transferscore.scores.registry import SCORES

RNG = np.random.default_rng(0)
LABELS = np.repeat(["cat", "dog"], 30)
SOURCE = RNG.normal(size=(60, 5)) + (LABELS == "dog")[:, None]
TARGET = RNG.normal(size=(60, 5)) + 1.5


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFERSCORE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def files(tmp_path):
    np.savez(tmp_path / "source.npz", features=SOURCE, labels=LABELS)
    np.savez(tmp_path / "target.npz", features=TARGET, labels=LABELS)
    np.save(tmp_path / "target.npy", TARGET)
    return {name: str(tmp_path / name) for name in ("source.npz", "target.npz", "target.npy")}


def document(capsys, *arguments):
    assert main(["distance", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def values_of(found):
    return {entry["name"]: entry["value"] for entry in found["distances"]}


def test_the_values_and_the_level_are_those_of_the_call(files, capsys):
    found = document(capsys, files["source.npz"], files["target.npz"])
    labels = {"source_labels": LABELS, "target_labels": LABELS}
    assert values_of(found) == transferscore.distance(SOURCE, TARGET, **labels)
    assert set(values_of(found)) == set(DISTANCES)
    assert found["level"]["level"] == level_of(SOURCE, TARGET).level
    assert all(entry["null"] is None for entry in found["distances"])
    assert (found["source"], found["target"]) == ("source.npz", "target.npz")


def test_without_labels_there_are_only_the_distances_that_need_none(files, capsys):
    found = document(capsys, files["source.npz"], files["target.npy"])
    assert set(values_of(found)) == {n for n, info in DISTANCES.items() if not info.needs_labels}


def test_the_null_stands_beside_the_value(files, capsys):
    arguments = (files["source.npz"], files["target.npz"], "--distances", "energy,otdd")
    found = document(capsys, *arguments, "--null", "19")
    for entry in found["distances"]:
        assert entry["null"]["n_permutations"] == 19
        assert entry["null"]["p_value"] == 1 / 20
        assert entry["null"]["value"] == entry["value"]
        assert entry["null"]["quantile_95"] < entry["value"]
    assert main(["distance", *arguments, "--null", "19"]) == 0
    assert "by chance below" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["table", "csv", "markdown"])
def test_formats(files, capsys, form):
    arguments = [files["source.npz"], files["target.npz"], "--distances", "frechet,coral"]
    assert main(["distance", *arguments, "--format", form]) == 0
    out = capsys.readouterr().out
    value = transferscore.frechet(SOURCE, TARGET)
    if form == "csv":
        rows = list(csv.DictReader(out.splitlines()))
        assert [row["distance"] for row in rows] == ["frechet", "coral"]
        assert float(rows[0]["value"]) == value
    else:
        assert f"{value:.6g}" in out
        assert f"distance {level_of(SOURCE, TARGET).level}:" in out


def test_a_fingerprint_stands_for_its_source(files, tmp_path, capsys):
    path = str(tmp_path / "source.safetensors")
    assert main(["fingerprint", files["source.npz"], "--output", path]) == 0
    said = capsys.readouterr().out
    assert said.endswith("60 rows of 5 features, 2 class prototypes, a coreset of 60.\n")
    found = document(capsys, path, files["target.npz"])
    whole = document(capsys, files["source.npz"], files["target.npz"])
    assert values_of(found) == pytest.approx(values_of(whole), rel=1e-9)
    assert "fingerprint" in found["distances"][0]["rests_on"]
    assert main(["fingerprint", path, "--output", path]) == 2
    assert "is a fingerprint already" in capsys.readouterr().err


def test_datasets_are_encoded_by_the_model(files, tmp_path, capsys):
    model = str(tmp_path / "model.npz")
    np.savez(model, features=SOURCE)
    encode = ("--model", f"features:{model}", "--quiet")
    found = document(capsys, files["source.npz"], files["target.npz"], *encode)
    # These features know rows, not samples: both datasets get the same.
    assert set(values_of(found).values()) == {0.0}
    assert (found["source"], found["target"]) == ("source", "target")
    assert main(["fingerprint", files["source.npz"], *encode]) == 0
    written = load_fingerprint(f"{model}.fingerprint.safetensors")
    assert written.provenance["model"] == f"features:{model}"
    assert len(written.provenance["model_digest"]) == 64
    expected = fingerprint_of(SOURCE.astype(np.float32), LABELS)
    assert np.array_equal(written.coreset, expected.coreset)
    assert np.array_equal(written.gaussian.mean, expected.gaussian.mean)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gone.npz", "target.npy"], "There is no file `gone.npz`."),
        (["photos/", "target.npy"], "say which model encodes them with `--model URI`"),
        (["source.npz", "target.npy", "--distances", "golf"], "There is no distance named 'golf'"),
        (["source.npz", "target.npy", "--distances", "perplexity"], "is no distance between two"),
        (["source.npz", "target.npy", "--distances", "otdd"], "labels"),
        (["source.npz", "target.npy", "--max-samples", "5"], "`--max-samples` is for datasets"),
        (["source.npz", "target.npy", "--null", "-1"], "`--null` must be a number"),
        (["source.npz", "target.npy", "--output", "/nowhere/x"], "a folder that exists"),
        (["source.npz", "wide.npy"], "must come from the same encoder"),
        (["source.npz", "broken.npz"], "cannot be read as npz"),
        (["source.npz", "broken.safetensors"], "cannot be read as safetensors"),
        (["source.npz", "other.npz"], "must hold an array `features`; it has ['x']"),
    ],
)
def test_usage_errors_are_one_sentence_and_exit_code_2(
    files, tmp_path, capsys, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    np.save("wide.npy", np.ones((9, 7)))
    np.savez("other.npz", x=SOURCE)
    for name in ("broken.npz", "broken.safetensors"):
        (tmp_path / name).write_text("not an archive")
    assert main(["distance", *arguments]) == 2
    out, err = capsys.readouterr()
    assert sentence in err
    assert err.startswith("transferscore: ")
    assert "Traceback" not in err
    assert out == ""


def test_a_fingerprint_needs_a_place_to_go(files, capsys):
    assert main(["fingerprint", files["source.npz"]]) == 2
    assert "`--output FILE` must say where the fingerprint goes" in capsys.readouterr().err


def test_distances_explains_every_distance(capsys):
    assert main(["distances"]) == 0
    out = capsys.readouterr().out
    for name, info in {**DISTANCES, **SOURCE_FREE}.items():
        assert f"{name}: {info.tells}" in out
        assert info.paper in out
    assert main(["distances", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [*DISTANCES, *SOURCE_FREE]
    assert {tuple(sorted(row)) for row in rows} == {tuple(sorted(rows[0]))}


@pytest.mark.parametrize("name", sorted({*SCORES, *DISTANCES, *SOURCE_FREE}))
def test_every_name_can_be_cited(name, capsys):
    assert main(["cite", name]) == 0
    out = capsys.readouterr().out
    assert re.match(r"@\w+\{\w+,\n", out)
    assert out.count("{") == out.count("}")
    for field in ("title", "author", "year"):
        assert f"{field} = {{" in out


def test_citing_says_each_paper_once_and_names_what_is_known(capsys):
    assert main(["cite", "h_score", "energy", "h_score"]) == 0
    out = capsys.readouterr().out
    assert out.count("@") == 3  # the score energy and the distance energy are two papers
    assert main(["cite", "logmee"]) == 2
    assert "There is no score or distance named 'logmee'; the scores are" in capsys.readouterr().err
