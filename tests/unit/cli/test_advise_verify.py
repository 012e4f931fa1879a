"""Tests of the verbs advise and verify, and of limits on the command line."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
import torch
from torch import nn

from transferscore.cli.main import main

RNG = np.random.default_rng(0)
LABELS = np.repeat(["cat", "dog"], 40)
FEATURES = (RNG.normal(size=(80, 6)) + 1.2 * (LABELS == "dog")[:, None]).astype(np.float32)


class Net(nn.Module):
    """Two layers to train, and a classifier of another task."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 12), nn.Linear(12, 8)
        self.classifier = nn.Linear(8, 4)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = torch.relu(self.second(torch.relu(self.first(rows))))
        return features, self.classifier(features)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "net.pt2"
    batch = torch.export.Dim("batch", min=1, max=4096)
    exported = torch.export.export(Net().eval(), (torch.zeros(4, 6),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, path)
    return f"export:{path}"


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "pets.npz", features=FEATURES, labels=LABELS)
    return str(tmp_path / "pets.npz")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFERSCORE_CACHE", str(tmp_path / "cache"))


def output(capsys, *arguments, code=0):
    assert main([*arguments, "--quiet"]) == code
    return capsys.readouterr().out


def test_limits_price_a_probe(npz, program, capsys):
    options = ["--max-gpu-memory", "1GB", "--max-cost", "1", "--price-per-hour", "2"]
    document = json.loads(
        output(
            capsys, "rank", npz, "--model", program, *options, "--format", "json", "--no-baseline"
        )
    )
    (candidate,) = document["candidates"]
    assert candidate["cost"]["fits"] is True
    assert candidate["cost"]["train_memory_bytes"] > 0
    assert candidate["cost"]["money"] == pytest.approx(candidate["cost"]["train_seconds"] / 1800)
    assert document["limits"]["max_gpu_memory"] == 10**9


def test_impossible_limits_say_what_would_have_to_change(npz, program, capsys):
    out = output(capsys, "rank", npz, "--model", program, "--max-gpu-memory", "10B")
    assert "no: max_gpu_memory" in out
    assert "limits: nothing fits; linear_probe of" in out
    assert "needs max_gpu_memory of" in out
    assert "advice: nothing keeps to the limits; without them, " in out
    advice = output(
        capsys,
        *("advise", npz, "--model", program, "--strategy", "linear_probe"),
        *("--max-gpu-memory", "10B"),
    )
    assert advice.startswith("Nothing keeps to the limits; without them:\n\nlinear_probe of ")


def test_what_is_no_model_to_look_into_cannot_be_said_to_fit(npz, capsys):
    out = output(capsys, "rank", npz, "--model", f"features:{npz}", "--max-gpu-memory", "1GB")
    assert "?" in out


def test_files_have_the_columns(npz, program, capsys):
    out = output(
        capsys,
        *("rank", npz, "--model", program, "--max-train-time", "1h"),
        *("--format", "csv", "--no-baseline"),
    )
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["fits"] == "True"
    assert float(row["train_seconds"]) > 0
    assert row["breaks"] == ""
    markdown = output(
        capsys, "rank", npz, "--model", program, "--max-train-time", "1h", "--format", "markdown"
    )
    assert "| training |" in markdown.splitlines()[2]


def test_without_strategies_and_limits_nothing_is_added(npz, program, capsys):
    assert "training" not in output(capsys, "rank", npz, "--model", program)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--strategy", "loraa"], "not a known strategy; known: linear_probe, "),
        (["--strategy", "lora:x"], "must be a positive whole number"),
        (["--max-gpu-memory", "24"], "a size with its unit, such as 24GB"),
        (["--max-train-time", "soon"], "a time with its unit"),
        (["--max-cost", "5"], "must come with `price_per_hour`"),
        (["--max-cost", "5 EUR", "--price-per-hour", "1"], "without a currency"),
        (["--train-device", "abacus"], "must be one of t4, "),
    ],
)
def test_what_cannot_be_read_is_one_sentence(npz, program, capsys, arguments, sentence):
    assert main(["rank", npz, "--model", program, *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_verify_trains_what_was_ranked(npz, program, tmp_path, capsys):
    file = str(tmp_path / "ranking.json")
    output(capsys, "rank", npz, "--model", program, "--format", "json", "--output", file)
    out = output(capsys, "verify", file, "--folds", "2", "--budget", "1min")
    assert "predicted" in out.splitlines()[2]
    assert "linear_probe" in out
    assert "measured" in out.splitlines()[3]
    document = json.loads(output(capsys, "verify", file, "--folds", "2", "--format", "json"))
    assert document["results"][0]["n_folds"] == 2
    again = output(capsys, "rank", npz, "--model", program)
    assert "measured before: linear_probe of export:" in again


def test_verify_says_what_is_wrong(npz, tmp_path, capsys):
    assert main(["verify", str(tmp_path / "gone.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    file = str(tmp_path / "ranking.json")
    output(capsys, "rank", npz, "--model", f"features:{npz}", "--format", "json", "--output", file)
    assert main(["verify", file]) == 2
    assert "there is no model to train behind it" in capsys.readouterr().err
    assert main(["verify", file, "--top", "0"]) == 2
    assert main(["verify", file, "--budget", "1"]) == 2


def test_verify_out_of_time_measures_none(npz, program, tmp_path, capsys):
    file = str(tmp_path / "ranking.json")
    output(capsys, "rank", npz, "--model", program, "--format", "json", "--output", file)
    assert "out of time" in output(capsys, "verify", file, "--budget", "0.000001s", code=3)


def test_advise_prints_the_decision_and_its_evidence(npz, program, capsys):
    arguments = ["advise", npz, "--model", program, "--strategy", "linear_probe,partial,lora,full"]
    out = output(capsys, *arguments)
    assert " of export:" in out.splitlines()[0]
    assert "Rules of thumb" in out
    assert "Recipe" in out
    assert "not available" in out
    document = json.loads(output(capsys, *arguments, "--format", "json"))
    assert document["decision"]["strategy"] == document["candidate"]["strategy"]
    assert document["candidate"]["recipe"]["training_arguments"]
    full = output(capsys, "rank", npz, "--model", program, "--strategy", "all")
    assert "scratch" in full
    assert "not available: export:" in full
    assert "lora: the model has no linear layers" in full
