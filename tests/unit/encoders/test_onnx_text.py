from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from transferscore.encoders import OnnxEncoder
from transferscore.errors import EncoderError

TABLE = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)


@pytest.fixture
def model(build_onnx):
    """Features: the mean over all positions, padding included, as a model without mask does it."""

    def build(shape=(None, None), kind="INT64"):
        steps = [
            ("Gather", ["table", "ids"], "hidden"),
            ("ReduceMean", ["hidden"], "features", {"axes": [1], "keepdims": 0}),
            ("MatMul", ["features", "table_t"], "logits"),
        ]
        return build_onnx(
            steps,
            inputs={"ids": (kind, list(shape))},
            outputs=["features", "hidden", "logits"],
            weights={"table": TABLE, "table_t": np.ascontiguousarray(TABLE.T)},
        )

    return build


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def test_characters_lower_case_and_unknown_ones_dropped(model, tokenizer_json):
    tokenizer_json()
    encoding = encode(OnnxEncoder(model()), ["Ab!", "c", "", "??"])
    expected = [TABLE[[1, 2]].mean(0), TABLE[3], TABLE[0], TABLE[0]]
    assert_allclose(encoding.features, expected, atol=1e-6)
    assert_allclose(encoding.logits, encoding.features @ TABLE.T, atol=1e-5)


def test_unknown_characters_may_have_an_id(model, tokenizer_json):
    tokenizer_json(unknown=None, unknown_id=9)
    assert_allclose(encode(OnnxEncoder(model()), ["a!"]).features, [TABLE[[1, 9]].mean(0)])


def test_a_text_of_words_is_the_mean_of_its_words(model, tokenizer_json):
    tokenizer_json(unit="word: each by itself")
    encoding = encode(OnnxEncoder(model()), ["aab  c", "c", " "])
    word = TABLE[[1, 1, 2]].mean(0)
    assert_allclose(encoding.features, [(word + TABLE[3]) / 2, TABLE[3], TABLE[0]], atol=1e-6)
    assert encoding.logits is None


@pytest.mark.parametrize(
    ("pad", "ids"),
    [("left to exactly 5", [0, 0, 0, 1, 2]), ("right to exactly 5", [1, 2, 0, 0, 0])],
)
def test_an_exact_length_is_filled_up_on_its_side(model, tokenizer_json, pad, ids):
    tokenizer_json(pad=pad)
    encoder = OnnxEncoder(model())
    assert_allclose(encode(encoder, ["ab"]).features, [TABLE[ids].mean(0)], atol=1e-6)


def test_pooling_of_tokens_leaves_padding_out(model, tokenizer_json):
    tokenizer_json(pad="left to exactly 5")
    encoder = OnnxEncoder(model(), output="hidden")
    expected = [TABLE[[1, 2]].mean(0), TABLE[3]]
    assert_allclose(encode(encoder, ["ab", "c"]).features, expected, atol=1e-6)


@pytest.mark.parametrize(("truncate", "ids"), [("keep the last 2", [2, 3]), ("", [1, 2])])
def test_long_texts_are_cut(model, tokenizer_json, truncate, ids):
    tokenizer_json(max_len=2, truncate=truncate)
    assert_allclose(encode(OnnxEncoder(model()), ["abc"]).features, [TABLE[ids].mean(0)])


def test_fixed_batch_and_length_and_int32(model, tokenizer_json):
    tokenizer_json()
    encoder = OnnxEncoder(model((2, 3), "INT32"))
    texts = ["a", "ab", "abc", "abcabc", "c"]
    ids = [[0, 0, 1], [0, 1, 2], [1, 2, 3], [1, 2, 3], [0, 0, 3]]
    expected = [TABLE[row].mean(0) for row in ids]
    assert_allclose(encode(encoder, texts).features, expected, atol=1e-6)
    assert_allclose(encode(encoder, texts[2:3]).features, expected[2:3], atol=1e-6)


def test_ids_may_be_given_as_arrays(model):
    encoder = OnnxEncoder(model())
    encoding = encode(encoder, [np.array([1, 2]), np.array([3, 3])])
    assert_allclose(encoding.features, [TABLE[[1, 2]].mean(0), TABLE[3]], atol=1e-6)


def test_digest_sees_the_tokenizer(model, tokenizer_json):
    path = model()
    tokenizer_json()
    before = OnnxEncoder(path).digest()
    tokenizer_json(lower=False)
    assert OnnxEncoder(path).digest() != before


def test_images_are_refused(model, tokenizer_json, images):
    tokenizer_json()
    path = model()
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path).prepare(images)
    assert str(raised.value) == f"`onnx:{path}` takes text; got images."


def test_a_missing_tokenizer(model):
    path = model()
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path).prepare(["a"])
    assert str(raised.value) == (
        f"`onnx:{path}` takes token ids, and there is no `model.tokenizer.json` beside it to say "
        f"how text becomes ids. Put it there, or use the model's `hf:` folder."
    )


def test_a_tokenizer_of_another_kind(model, tokenizer_json, tmp_path):
    tokenizer_json(unit="byte pair")
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(model()).prepare(["a"])
    assert str(raised.value) == (
        f"`{tmp_path}/model.tokenizer.json` must be JSON with `unit` (character or word), `vocab` "
        f"and `pad_id`: ValueError(\"unknown unit 'byte pair'\")."
    )


def test_a_word_runs_once_however_often_it_occurs(model, tokenizer_json, monkeypatch):
    from transferscore.encoders import onnx_session

    tokenizer_json(unit="word")
    encoder = OnnxEncoder(model())
    batch = encoder.prepare(["ab ab ab c", "c ab"])
    seen = []
    run = onnx_session.OnnxSession.run
    monkeypatch.setattr(
        onnx_session.OnnxSession,
        "run",
        lambda self, feeds, *rest: seen.append(feeds["ids"].shape) or run(self, feeds, *rest),
    )
    encoder.forward(batch)
    assert sorted(seen) == [(1, 1), (1, 2)]
    assert_array_equal(seen, sorted(seen, reverse=True))
