from __future__ import annotations

import csv
import io
import json

import pytest

from transferscore import report
from transferscore.errors import EncoderError, MissingExtraError
from transferscore.ranking import Candidate, Failure, Prediction, Ranking

ABOUT = {
    "name": "leaves", "modality": "image", "task": "classification", "metric": "accuracy",
    "split": "train", "n_samples": 1234, "n_classes": 3, "seed": 0, "majority_share": 0.4,
    "class_names": ["a", "b", "c"],
}  # fmt: skip


def candidate(rank, name, value, tied=False, **scores):
    prediction = Prediction("accuracy", value, value - 0.02, value + 0.02)
    return Candidate(rank, name, "linear_probe", prediction, 0.5, tied, scores, 64, 1234, 1.25, 1.0)


@pytest.fixture
def ranking():
    return Ranking(
        ABOUT,
        (
            candidate(1, "onnx:zoo/a.onnx", 0.91, True, ridge_probe=0.91, logme=-0.25, leep=-0.5),
            candidate(2, "onnx:zoo/b|b.onnx", 0.9, True, ridge_probe=0.9, logme=float("inf")),
            candidate(3, "onnx:zoo/<c>.onnx", 0.5, False, ridge_probe=0.5, logme=-1234567.0),
        ),
        (Failure("hf:gone", "EncoderError", "`hf:gone` cannot be found."),),
        ("2 rows left out: have no label.",),
        0.004,
    )


def test_the_document_is_json_with_the_promised_keys(ranking):
    document = json.loads(report.to_json(ranking.to_dict()))
    assert document["schema_version"] == 1
    first = document["candidates"][0]
    assert first["predicted"] == {"metric": "accuracy", "value": 0.91, "low": 0.89, "high": 0.93}
    assert {"rank", "model", "strategy", "scores", "n_features", "seconds"} <= set(first)
    assert document["failures"][0] == {
        "model": "hf:gone", "error": "EncoderError", "message": "`hf:gone` cannot be found."
    }  # fmt: skip
    assert document["warnings"] == ["2 rows left out: have no label."]


def test_a_score_that_is_not_finite_is_null_in_json(ranking):
    assert ranking.to_dict()["candidates"][1]["scores"]["logme"] is None


def test_the_text_shows_order_ties_failures_and_notes(ranking):
    lines = str(ranking).splitlines()
    assert lines[0] == (
        "leaves · 1,234 images · 3 classes · train split · always guessing the largest class: 40.0%"
    )
    assert lines[3].split()[:6] == ["1", "a.onnx", "91.0%", "89.0%", "–", "93.0%"]
    assert lines[4].split()[:2] == ["2", "="]
    assert "=" not in lines[5]
    assert "= 1 candidate that this sample cannot tell apart from the first." in lines
    assert "failed: hf:gone: `hf:gone` cannot be found. [EncoderError]" in lines
    assert "note: 2 rows left out: have no label." in lines


def test_columns_that_do_not_fit_are_left_out_and_counted(ranking):
    text = report.to_text(ranking.to_dict(), width=80)
    assert max(len(line) for line in text.splitlines()[2:6]) <= 80
    assert "1 more score does not fit this window; see --format json or csv." in text
    assert "leep" not in text.splitlines()[2]


def test_csv_has_one_line_a_candidate_with_full_names(ranking):
    rows = list(csv.DictReader(io.StringIO(report.to_csv(ranking.to_dict()))))
    assert [row["model"] for row in rows] == [
        "onnx:zoo/a.onnx", "onnx:zoo/b|b.onnx", "onnx:zoo/<c>.onnx"
    ]  # fmt: skip
    assert rows[0]["value"] == "0.91"
    assert rows[1]["leep"] == ""


def test_markdown_and_html_escape_what_would_break_them(ranking):
    markdown = report.to_markdown(ranking.to_dict())
    assert r"b\|b.onnx" in markdown
    html = ranking._repr_html_()
    assert "&lt;c&gt;.onnx" in html
    assert "<c>" not in html


def test_a_frame_has_one_column_a_score(ranking):
    frame = ranking.to_frame()
    assert frame["model"].tolist()[0] == "onnx:zoo/a.onnx"
    assert frame["logme"].tolist()[0] == -0.25


def test_without_pandas_the_error_says_how_to_install_it(ranking, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'transferscore\[frame\]'"):
        ranking.to_frame()


def test_the_best_is_the_first(ranking):
    assert ranking.best.model == "onnx:zoo/a.onnx"


def test_without_candidates_there_is_no_best_and_the_text_says_why(ranking):
    empty = Ranking(ABOUT, (), ranking.failures)
    with pytest.raises(EncoderError, match="the first reason: `hf:gone` cannot be found"):
        _ = empty.best
    assert "No candidate could be ranked." in str(empty)
    assert "failed: hf:gone" in str(empty)
    assert report.to_csv(empty.to_dict()) == ""


def test_names_without_a_common_folder_are_shown_whole():
    ranking = Ranking(ABOUT, (candidate(1, "onnx:a.onnx", 0.9), candidate(2, "hf:b", 0.8)))
    assert "onnx:a.onnx" in str(ranking)
    assert "hf:b" in str(ranking)
