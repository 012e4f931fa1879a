"""Tests of merged, streamed and saved statistics: the same as of all rows in memory."""

from __future__ import annotations

import json
import re
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscore import score, statistics_of
from transferscore.errors import InputError
from transferscore.scores.registry import SCORES
from transferscore.statistics import Statistics, stream

TASKS = ("classification", "multilabel", "regression")


def draw(task: str, n: int = 200, d: int = 6, seed: int = 0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) * np.logspace(0, 2, d) + 50.0
    if task == "classification":
        labels = rng.integers(4, size=n)
        features[:, 0] += 3.0 * labels
        return features, np.array(["lion", "cat", "owl", "dog"])[labels]
    outputs = features[:, :3] + rng.normal(size=(n, 3))
    return features, (outputs > 50.0).astype(float) if task == "multilabel" else outputs


def parts_of(features, labels, cuts, order):
    rows = np.array_split(np.arange(len(features)), cuts)
    return [(features[rows[i]], labels[rows[i]]) for i in order if len(rows[i])]


def with_source(probabilities):
    return {"features": [[1.0]], "labels": [0], "source_probabilities": probabilities}


def same_moments(a: Statistics, b: Statistics):
    for name in ("mean", "scatter", "target_mean", "cross", "target_scatter", "norm_cubed"):
        expected = getattr(b.moments, name)
        size = np.abs(expected).max()
        np.testing.assert_allclose(
            getattr(a.moments, name), expected, rtol=1e-10, atol=1e-10 * size, err_msg=name
        )
    assert a.moments.norm_fourth == pytest.approx(b.moments.norm_fourth, rel=1e-10)


@pytest.mark.parametrize("task", TASKS)
@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    cuts=st.lists(st.integers(0, 200), max_size=6).map(sorted),
    seed=st.integers(0, 99),
    in_pairs=st.booleans(),
)
def test_any_split_and_any_order_give_the_same(task, cuts, seed, in_pairs):
    features, labels = draw(task)
    order = np.random.default_rng(seed).permutation(len(cuts) + 1)
    parts = parts_of(features, labels, cuts, order)
    whole = statistics_of([(features, labels)], task=task, sample_size=50)
    if in_pairs:
        merged = statistics_of([parts[0]], task=task, sample_size=50)
        for part in parts[1:]:
            merged = statistics_of([part], task=task, sample_size=50).merge(merged)
    else:
        merged = statistics_of(parts, task=task, sample_size=50)
    same_moments(merged, whole)
    assert merged.n_samples == 200
    np.testing.assert_array_equal(merged.sampled.features, whole.sampled.features)
    if task == "classification":
        assert merged.classes.tolist() == ["cat", "dog", "lion", "owl"]
        np.testing.assert_array_equal(merged.class_counts, np.unique(labels, return_counts=True)[1])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("shape", [(200, 6), (20, 40)])
def test_scores_on_moments_are_those_of_all_rows(task, shape):
    features, labels = draw(task, *shape)
    names = [n for n, info in SCORES.items() if task in info.on_moments and n != "ridge_probe"]
    merged = statistics_of(parts_of(features, labels, [5, 11], range(3)), task=task, sample_size=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = score(features, labels, names, task=task)
        found = score(merged, scores=names)
        assert set(score(merged)) == set(names)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("task", TASKS)
def test_a_sample_that_holds_every_row_is_as_good_as_the_rows(task):
    features, labels = draw(task, n=60)
    merged = statistics_of(parts_of(features, labels, [25], (1, 0)), task=task)
    assert merged.has_rows
    own_order = [n for n in SCORES if n not in {"parc", "nleep"}]
    names = [n for n in own_order if task in SCORES[n].tasks and not SCORES[n].needs_source]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*whatever the labels", RuntimeWarning)
        expected = score(features, labels, names, task=task)
        assert score(merged, scores=names) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_scores_that_need_rows_are_those_of_the_sample_and_say_so():
    features, labels = draw("classification")
    merged = statistics_of([(features, labels)], sample_size=80)
    message = "knn: computed on a sample of 80 of the 200 rows, the others not being at hand."
    with pytest.warns(RuntimeWarning, match=re.escape(message)):
        found = score(merged, scores="knn,h_score")
    kept = merged.sampled
    assert found["knn"] == score(kept.features, kept.classes[kept.targets.codes], "knn")["knn"]
    assert found["h_score"] == pytest.approx(score(features, labels, "h_score")["h_score"])
    with pytest.raises(InputError, match="Of the 200 rows of these statistics 80 were kept"):
        _ = merged.features


@pytest.mark.parametrize("task", TASKS)
def test_the_ridge_probe_leaves_one_of_all_rows_out_and_measures_on_the_sample(task):
    features, labels = draw(task, seed=3)
    merged = statistics_of([(features, labels)], task=task, sample_size=80)
    rows = [
        int(np.flatnonzero((features == row).all(axis=1))[0]) for row in merged.sampled.features
    ]
    expected = Statistics(features, labels, task=task).held_out
    np.testing.assert_allclose(merged.held_out.losses, expected.losses[:, rows], rtol=1e-7)
    message = "ridge_probe is fitted to all 200 rows and measured on a sample of 80 of them"
    with pytest.warns(RuntimeWarning, match=message):
        assert score(merged, scores="ridge_probe")["ridge_probe"] == merged.held_out.value


def test_the_sample_is_a_fair_draw_and_the_seed_decides_it():
    features = np.random.default_rng(0).integers(0, 50, size=(4000, 3)).astype(np.float32)
    labels = np.arange(4000) % 2
    drawn = [statistics_of([(features, labels)], sample_size=400, seed=s) for s in range(20)]
    kept = {tuple(one.sampled.features.sum(axis=0)) for one in drawn}
    assert len(kept) == 20
    means = np.array([one.sampled.features.mean(axis=0) for one in drawn])
    error = features.std(axis=0) / np.sqrt(400)
    assert (np.abs(means - features.mean(axis=0)) < 4.5 * error).all()
    assert (np.abs(means.mean(axis=0) - features.mean(axis=0)) < error).all()
    doubles = statistics_of([(features.astype(float), labels)], sample_size=400)
    np.testing.assert_array_equal(doubles.sampled.features, drawn[0].sampled.features)


@pytest.mark.parametrize("task", TASKS)
def test_bytes_and_files_hold_all_of_it(task, tmp_path):
    features, labels = draw(task)
    source = np.random.default_rng(0).uniform(size=(200, 5)) if task == "classification" else None
    batch = {"features": features, "labels": labels}
    if source is not None:
        batch |= {"source_probabilities": source, "source_logits": np.log(source)}
    merged = statistics_of([batch], task=task, sample_size=50)
    merged.save(tmp_path / "target.stats")
    for read in (
        Statistics.from_bytes(merged.to_bytes()),
        Statistics.load(str(tmp_path / "target.stats")),
    ):
        assert read.to_bytes() == merged.to_bytes()
        assert read.task == task
        np.testing.assert_array_equal(read.moments.scatter, merged.moments.scatter)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            assert score(read) == score(merged)
    assert [file.name for file in tmp_path.iterdir()] == ["target.stats"]


def test_new_rows_are_added_to_what_was_read():
    features, labels = draw("classification")
    old = Statistics(features[:120], labels[:120])
    grown = Statistics.from_bytes(old.to_bytes()).add(features[120:], labels[120:])
    same_moments(grown, Statistics(features, labels))
    assert grown.n_samples == 200


@pytest.mark.parametrize(
    "kind", [int, np.uint8, float, bool, str, object, "S5", "datetime64[D]"], ids=str
)
def test_class_labels_of_any_type_are_kept(kind):
    features, labels = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    labels = labels.astype(bool if kind is bool else int).astype(kind)
    first, second = Statistics(features[:20], labels[:20]), Statistics(features[20:], labels[20:])
    merged = Statistics.from_bytes(first.to_bytes()).merge(second)
    assert merged.class_counts.tolist() == [20, 20]


def test_a_class_may_come_late_but_one_alone_is_refused():
    features = np.random.default_rng(0).normal(size=(30, 3))
    one = statistics_of([(features[:20], ["a"] * 20)], sample_size=4)
    message = "`labels` must show at least two classes; all 20 are 'a'."
    for name in ("h_score", "knn", "ridge_probe"):
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            score(one, scores=name)
    both = one.add(features[20:], ["b"] * 10)
    assert both.classes.tolist() == ["a", "b"]
    assert np.isfinite(score(both, scores="h_score")["h_score"])
    flat = statistics_of([(features, np.ones(30))], task="regression")
    with pytest.raises(InputError, match=re.escape("`labels` must vary; all 30 are 1.0.")):
        score(flat, scores="h_score")


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "`batches` must hold at least one batch of rows; it is empty."),
        ([([[1.0]],)], "Batch 0 must be (features, labels), a mapping with arrays of these names"),
        ([([[1.0]], [0]), 5], "Batch 1 must be (features, labels), a mapping with arrays of"),
        ([{"features": [[1.0]]}], "Batch 0 must be (features, labels), a mapping with arrays of"),
        ([([[1.0]], [0]), ([[np.nan]], [1])], "Batch 1: `features` must be finite; 1 of 1 rows"),
        ([([[1.0]], [0, 1])], "Batch 0: `labels` must have one entry per row of `features` (1)"),
        ([([1.0], [0])], "Batch 0: `features` must have shape (n_samples, n_features); got (1,)."),
        ([([[1.0]], [0]), ([[1.0, 2.0]], [0])], "Batch 1: `features` must have as many col"),
        ([([[1.0]], [0]), ([[1.0]], ["a"])], "All class labels must be text or all numbers; got"),
        (
            [([[1.0]], [0]), with_source([[0.5, 0.5]])],
            "`source_probabilities` must be given for all rows or for none; got them for some.",
        ),
        (
            [with_source([[1.0]]), with_source([[0.5, 0.5]])],
            "`source_probabilities` must have the same source classes for all rows; got [1, 2].",
        ),
    ],
)
def test_batches_that_do_not_fit_are_refused(batches, message):
    with pytest.raises(InputError, match=re.escape(message)):
        statistics_of(batches)


def test_statistics_that_do_not_fit_are_not_merged():
    features, labels = draw("classification")
    base = Statistics(features, labels)
    with pytest.raises(InputError, match="one task can be merged; got classification and regr"):
        base.merge(Statistics(features, np.arange(200.0), task="regression"))
    with pytest.raises(InputError, match=r"the same width; got \[5, 6\]"):
        base.merge(Statistics(features[:, :5], labels))
    with pytest.raises(InputError, match="drawn with one seed can be merged; got seeds 0 and 1"):
        base.merge(statistics_of([(features, labels)], seed=1))
    with pytest.raises(InputError, match="`sample_size` must not be negative; got -1"):
        statistics_of([(features, labels)], sample_size=-1)
    with pytest.raises(InputError, match="Statistics have labels, task and source outputs of th"):
        score(base, labels)
    with pytest.raises(InputError, match="`labels` must be given with `features`"):
        score(features)


def damaged(content: bytes) -> dict[str, bytes]:
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    about = json.loads(header["__metadata__"]["about"])

    def headed(**changes: object) -> bytes:
        changed = {**header, "__metadata__": {"about": json.dumps({**about, **changes})}}
        text = json.dumps(changed).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return {
        "nothing": b"",
        "cut": content[:-8],
        "text": b"what is this? no statistics at all",
        "format": headed(format="other"),
        "task": headed(task="ranking"),
        "classes": headed(classes=["a"]),
        "count": headed(count=3),
        "missing": headed(seed=None),
    }


@pytest.mark.parametrize("damage", damaged(Statistics([[1.0], [2.0]], [0, 1]).to_bytes()))
def test_bytes_of_something_else_are_refused(damage):
    features, labels = draw("classification")
    content = damaged(statistics_of([(features, labels)], sample_size=9).to_bytes())[damage]
    with pytest.raises(
        InputError, match=r"^The statistics cannot be read: .* or `Statistics.save`"
    ):
        Statistics.from_bytes(content)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    statistics = Statistics([[1.0], [2.0]], [0, 1])
    with pytest.raises(
        InputError, match=r"one\.stats cannot be written: No such file or directory"
    ):
        statistics.save(tmp_path / "gone" / "one.stats")
    (tmp_path / "two.stats").mkdir()
    with pytest.raises(InputError, match=r"two\.stats cannot be written: Is a directory"):
        statistics.save(tmp_path / "two.stats")
    assert [file.name for file in tmp_path.iterdir()] == ["two.stats"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.stats cannot be read: No such file or directory"):
        Statistics.load(tmp_path / "none.stats")


@pytest.mark.parametrize("whole", [True, False])
def test_files_mapped_into_memory_are_read_in_blocks_and_let_go(whole, tmp_path, monkeypatch):
    features = np.random.default_rng(0).normal(size=(5000, 4)).astype(np.float32)
    labels = np.arange(5000) % 3
    features.tofile(tmp_path / "features.bin")
    mapped = np.memmap(tmp_path / "features.bin", np.float32, "r", shape=(5000, 4))
    monkeypatch.setattr(stream, "_BLOCK_BYTES", 8 * 4 * 1500)
    monkeypatch.setattr(stream, "_LEAST_ROWS", 1000)
    batches = [(mapped, labels)] if whole else [(mapped[i::2], labels[i::2]) for i in range(2)]
    same_moments(statistics_of(batches), Statistics(features, labels))
    written = np.memmap(tmp_path / "features.bin", np.float32, "c", shape=(5000, 4))
    written[0] = 7.0
    statistics_of([(written, labels)])
    assert (written[0] == 7.0).all()
