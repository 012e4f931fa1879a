"""The HTML page is whole, loads nothing, says what the table says, and escapes what it is given."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

import transferscore
from transferscore.cli.main import main
from transferscore.distances import fingerprint_of
from transferscore.report import to_page

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 40)
ROWS = (RNG.normal(size=(120, 6)) + 1.5 * np.eye(3, 6)[LABELS]).astype(np.float32)
EVIL = "<script>alert('&')</script>"
VOID = {"meta", "line", "circle"}


class Outline(HTMLParser):
    """Collects tags and text, and fails where a tag is not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)


def outline(document):
    found = Outline()
    found.feed(to_page(document))
    assert found.open == []
    return found


def good(samples):
    return np.stack(samples)


def poor(samples):
    return np.stack(samples)[:, 3:]


def broken(samples):
    raise ValueError(EVIL)


@pytest.fixture(scope="module")
def document():
    models = {EVIL: good, "poor": poor, "broken": broken}
    prints = {EVIL: fingerprint_of(ROWS + 3.0)}
    options = {"labels": LABELS, "cache": False, "fingerprints": prints}
    return transferscore.rank(ROWS, models, **options).to_dict()


def test_the_page_holds_an_interval_a_candidate_the_distance_the_failure_and_the_notes(document):
    found = outline(document)
    text = "".join(found.text)
    bars = [a for tag, a in found.tags if tag == "line" and a["class"] == "bar"]
    dots = [a for tag, a in found.tags if tag == "circle"]
    assert len(bars) == len(dots) == len(document["candidates"]) >= 2
    for bar, dot in zip(bars, dots, strict=True):
        assert 380 <= float(bar["x1"]) <= float(dot["cx"]) <= float(bar["x2"]) <= 1000
    assert float(dots[0]["cx"]) > float(dots[-1]["cx"])
    for part in ("Failures", "Notes", "90% interval", "relative_energy", "very high"):
        assert part in text


def test_names_and_messages_are_text_and_nothing_is_loaded(document):
    found = outline(document)
    assert "script" not in {tag for tag, _ in found.tags}
    assert EVIL in "".join(found.text)
    assert not any(key in {"src", "href"} for _, attributes in found.tags for key in attributes)


def test_without_candidates_there_is_a_page_too():
    document = transferscore.rank(ROWS, {"broken": broken}, labels=LABELS, cache=False).to_dict()
    found = outline(document)
    assert "No candidate could be ranked." in "".join(found.text)
    assert "svg" not in {tag for tag, _ in found.tags}


def test_equal_predictions_and_numbers_below_zero_have_an_axis(document):
    candidate = dict(document["candidates"][0])
    candidate["predicted"] = {"metric": "r2", "value": -0.5, "low": -0.5, "high": -0.5}
    page = to_page(document | {"candidates": [candidate]})
    assert "nan" not in page.lower()
    assert 'class="bar"' in page


def test_the_command_writes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRANSFERSCORE_CACHE", str(tmp_path / "cache"))
    data, page = str(tmp_path / "data.npz"), tmp_path / "ranking.html"
    np.savez(data, features=ROWS, labels=LABELS)
    arguments = ["rank", data, "--model", f"features:{data}", "--quiet", "--format", "html"]
    assert main([*arguments, "--output", str(page)]) == 0
    assert page.read_text().startswith("<!doctype html>")
    with pytest.raises(SystemExit):
        main(["score", data, "--format", "html"])
    assert "invalid choice: 'html'" in capsys.readouterr().err
