"""Tests of the command: exit codes, streams, formats, and sentences instead of tracebacks."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

import transferscore
from transferscore.cli.main import main

RNG = np.random.default_rng(0)
LABELS = np.repeat(["cat", "dog"], 30)
FEATURES = (RNG.normal(size=(60, 5)) + (LABELS == "dog")[:, None]).astype(np.float32)


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "data.npz", features=FEATURES, labels=LABELS)
    return str(tmp_path / "data.npz")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFERSCORE_CACHE", str(tmp_path / "cache"))


def test_rank_prints_the_table_on_stdout_and_progress_on_stderr(npz, capsys):
    assert main(["rank", npz, "--model", f"features:{npz}"]) == 0
    out, err = capsys.readouterr()
    assert "data.npz" in out
    assert "90% interval" in out
    assert err.startswith(f"[1/1] features:{npz}: accuracy ")
    assert "\x1b" not in err


def test_quiet_says_nothing_on_stderr(npz, capsys):
    assert main(["rank", npz, "--model", f"features:{npz}", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_the_command_gives_the_numbers_of_the_call(npz, capsys):
    main(["rank", npz, "--model", f"features:{npz}", "--format", "json", "--quiet"])
    document = json.loads(capsys.readouterr().out)
    called = transferscore.rank(npz, f"features:{npz}", cache=False).to_dict()
    for candidate in (*document["candidates"], *called["candidates"]):
        del candidate["seconds"]
    assert document == called


def test_output_goes_to_a_file(npz, tmp_path, capsys):
    target = tmp_path / "out.csv"
    code = main(
        ["rank", npz, "--model", f"features:{npz}", "--format", "csv", "--output", str(target)]
    )
    assert code == 0
    assert capsys.readouterr().out == ""
    (row,) = csv.DictReader(target.read_text().splitlines())
    assert row["model"] == f"features:{npz}"


def test_exit_codes_tell_all_some_and_none(npz, capsys):
    good, gone = f"features:{npz}", "onnx:/nowhere/gone.onnx"
    assert main(["rank", npz, "--model", good]) == 0
    assert main(["rank", npz, "--model", good, "--model", gone]) == 1
    assert main(["rank", npz, "--model", gone]) == 3
    out, err = capsys.readouterr()
    assert "failed: onnx:/nowhere/gone.onnx" in out
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "ftp:x"], "is not a known model scheme; known: export, features, hf"),
        (["--model", "onnx:/nowhere/*.onnx"], "matches no model; check the pattern"),
        (["--model", "features:x.npz", "--scores", "logmee"], "There is no score named 'logmee'"),
        (["--model", "features:x.npz", "--task", "golf"], "`task` must be one of"),
        (["--model", "features:x.npz", "--max-samples", "1"], "`max_samples` must be at least 4"),
        (["--model", "features:x.npz", "--split", "dev"], "split"),
        (["--model", "features:x.npz", "--output", "/nowhere/x"], "a folder that exists"),
    ],
)
def test_usage_errors_are_one_sentence_and_exit_code_2(npz, capsys, arguments, sentence):
    assert main(["rank", npz, *arguments]) == 2
    out, err = capsys.readouterr()
    assert sentence in err
    assert err.startswith("transferscore: ")
    assert "Traceback" not in err
    assert out == ""


def test_debug_shows_the_traceback(npz):
    with pytest.raises(transferscore.errors.EncoderError):
        main(["rank", npz, "--model", "ftp:x", "--debug"])


def test_missing_arguments_exit_with_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["rank", "data.npz"])
    assert stop.value.code == 2
    assert "--model" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_score_shows_the_values_of_the_call(npz, capsys, form):
    assert main(["score", npz, "--scores", "logme,knn", "--format", form]) == 0
    out = capsys.readouterr().out
    expected = transferscore.score(FEATURES, LABELS, "logme,knn")
    if form == "json":
        assert json.loads(out)["scores"] == expected
    else:
        assert f"{expected['logme']:.4f}"[:7] in out
        assert "knn" in out


def test_score_merges_files_and_saves_what_can_be_merged_again(npz, tmp_path, capsys):
    order = np.argsort(LABELS, kind="stable")
    parts = [str(tmp_path / f"{i}.npz") for i in range(3)]
    for path, rows in zip(parts, np.array_split(order, 3), strict=True):
        np.savez(path, features=FEATURES[rows], labels=LABELS[rows])
    saved, form = str(tmp_path / "two.stats"), ["--scores", "logme,h_score", "--format", "json"]
    assert main(["score", *parts[:2], "--save", saved, *form]) == 0
    assert main(["score", parts[2], saved, *form]) == 0
    assert main(["score", saved, parts[2], *form]) == 0
    assert main(["score", npz, *form]) == 0
    out = capsys.readouterr().out.replace("}\n{", "}\0{").split("\0")
    _, one_way, other_way, whole = (json.loads(text)["scores"] for text in out)
    assert main(["score", saved, "--task", "regression"]) == 2
    assert "holds statistics for classification; got --task regression." in capsys.readouterr().err
    assert main(["score", saved, "--save", str(tmp_path / "gone" / "x")]) == 2
    assert "x cannot be written: No such file or directory." in capsys.readouterr().err
    assert one_way == pytest.approx(whole, rel=1e-9)
    assert other_way == pytest.approx(whole, rel=1e-9)


def test_score_says_what_is_wrong_with_a_file(tmp_path, capsys):
    assert main(["score", str(tmp_path / "gone.npz")]) == 2
    (tmp_path / "text.npz").write_text("not an archive")
    assert main(["score", str(tmp_path / "text.npz")]) == 2
    np.savez(tmp_path / "half.npz", features=FEATURES)
    assert main(["score", str(tmp_path / "half.npz")]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[0].endswith(f"There is no file `{tmp_path / 'gone.npz'}`.")
    assert "`text.npz` cannot be read as npz" in err[1]
    assert "must hold an array `labels`; it has ['features']" in err[2]


def test_scores_explains_every_score(capsys):
    from transferscore.scores.registry import SCORES

    assert main(["scores"]) == 0
    out = capsys.readouterr().out
    for name, info in SCORES.items():
        assert f"{name}: {info.tells}" in out
        assert info.paper in out
    assert main(["scores", "--format", "json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == set(SCORES)


@pytest.mark.parametrize(
    ("pipe", "read"),
    [
        ("scores | head -1 | cut -c1-6", "Higher\n"),
        ("scores | true", ""),
        ("cite logme | true", ""),
    ],
)
def test_a_closed_pipe_is_no_error(pipe, read):
    # Buffered, as a user's is: what is short is written at exit only.
    command = f"unset PYTHONUNBUFFERED; {sys.executable} -m transferscore.cli.main {pipe}"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == (read, "")
