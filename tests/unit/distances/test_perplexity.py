"""Tests of the perplexity distance, of the losses it reads, and of its place in a ranking."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import transferscore
from transferscore.distances import perplexity_distance
from transferscore.encoders import HfEncoder, TokenLosses, token_losses
from transferscore.errors import EncoderError, InputError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]
TEXTS = ["a b c d e f g h a b c d e f g h", "b a", "h g f e d c b a d", "a b zzz d e c"]
GPT2 = {"vocab_size": 13, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 300}
BERT = {
    "vocab_size": 13,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 300,
}
ENGLISH = ("argparse", "json", "logging", "random", "statistics", "textwrap", "threading")


def losses(text, permuted, n_tokens):
    return TokenLosses("causal", np.array(text), np.array(permuted), np.array(n_tokens))


def tokenizer(model, *, encloses=False, **special):
    from tokenizers import Tokenizer, pre_tokenizers, processors

    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    if encloses:
        made.post_processor = processors.TemplateProcessing(
            "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        special |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]"} | special
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **special)


def words(**options):
    from tokenizers import models

    vocabulary = {word: i for i, word in enumerate(WORDS)}
    return tokenizer(models.WordLevel(vocabulary, "[UNK]"), **options)


def saved(folder, model, tokens):
    model.eval().save_pretrained(folder)
    tokens.save_pretrained(folder)
    return HfEncoder(str(folder))


def gpt2(folder, model_class=None):
    torch.manual_seed(0)
    model = (model_class or transformers.GPT2LMHeadModel)(transformers.GPT2Config(**GPT2))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return saved(folder, model, words()), model


def bert(folder, model_class=None, *, encloses=True, **config):
    torch.manual_seed(0)
    made = transformers.BertConfig(**BERT | config)
    model = (model_class or transformers.BertForMaskedLM)(made)
    return saved(folder, model, words(encloses=encloses))


def claims(folder, architecture):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": [architecture]}))


def test_the_formula():
    found = perplexity_distance(losses([4.0, 2.0], [8.0, 4.0], [3, 3]))
    assert found.value == 0.5
    assert found.perplexity == pytest.approx(np.e)
    assert found.permuted_perplexity == pytest.approx(np.e**2)
    assert (found.n_texts, found.n_tokens) == (2, 6)
    in_bits = perplexity_distance(losses([4.0 / np.log(2)], [8.0 / np.log(2)], [3]))
    assert in_bits.value == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "permuted", "n_tokens", "sentence"),
    [
        ([], [], [], "at least one token; got none"),
        ([np.nan], [1.0], [3], "must be finite and at least 0"),
        ([1.0], [np.inf], [3], "they sum to 1.0 and inf"),
        ([0.0], [0.0], [3], "above 0 for the permuted texts"),
        ([-1.0], [1.0], [3], "must be finite and at least 0"),
    ],
)
def test_what_is_no_loss_is_refused(text, permuted, n_tokens, sentence):
    with pytest.raises(InputError, match=sentence):
        perplexity_distance(losses(text, permuted, n_tokens))


def test_a_causal_model_foresees_every_token_but_the_first(tmp_path):
    encoder, model = gpt2(tmp_path)
    found = token_losses(encoder, TEXTS)
    assert found.kind == "causal"
    # "b a" is too short, and the unknown word of the last text does not count.
    assert found.n_tokens.tolist() == [15, 8, 4]
    for row, text in enumerate([TEXTS[0], TEXTS[2], TEXTS[3]]):
        ids = torch.tensor([[WORDS.index(w) if w in WORDS else 1 for w in text.split()]])
        with torch.no_grad():
            expected = -model(ids).logits.log_softmax(-1)[0, :-1].double()
        each = [float(expected[i, t]) for i, t in enumerate(ids[0, 1:]) if t != 1]
        assert_allclose(found.text[row], sum(each), rtol=1e-5)
    assert not np.isclose(found.text, found.permuted).any()


def test_where_the_order_tells_nothing_the_distance_is_one(tmp_path):
    encoder, model = gpt2(tmp_path)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    saved(tmp_path, model, words())
    found = token_losses(encoder, TEXTS)
    assert_allclose(found.text, found.n_tokens * np.log(13), rtol=1e-6)
    assert perplexity_distance(found).value == pytest.approx(1.0, rel=1e-9)
    assert perplexity_distance(found).level == "very high"


def test_a_masked_model_sees_fifteen_percent_masked_three_times(tmp_path, monkeypatch):
    encoder = bert(tmp_path)
    model = encoder.language_model()
    seen = []
    forward = type(model.module).forward

    def watched(self, input_ids=None, attention_mask=None, token_type_ids=None, **rest):
        seen.append(input_ids.clone())
        return forward(self, input_ids, attention_mask, token_type_ids, **rest)

    monkeypatch.setattr(type(model.module), "forward", watched)
    text = " ".join("abcdefgh"[i % 8] for i in range(40))
    found = token_losses(encoder, [text])
    assert found.kind == "masked"
    assert found.n_tokens.tolist() == [18]
    true = torch.tensor([2, *(5 + i % 8 for i in range(40)), 3])
    masked = [ids[0] == 4 for ids in seen]
    assert [int(mask.sum()) for mask in masked] == [6] * 6
    assert int(torch.stack(masked[:3]).sum(0).max()) == 1
    for ids, mask in zip(seen[:3], masked[:3], strict=True):
        assert (ids[0][~mask] == true[~mask]).all()
    # In the permutation the ends stay, and the same tokens are asked for.
    assert all((ids[0, 0], ids[0, -1]) == (2, 3) for ids in seen[3:])
    hidden = [torch.cat([true[mask] for mask in masked[:3]]).bincount(minlength=13)]
    shown = [ids[0].bincount(minlength=13)[5:] for ids in seen]
    assert sum(shown[:3]).tolist() == sum(shown[3:]).tolist()
    assert (15 - sum(shown[:3])).tolist() == hidden[0][5:].tolist()


def test_the_same_seed_the_same_bits_and_batches_change_nothing(tmp_path, monkeypatch):
    encoder, _ = gpt2(tmp_path)
    first, again = token_losses(encoder, TEXTS), token_losses(encoder, TEXTS)
    assert (first.text == again.text).all()
    assert (first.permuted == again.permuted).all()
    assert (token_losses(encoder, TEXTS, seed=1).permuted != first.permuted).any()
    monkeypatch.setattr("transferscore.encoders.language_losses._MOST_LOGITS", 1)
    assert_allclose(token_losses(encoder, TEXTS).permuted, first.permuted, rtol=1e-6)


def test_no_more_than_64_texts_of_128_tokens_are_read(tmp_path):
    encoder, _ = gpt2(tmp_path)
    assert token_losses(encoder, ["a b c d " * 70] * 80).n_tokens.tolist() == [127] * 64


@pytest.mark.parametrize("architecture", ["GPT2Model", "GPT2ForSequenceClassification", ""])
def test_a_folder_of_another_head_has_none(tmp_path, architecture):
    encoder, _ = gpt2(tmp_path)
    claims(tmp_path, architecture)
    assert token_losses(encoder, TEXTS) is None


def test_a_head_whose_weights_are_missing_is_none(tmp_path):
    encoder = bert(tmp_path, transformers.BertModel)
    claims(tmp_path, "BertForMaskedLM")
    assert token_losses(encoder, TEXTS) is None
    # What the ranking needs of it is there all the same.
    assert encoder.forward(encoder.prepare(TEXTS)).features.shape == (4, 8)


def test_a_bert_that_sees_the_answer_or_has_no_mask_is_none(tmp_path):
    assert token_losses(bert(tmp_path / "a", encloses=False), TEXTS) is None
    sees_all = bert(tmp_path / "b", transformers.BertLMHeadModel)
    assert token_losses(sees_all, TEXTS) is None
    decoder = bert(tmp_path / "c", transformers.BertLMHeadModel, is_decoder=True)
    assert token_losses(decoder, TEXTS).kind == "causal"


def test_texts_too_short_to_have_an_order_and_other_encoders_have_none(tmp_path):
    encoder, _ = gpt2(tmp_path)
    assert token_losses(encoder, ["a", "b a", "zzz zzz zzz zzz zzz"]) is None
    assert token_losses(transferscore.encoders.CallableEncoder(len), TEXTS) is None


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    """A GPT-2 trained for seconds on docstrings of the standard library, and some it never saw."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    texts = [text for name in ENGLISH for text in docstrings(name)]
    held_out = np.arange(len(texts)) % 6 == 0
    read = [text for text, out in zip(texts, held_out, strict=True) if not out]
    trained = Tokenizer(models.BPE(unk_token="[UNK]"))
    trained.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]"]
    trained.train_from_iterator(
        read, trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    )
    tokens = tokenizer(trained.model)
    folder = tmp_path_factory.mktemp("english")
    encoder = saved(folder, trained_gpt2(tokens, read), tokens)
    return encoder, [text for text, out in zip(texts, held_out, strict=True) if out]


def docstrings(name):
    module = importlib.import_module(name)
    owners = [v for v in vars(module).values() if getattr(v, "__module__", "") == name]
    owners += [f for owner in owners if isinstance(owner, type) for f in vars(owner).values()]
    documented = [owner.__doc__ for owner in owners if isinstance(owner.__doc__, str)]
    return [" ".join(text.split()) for text in documented if len(text) > 40]


def trained_gpt2(tokens, texts):
    torch.manual_seed(0)
    ids = np.concatenate([[*row, 1] for row in tokens(texts)["input_ids"]])
    config = transformers.GPT2Config(
        vocab_size=len(tokens), n_embd=48, n_layer=1, n_head=2, n_positions=128
    )
    model = transformers.GPT2LMHeadModel(config).train()
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    draws = np.random.default_rng(0)
    for _ in range(150):
        starts = draws.integers(0, len(ids) - 33, 16)
        batch = torch.from_numpy(np.stack([ids[i : i + 32] for i in starts]))
        model(input_ids=batch, labels=batch).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model


def test_a_model_of_english_tells_english_from_its_words_in_any_order(english):
    encoder, texts = english
    near = perplexity_distance(token_losses(encoder, texts))
    draws = np.random.default_rng(0)
    shuffled = [" ".join(draws.permutation(text.split())) for text in texts]
    far = perplexity_distance(token_losses(encoder, shuffled))
    assert near.value < 0.7
    assert far.value > near.value + 0.1
    assert near.permuted_perplexity > 5 * near.perplexity


def test_a_masked_model_tells_what_it_was_trained_on(tmp_path):
    torch.manual_seed(0)
    wide = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = transformers.BertForMaskedLM(transformers.BertConfig(**BERT | wide | still)).train()
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    for _ in range(300):
        true = 5 + (torch.randint(0, 8, (32, 1)) + torch.arange(16)) % 8
        at = torch.rand(true.shape) < 0.2
        labels = true.masked_fill(~at, -100)
        model(input_ids=true.masked_fill(at, 4), labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    encoder = saved(tmp_path, model, words(encloses=True))
    up = [" ".join("abcdefgh"[(i + k) % 8] for i in range(14)) for k in range(8)]
    near = perplexity_distance(token_losses(encoder, up))
    far = perplexity_distance(token_losses(encoder, [text[::-1] for text in up]))
    assert near.value < 0.75
    assert far.value > near.value + 0.2


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (0.64, "low"),
        (0.65, "moderate"),
        (0.79, "moderate"),
        (0.80, "high"),
        (0.94, "high"),
        (0.95, "very high"),
        (1.30, "very high"),
    ],
)
def test_the_levels(value, level):
    assert perplexity_distance(losses([value], [1.0], [1])).level == level


def test_a_ranking_shows_it_keeps_it_and_is_silent_where_there_is_none(tmp_path, monkeypatch):
    gpt2(tmp_path / "gpt2")
    bert(tmp_path / "bert", transformers.BertModel)
    models = [f"hf:{tmp_path / name}" for name in ("gpt2", "bert")]
    texts = ["a b c d e f"] * 12 + ["h g f e d c"] * 12
    options = {"labels": [0] * 12 + [1] * 12, "cache": tmp_path / "cache", "baseline": False}
    ranking = transferscore.rank(texts, models, **options)
    assert not ranking.failures
    found = {c["model"]: c["distance"] for c in ranking.to_dict()["candidates"]}
    assert found[models[1]] is None
    assert found[models[0]]["name"] == "perplexity"
    assert found[models[0]]["rests_on"] == (
        "its causal language-model head on 80 tokens of 16 texts, against the same tokens permuted"
    )
    assert not any("distance" in warning for warning in ranking.warnings)

    def never(*_):
        raise AssertionError("the model was asked again")

    monkeypatch.setattr("transferscore.ranking.distance_from_source.token_losses", never)
    again = transferscore.rank(texts, models, scores="knn", **options)
    assert {c["model"]: c["distance"] for c in again.to_dict()["candidates"]} == found


def test_what_goes_wrong_is_a_note_and_never_a_failure(tmp_path, monkeypatch):
    def fails(*_):
        raise EncoderError("the head is made of cheese")

    gpt2(tmp_path)
    monkeypatch.setattr(HfEncoder, "language_model", fails)
    texts = ["a b c d e f"] * 12 + ["h g f e d c"] * 12
    ranking = transferscore.rank(
        texts, f"hf:{tmp_path}", labels=[0] * 12 + [1] * 12, cache=False, baseline=False
    )
    assert ranking.best.distance is None
    assert not ranking.failures
    assert "not computed: the head is made of cheese" in " ".join(ranking.warnings)
