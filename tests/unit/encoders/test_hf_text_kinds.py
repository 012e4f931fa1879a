"""Pairs of texts, sequences of words, all layers, poolers: what one text and one layer are not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.unit.encoders.conftest import BERT
from transferscore.datasets import TextPair, TokenSequence
from transferscore.encoders import HfEncoder
from transferscore.errors import EncoderError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["[PAD]", "[UNK]", "a", "b", "c", "d"]


@pytest.fixture
def bert(tmp_path, word_tokenizer):
    torch.manual_seed(0)
    model = transformers.BertModel(transformers.BertConfig(**BERT)).eval()
    model.save_pretrained(tmp_path)
    word_tokenizer().save_pretrained(tmp_path)
    return model


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def states(model, text):
    ids = torch.tensor([[WORDS.index(word) for word in text.split()]])
    with torch.no_grad():
        output = model(input_ids=ids, output_hidden_states=True)
    return [state[0].numpy() for state in output.hidden_states]


def test_a_pair_goes_in_as_the_tokenizer_joins_it(bert, tmp_path, word_tokenizer):
    from tokenizers.processors import TemplateProcessing

    names = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer = word_tokenizer(model_input_names=names)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A", pair="$A d $B:1", special_tokens=[("d", 5)]
    )
    tokenizer.save_pretrained(tmp_path)
    features = encode(HfEncoder(str(tmp_path)), [TextPair("a b", "c"), TextPair("c", "b")]).features
    kinds = torch.tensor([[0, 0, 0, 1]])
    with torch.no_grad():
        expected = bert(input_ids=torch.tensor([[2, 3, 5, 4]]), token_type_ids=kinds)
    assert_allclose(features[:1], expected.last_hidden_state.mean(1), atol=1e-5)


def test_all_layers_come_from_one_pass_and_the_last_is_the_features(bert, tmp_path):
    texts = ["a b c d", "b", "d c"]
    passes = []
    encoder = HfEncoder(str(tmp_path), layer=None)
    model = encoder._model.get().model
    model.register_forward_hook(lambda *_: passes.append(1))
    encoding = encode(encoder, texts)
    assert len(passes) == 1
    for layer, features in enumerate(encoding.layers):
        assert_allclose(features, [states(bert, t)[layer].mean(0) for t in texts], atol=1e-5)
        alone = encode(HfEncoder(str(tmp_path), layer=layer), texts).features
        assert_allclose(features, alone, atol=1e-6)
    assert len(encoding.layers) == 3
    assert_allclose(encoding.layers[-1], encoding.features)


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [
        ("auto", lambda tokens: tokens.mean(0)),
        ("max", lambda tokens: tokens.max(0)),
        ("cls", lambda tokens: tokens[0]),
        ("last", lambda tokens: tokens[-1]),
    ],
)
def test_a_word_is_pooled_from_its_tokens(bert, tmp_path, pooling, pool):
    samples = [TokenSequence(("c",)), TokenSequence(("a", "b-c", "d")), TokenSequence(("b", "b"))]
    encoding = encode(HfEncoder(str(tmp_path), pooling=pooling), samples)
    # The tokenizer cuts "b-c" into b, an unknown dash, and c.
    cut = states(bert, "a b [UNK] c d")[-1]
    expected = [
        pool(states(bert, "c")[-1]),
        pool(cut[:1]),
        pool(cut[1:4]),
        pool(cut[4:]),
        *states(bert, "b b")[-1],
    ]
    assert_allclose(encoding.features, expected, atol=1e-5)
    assert encoding.word_mask.all()


def test_words_cut_off_with_the_end_of_a_text_have_no_row(bert, tmp_path):
    samples = [TokenSequence(("a", "b")), TokenSequence(("c",) * 20), TokenSequence(("d", "", "d"))]
    encoding = encode(HfEncoder(str(tmp_path)), samples)
    expected = [True] * 2 + [True] * 16 + [False] * 4 + [True, False, True]
    np.testing.assert_array_equal(encoding.word_mask, expected)
    assert len(encoding.features) == sum(expected)


def test_byte_level_tokenizers_take_words_as_in_running_text(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {"Ġa": 0, "Ġb": 1, "a": 2, "b": 3, "Ġ": 4, "<e>": 5}
    words = Tokenizer(models.BPE(vocabulary, [("Ġ", "a"), ("Ġ", "b")]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<e>")
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=6, n_embd=8, n_layer=1, n_head=2, n_positions=16)
    transformers.GPT2Model(config).save_pretrained(tmp_path)
    batch = HfEncoder(str(tmp_path)).prepare([TokenSequence(("a", "b"))])
    assert batch.words.max() == 1


def test_a_trained_pooler_is_used_when_it_is_asked_for(bert, tmp_path):
    bert.pooler.dense.bias.data.normal_()
    bert.save_pretrained(tmp_path)
    features = encode(HfEncoder(str(tmp_path), pooling="pooler"), ["a b"]).features
    with torch.no_grad():
        expected = bert(input_ids=torch.tensor([[2, 3]])).pooler_output
    assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_pooler_that_was_never_trained_is_refused(bert, tmp_path, is_saved):
    reason = "its biases are exactly zero, as before the first step of training"
    if not is_saved:
        transformers.BertModel(bert.config, add_pooling_layer=False).save_pretrained(tmp_path)
        reason = "its weights are not in the checkpoint, so they would be random"
    with pytest.raises(EncoderError) as raised:
        encode(HfEncoder(str(tmp_path), pooling="pooler"), ["a b"])
    assert str(raised.value) == (
        f"The pooler of `hf:{tmp_path}` was never trained: {reason}. Leave `pooling` out, or use "
        f"cls or mean."
    )


def test_a_model_without_pooler_has_none_to_use(tmp_path, word_tokenizer):
    config = transformers.GPT2Config(vocab_size=6, n_embd=8, n_layer=1, n_head=2, n_positions=16)
    transformers.GPT2Model(config).save_pretrained(tmp_path)
    word_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="has no pooler; leave `pooling` out, or use cls or mea"):
        encode(HfEncoder(str(tmp_path), pooling="pooler"), ["a b"])


def test_text_in_mixed_lengths_runs_in_parts_of_like_length(bert, tmp_path, monkeypatch):
    from transferscore.encoders import token_budget

    monkeypatch.setattr(token_budget, "_CPU_TOKENS", 16)
    texts = [" ".join("abcd"[i % 4] for i in range(1 + (7 * n) % 13)) for n in range(20)]
    encoder = HfEncoder(str(tmp_path), layer=None)
    shapes = []
    encoder._model.get().model.register_forward_pre_hook(
        lambda _module, _inputs, named: shapes.append(tuple(named["input_ids"].shape)),
        with_kwargs=True,
    )
    encoding = encode(encoder, texts)
    assert_allclose(encoding.features, [states(bert, t)[-1].mean(0) for t in texts], atol=1e-5)
    assert_allclose(encoding.layers[0], [states(bert, t)[0].mean(0) for t in texts], atol=1e-5)
    assert max(rows * width for rows, width in shapes) <= 16
    n_tokens = sum(len(text.split()) for text in texts)
    assert sum(rows * width for rows, width in shapes) <= 1.15 * n_tokens


def test_trusted_code_is_run(bert, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Net"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text(
        "from transformers import BertConfig, BertModel\n"
        "class Own(BertConfig):\n    model_type = 'own'\n"
        "class Net(BertModel):\n    config_class = Own\n"
    )
    features = encode(HfEncoder(str(tmp_path), trust_remote_code=True), ["a b"]).features
    assert_allclose(features, [states(bert, "a b")[-1].mean(0)], atol=1e-5)


def test_texts_that_are_cut_are_counted(bert, tmp_path):
    encoding = encode(HfEncoder(str(tmp_path)), ["a " * 16, "b " * 17, "c " * 500_000, ""])
    assert encoding.n_cut == 2
    assert encoding.features.shape == (4, 8)
