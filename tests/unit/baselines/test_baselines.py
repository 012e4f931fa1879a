"""Features of samples without any pretrained model, and their row in a ranking."""

from __future__ import annotations

import numpy as np
import pytest

import transferscore
from transferscore.baselines import baseline_of
from transferscore.baselines.mel import log_mel
from transferscore.baselines.reduction import reduction
from transferscore.datasets import AudioSample, ImageSample, read_dataset
from transferscore.encoders import Encoder
from transferscore.features import extract_features

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(200, 5))
LABELS = (ROWS[:, 0] > 0).astype(int)
CITIES = ("Rome", "Oslo", "Kyiv")


def texts() -> list[str]:
    words = [f"word{k}" for k in range(30)]
    return [" ".join(RNG.choice(words, size=6)) + (" good" if y else " bad") for y in LABELS]


def images() -> list[ImageSample]:
    values = RNG.integers(0, 100, size=(200, 20, 30, 3)) + 100 * LABELS[:, None, None, None]
    return [ImageSample.from_array(pixels.astype(np.uint8)) for pixels in values]


def sounds() -> list[AudioSample]:
    hertz = np.where(LABELS, 440, 880)[:, None]
    waves = np.sin(2 * np.pi * hertz * np.arange(2400) / 8_000 + RNG.random((200, 1)))
    return [AudioSample.from_array(wave, 8_000) for wave in waves]


def table() -> dict:
    town = [CITIES[int(k)] if k < 3 else None for k in RNG.integers(0, 4, 200)]
    size = [None if k % 9 == 0 else float(v) for k, v in enumerate(ROWS[:, 0])]
    return {"town": town, "size": size, "label": LABELS.tolist()}


def samples(kind: str):
    if kind == "columns":
        return read_dataset(table())
    if kind == "pairs":
        pairs = [(text, text if y else "bad luck") for text, y in zip(texts(), LABELS, strict=True)]
        return read_dataset(pairs, labels=LABELS)
    made = {"pixels": images, "tfidf": texts, "mel": sounds, "numbers": lambda: ROWS}[kind]()
    return read_dataset(made, labels=LABELS)


@pytest.mark.parametrize("kind", ["pixels", "tfidf", "pairs", "mel", "columns", "numbers"])
def test_what_is_plain_in_the_samples_is_found(kind, tmp_path):
    dataset = samples(kind)
    baseline = baseline_of(dataset)
    assert isinstance(baseline, Encoder)
    assert baseline.name == "baseline:" + ("tfidf" if kind == "pairs" else kind)
    features = extract_features(baseline, dataset)
    assert features.kept.all()
    assert np.isfinite(features.values).all()
    statistics = transferscore.Statistics(features.values, dataset.labels)
    assert statistics.held_out.value > 0.85


@pytest.mark.parametrize("kind", ["pixels", "tfidf", "pairs", "mel", "columns", "numbers"])
def test_one_sample_alone_has_the_same_features(kind):
    dataset = samples(kind)
    baseline = baseline_of(dataset)
    whole = baseline.forward(baseline.prepare(dataset.samples)).features
    alone = baseline.forward(baseline.prepare([dataset.samples[7]])).features
    np.testing.assert_allclose(alone[0], whole[7], rtol=1e-4, atol=1e-5)
    baseline.release()
    again = baseline.forward(baseline.prepare(dataset.samples)).features
    np.testing.assert_array_equal(again, whole)


def test_the_digest_is_that_of_what_it_is_fitted_to():
    first, second = read_dataset(ROWS, labels=LABELS), read_dataset(ROWS + 1, labels=LABELS)
    assert baseline_of(first).digest() == baseline_of(first).digest()
    assert baseline_of(first).digest() != baseline_of(second).digest()


def test_words_have_a_row_each():
    sentences = [["The", "year", str(1900 + k), "was", "good"] for k in range(40)]
    tags = [["O", "O", "YEAR", "O", "O"]] * 40
    dataset = read_dataset(sentences, labels=tags)
    features = extract_features(baseline_of(dataset), dataset)
    assert len(features.values) == len(dataset.labels) == 200
    model = {"none": lambda rows: np.zeros((len(rows), 1))}
    ranking = transferscore.rank(dataset, model, cache=False)
    assert ranking.failures[0].model == "none"
    assert transferscore.Statistics(features.values, dataset.labels).held_out.value == 1.0


def test_empty_texts_are_no_failure():
    dataset = read_dataset(["", " ", "", ""], labels=[0, 1, 0, 1])
    features = baseline_of(dataset).forward(list(dataset.samples)).features
    assert features.shape[0] == 4
    assert np.isfinite(features).all()


def test_few_rows_lose_nothing_and_many_are_reduced():
    from scipy import sparse

    few = sparse.random(50, 400, density=0.1, random_state=0, format="csr")
    dense = reduction(few, 20)(few)
    np.testing.assert_allclose(dense @ dense.T, (few @ few.T).toarray(), atol=1e-9)
    many = sparse.random(2100, 400, density=0.1, random_state=0, format="csr")
    assert reduction(many, 20)(many).shape == (2100, 20)


def test_mel_bands_show_a_tone_where_it_is():
    wave = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    bands = log_mel(wave)
    assert bands.shape == (98, 64)
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 66)[1:-1]
    loudest = 700 * (10 ** (mels[bands.mean(axis=0).argmax()] / 2595) - 1)
    assert loudest == pytest.approx(1000, rel=0.07)
    assert log_mel(np.zeros(10, np.float32)).shape == (1, 64)


def good(rows):
    return rows[:, :1]


def noise(rows):
    return rows[:, 3:] * 0 + RNG.normal(size=(len(rows), 2))


def test_the_baseline_is_a_row_but_never_the_best():
    ranking = transferscore.rank(ROWS, [good, noise], labels=LABELS, cache=False)
    rows = {c.model: c for c in ranking.candidates}
    assert [c.rank for c in ranking.candidates] == [1, 2, 3]
    assert rows["baseline:numbers"].baseline
    assert ranking.best.model == "good"
    assert rows["noise"].p_beats_baseline < 0.05
    assert rows["baseline:numbers"].p_beats_baseline is None
    assert any("baseline:numbers" in warning and "noise" in warning for warning in ranking.warnings)
    document = ranking.to_dict()
    assert sorted(c["baseline"] for c in document["candidates"]) == [False, False, True]
    assert "  b  baseline:numbers" in str(ranking)


def test_no_model_that_beats_it_is_said_so():
    ranking = transferscore.rank(ROWS, noise, labels=LABELS, cache=False)
    assert ranking.candidates[0].baseline
    assert (ranking.best.model, ranking.best.rank) == ("noise", 2)
    assert ranking.warnings[-1].startswith(
        "No model is shown to beat baseline:numbers (the numbers themselves, scaled), which takes "
        "a probability of 90%: noise ("
    )


def test_models_are_compared_as_if_it_were_not_there():
    models = [good, lambda rows: rows[:, :2]]
    without = transferscore.rank(ROWS, models, labels=LABELS, cache=False, baseline=False)
    with_it = transferscore.rank(ROWS, models, labels=LABELS, cache=False)
    kept = [c for c in with_it.candidates if not c.baseline]
    assert [(c.model, c.p_best, c.tied_with_first) for c in kept] == [
        (c.model, c.p_best, c.tied_with_first) for c in without.candidates
    ]
    assert with_it.expected_regret == without.expected_regret


def test_features_from_elsewhere_have_no_baseline(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, features=ROWS, labels=LABELS)
    ranking = transferscore.rank(path, f"features:{path}", cache=False)
    assert not any(c.baseline for c in ranking.candidates)


def test_a_baseline_that_fails_is_a_note():
    broken = [ImageSample.from_bytes(b"no image", f"{k}.png") for k in range(8)]
    dataset = read_dataset(broken, labels=[0, 1] * 4)

    class Given:
        name = "given"

        def digest(self):
            return None

        def cost(self, sample):  # noqa: ARG002
            return 1

        def prepare(self, samples):
            return [int(sample.name[0]) for sample in samples]

        def forward(self, batch):
            from transferscore.encoders import Encoding

            return Encoding(np.array(batch, dtype=np.float32)[:, None] % 2)

        def release(self):
            pass

    ranking = transferscore.rank(dataset, Given(), cache=False)
    assert ranking.best.model == "given"
    assert "baseline:pixels could not be computed, so no baseline is shown" in ranking.warnings[-1]


def test_a_function_may_read_rows_of_a_table():
    def sizes(rows):
        return np.array([[row.values[1] or 0.0] for row in rows])

    ranking = transferscore.rank(table(), {"sizes": sizes}, cache=False)
    assert ranking.failures == ()
    assert {c.model for c in ranking.candidates} == {"sizes", "baseline:columns"}
    assert "rows" in str(ranking).splitlines()[0]
