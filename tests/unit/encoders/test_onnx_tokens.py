"""ONNX models of tokens: pairs, words, and tokenizers of the tokenizers library."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from transferscore.datasets import TextPair, TokenSequence
from transferscore.encoders import OnnxEncoder
from transferscore.errors import EncoderError

TABLE = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


@pytest.fixture
def characters(build_onnx, tokenizer_json):
    """A model of the characters a, b, c with one state for each."""

    def build(**described):
        tokenizer_json(**described)
        return build_onnx(
            [
                ("Gather", ["table", "ids"], "hidden"),
                ("ReduceMean", ["hidden"], "features", {"axes": [1], "keepdims": 0}),
            ],
            inputs={"ids": ("INT64", [None, None])},
            outputs=["features", "hidden"],
            weights={"table": TABLE},
        )

    return build


@pytest.fixture
def transformer(build_onnx, tmp_path, word_tokenizer):
    """States of tokens that depend on the mask and the token types."""
    word_tokenizer().backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    return build_onnx(
        [
            ("Gather", ["table", "input_ids"], "rows"),
            ("Cast", ["attention_mask"], "mask", {"to": 1}),
            ("Unsqueeze", ["mask", "two"], "column"),
            ("Mul", ["rows", "column"], "last_hidden_state"),
        ],
        inputs={
            "input_ids": ("INT64", [None, None]),
            "attention_mask": ("INT64", [None, None]),
        },
        outputs=["last_hidden_state"],
        weights={"table": TABLE, "two": np.array([2], dtype=np.int64)},
    )


def test_words_are_pooled_from_the_states_of_their_characters(characters):
    samples = [TokenSequence(("ab", "c")), TokenSequence(("b",)), TokenSequence(("?", "ca"))]
    encoding = encode(OnnxEncoder(characters()), samples)
    expected = [TABLE[[1, 2]].mean(0), TABLE[3], TABLE[2], TABLE[[3, 1]].mean(0)]
    assert_allclose(encoding.features, expected, atol=1e-6)
    assert_array_equal(encoding.word_mask, [True, True, True, False, True])
    last = encode(OnnxEncoder(characters(), pooling="last"), samples).features
    assert_allclose(last, TABLE[[2, 3, 2, 1]], atol=1e-6)


def test_words_of_a_word_model_are_read_one_by_one(characters):
    path = characters(unit="word: each by itself", unknown=None, unknown_id=9)
    encoding = encode(OnnxEncoder(path), [TokenSequence(("ab", "c")), TokenSequence(("?",))])
    assert_allclose(encoding.features, [TABLE[[1, 2]].mean(0), TABLE[3], TABLE[9]], atol=1e-6)
    assert encoding.word_mask.all()


def test_words_cut_off_have_no_row(characters):
    encoding = encode(OnnxEncoder(characters(max_len=2)), [TokenSequence(("a", "b", "c"))])
    assert_allclose(encoding.features, TABLE[[1, 2]], atol=1e-6)
    assert_array_equal(encoding.word_mask, [True, True, False])


def test_words_need_a_state_for_each_token(characters):
    encoder = OnnxEncoder(characters(), output="features")
    with pytest.raises(EncoderError, match=r"gives 'features' of shape \(1, 4\), and words need "):
        encode(encoder, [TokenSequence(("a", "b"))])


def test_a_pair_is_told_by_how_alike_its_texts_are(characters):
    encoding = encode(OnnxEncoder(characters()), [TextPair("ab", "c"), TextPair("b", "b")])
    first, second = TABLE[[1, 2]].mean(0), TABLE[3]
    expected = [
        np.hstack([abs(first - second), first * second]),
        np.hstack([0 * TABLE[2], TABLE[2] ** 2]),
    ]
    assert_allclose(encoding.features, expected, atol=1e-6)


def test_very_long_texts_end_somewhere(characters):
    batch = OnnxEncoder(characters()).prepare(["ab" * 500_000])
    assert [len(ids) for (ids,) in batch.texts] == [4096]


@pytest.mark.parametrize("pooling", ["auto", "cls", "max", "last"])
def test_a_tokenizer_of_the_tokenizers_library(transformer, pooling):
    texts = ["a b c", "d", "", "c a"]  # the ids of a, b, c and d are 2 to 5
    ids = [[2, 3, 4], [5], [0], [4, 2]]
    pool = {
        "auto": lambda rows: rows.mean(0),
        "cls": lambda rows: rows[0],
        "last": lambda rows: rows[-1],
        "max": lambda rows: rows.max(0),
    }[pooling]
    features = encode(OnnxEncoder(transformer, pooling=pooling), texts).features
    assert_allclose(features, [pool(TABLE[row]) for row in ids], atol=1e-6)


def test_words_by_a_tokenizer_of_the_tokenizers_library(transformer):
    encoding = encode(
        OnnxEncoder(transformer), [TokenSequence(("b-c", "d")), TokenSequence(("a",))]
    )
    expected = [TABLE[[3, 1, 4]].mean(0), TABLE[5], TABLE[2]]
    assert_allclose(encoding.features, expected, atol=1e-6)


def test_a_pair_goes_in_as_the_tokenizer_joins_it(transformer):
    batch = OnnxEncoder(transformer).prepare([TextPair("a b", "c")])
    assert batch.inputs["input_ids"].tolist() == [[2, 3, 4]]
    assert batch.inputs["token_type_ids"].tolist() == [[0, 0, 1]]


def test_texts_are_cut_to_what_the_tokenizer_config_says(transformer, tmp_path):
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 2}')
    assert OnnxEncoder(transformer).prepare(["a b c d"]).inputs["input_ids"].shape == (1, 2)


def test_the_tokenizer_is_part_of_the_digest(transformer, tmp_path):
    before = OnnxEncoder(transformer).digest()
    file = tmp_path / "tokenizer.json"
    file.write_text(file.read_text().replace('"[UNK]"', '"[unk]"'))
    assert OnnxEncoder(transformer).digest() != before


def test_a_broken_tokenizer_is_named(transformer, tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"model": {}}')
    with pytest.raises(EncoderError, match=r"tokenizer\.json` beside `onnx:.*cannot be read as a"):
        OnnxEncoder(transformer).prepare(["a"])
    (tmp_path / "tokenizer.json").write_text('{"model"')
    with pytest.raises(EncoderError, match=r"tokenizer\.json` beside `onnx:.*must be JSON"):
        OnnxEncoder(transformer).prepare(["a"])


def test_texts_that_are_cut_are_counted(characters, transformer, tmp_path):
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 2}')
    assert encode(OnnxEncoder(transformer), ["a b", "a b c", "d " * 1000]).n_cut == 2
    described = {"unit": "character", "max_len": 3}
    assert encode(OnnxEncoder(characters(**described)), ["abc", "abcabc"]).n_cut == 1
