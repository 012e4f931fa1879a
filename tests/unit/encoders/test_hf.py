from __future__ import annotations

import json
import logging
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.unit.encoders.conftest import BERT
from transferscore.encoders import HfEncoder
from transferscore.encoders.hf_folder import ModelFolder
from transferscore.errors import EncoderError, MissingExtraError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["[PAD]", "[UNK]", "a", "b", "c", "d"]
TEXTS = ["a b c d", "b", "d c"]
GPT2 = {"vocab_size": 6, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 16}


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


@pytest.fixture
def save(tmp_path, word_tokenizer):
    """Writes a model with weights of a fixed seed and a tokenizer of words; gives the model."""

    def write(model_class, config, tokenizer=True, **tokenizer_options):
        torch.manual_seed(0)
        model = model_class(config).eval()
        model.save_pretrained(tmp_path)
        if tokenizer:
            word_tokenizer(**tokenizer_options).save_pretrained(tmp_path)
        return model

    return write


def states(model, text, layer=-1):
    """`(t, d)` hidden states of one text, run alone and without padding."""
    ids = torch.tensor([[WORDS.index(word) for word in text.split()]])
    with torch.no_grad():
        output = model(input_ids=ids, output_hidden_states=True)
    return output.hidden_states[layer][0].numpy()


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [
        ("auto", lambda tokens: tokens.mean(0)),
        ("mean", lambda tokens: tokens.mean(0)),
        ("max", lambda tokens: tokens.max(0)),
        ("cls", lambda tokens: tokens[0]),
        ("last", lambda tokens: tokens[-1]),
    ],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_pooling_of_text_leaves_padding_out(save, tmp_path, pooling, pool, side):
    model = save(transformers.GPT2Model, transformers.GPT2Config(**GPT2), padding_side=side)
    features = encode(HfEncoder(str(tmp_path), pooling=pooling), TEXTS).features
    expected = [pool(states(model, text)) for text in TEXTS]
    assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1, -2, -3])
def test_a_hidden_layer(save, tmp_path, layer):
    model = save(transformers.BertModel, transformers.BertConfig(**BERT))
    features = encode(HfEncoder(str(tmp_path), layer=layer), TEXTS).features
    assert_allclose(features, [states(model, text, layer).mean(0) for text in TEXTS], atol=1e-5)


def test_a_layer_that_is_not_there(save, tmp_path):
    save(transformers.BertModel, transformers.BertConfig(**BERT))
    with pytest.raises(EncoderError) as raised:
        encode(HfEncoder(str(tmp_path), layer=3), TEXTS)
    assert str(raised.value) == (f"`layer` of `hf:{tmp_path}` must be between -3 and 2; got 3.")


def test_a_classifier_gives_logits_and_the_features_of_its_body(save, tmp_path):
    config = transformers.BertConfig(**BERT, num_labels=3)
    model = save(transformers.BertForSequenceClassification, config)
    encoding = encode(HfEncoder(str(tmp_path)), TEXTS)
    assert_allclose(
        encoding.features, [states(model.bert, text).mean(0) for text in TEXTS], atol=1e-5
    )
    ids = torch.tensor([[2, 3, 4, 5]])
    with torch.no_grad():
        expected = model(input_ids=ids).logits
    assert_allclose(encoding.logits[:1], expected, atol=1e-5)


def test_of_an_encoder_decoder_the_encoder_is_used(save, tmp_path):
    config = transformers.T5Config(
        vocab_size=6, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2
    )
    model = save(transformers.T5ForConditionalGeneration, config)
    encoding = encode(HfEncoder(str(tmp_path)), TEXTS)
    expected = [states(model.get_encoder(), text).mean(0) for text in TEXTS]
    assert_allclose(encoding.features, expected, atol=1e-5)
    assert encoding.logits is None


def test_texts_are_cut_to_the_positions_of_the_model(save, tmp_path):
    save(transformers.BertModel, transformers.BertConfig(**BERT))
    encoder = HfEncoder(str(tmp_path))
    assert encoder.prepare(["a " * 100]).inputs["input_ids"].shape == (1, 16)


@pytest.mark.parametrize(
    ("config", "tokenizer_limit", "files", "limit"),
    [
        ({}, 10**30, {}, 512),
        ({"n_positions": 1024}, 10**30, {}, 1024),
        ({"max_position_embeddings": 512}, 128, {}, 128),
        (
            {"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1},
            10**30,
            {},
            512,
        ),
        (
            {"max_position_embeddings": 512},
            512,
            {"sentence_bert_config.json": {"max_seq_length": 256}},
            256,
        ),
    ],
)
def test_longest_text_is_the_least_of_what_is_stated(
    tmp_path, config, tokenizer_limit, files, limit
):
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    assert ModelFolder(tmp_path, config).text_limit(tokenizer_limit) == limit


def test_a_sentence_transformers_folder_states_its_pooling(save, tmp_path):
    model = save(transformers.BertModel, transformers.BertConfig(**BERT))
    encoder = HfEncoder(str(tmp_path))
    before = encoder.digest()
    (tmp_path / "1_Pooling").mkdir()
    stated = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (tmp_path / "1_Pooling/config.json").write_text(json.dumps(stated))
    assert_allclose(encode(encoder, ["b c"]).features, [states(model, "b c")[0]], atol=1e-5)
    assert encoder.digest() != before


def test_a_tokenizer_without_padding_token_pads_with_its_end(save, tmp_path):
    model = save(
        transformers.GPT2Model, transformers.GPT2Config(**GPT2), pad_token=None, eos_token="d"
    )
    features = encode(HfEncoder(str(tmp_path)), TEXTS).features
    assert_allclose(features, [states(model, text).mean(0) for text in TEXTS], atol=1e-5)


def test_missing_weights_are_not_drawn_at_random(save, tmp_path):
    save(transformers.BertModel, transformers.BertConfig(**BERT))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(EncoderError) as raised:
        encode(HfEncoder(str(tmp_path)), TEXTS)
    assert str(raised.value) == (
        f"`hf:{tmp_path}` lacks 16 of its model's weights (first: "
        f"encoder.layer.2.attention.output.LayerNorm.bias), so its features would be random. "
        f"Check that `config.json` belongs to the weights."
    )


def test_half_precision_weights_run_in_float32(save, tmp_path):
    model = save(transformers.BertModel, transformers.BertConfig(**BERT))
    model.half().save_pretrained(tmp_path)
    features = encode(HfEncoder(str(tmp_path), device="cpu", precision="bf16"), TEXTS).features
    expected = [states(model.float(), text).mean(0) for text in TEXTS]
    assert_allclose(features, expected, atol=1e-5)


def test_pickled_weights_are_read_without_unpickling_objects(save, tmp_path):
    import os

    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    model = save(transformers.BertModel, transformers.BertConfig(**BERT))
    (tmp_path / "model.safetensors").unlink()
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    torch.save(weights, tmp_path / "pytorch_model.bin")
    features = encode(HfEncoder(str(tmp_path)), TEXTS).features
    assert_allclose(features[1], states(model, TEXTS[1]).mean(0), atol=1e-5)
    torch.save(weights | {"harm": Harm()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="could not be loaded"):
        encode(HfEncoder(str(tmp_path)), TEXTS)
    assert not (tmp_path / "harm").exists()


def test_remote_code_is_never_run(save, tmp_path):
    save(transformers.BertModel, transformers.BertConfig(**BERT))
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'harm')!r}, 'w')")
    with pytest.raises(EncoderError) as raised:
        encode(HfEncoder(str(tmp_path)), TEXTS)
    assert str(raised.value) == (
        f"`hf:{tmp_path}` needs code that comes with it (own.Config), which is not run unless you "
        f"trust it: read that code, then name the model in `--trust-remote-code` or "
        f"`trust_remote_code=[...]`."
    )
    assert not (tmp_path / "harm").exists()


def test_loading_is_silent_and_leaves_logging_as_it_was(save, tmp_path, capfd):
    from transformers.utils import logging as hf_logging

    save(transformers.BertForMaskedLM, transformers.BertConfig(**BERT))  # no pooler: a warning
    capfd.readouterr()
    root = logging.getLogger()
    before = (
        hf_logging.get_verbosity(),
        hf_logging.is_progress_bar_enabled(),
        list(root.handlers),
        root.level,
        list(warnings.filters),
    )
    encode(HfEncoder(str(tmp_path)), TEXTS)
    assert capfd.readouterr() == ("", "")
    assert before == (
        hf_logging.get_verbosity(),
        hf_logging.is_progress_bar_enabled(),
        list(root.handlers),
        root.level,
        list(warnings.filters),
    )


def test_grad_mode_is_restored(save, tmp_path):
    save(transformers.BertModel, transformers.BertConfig(**BERT))
    encode(HfEncoder(str(tmp_path)), TEXTS)
    assert torch.is_grad_enabled()


def test_kinds_of_samples_that_a_folder_cannot_read(save, tmp_path, images):
    save(transformers.BertModel, transformers.BertConfig(**BERT))
    for samples, got in ((images, "images"), ([np.zeros(3)], "arrays")):
        with pytest.raises(EncoderError) as raised:
            HfEncoder(str(tmp_path)).prepare(samples)
        assert str(raised.value) == f"`hf:{tmp_path}` takes text; got {got}."


def test_a_folder_without_tokenizer_or_processor(save, tmp_path):
    save(transformers.BertModel, transformers.BertConfig(**BERT), tokenizer=False)
    with pytest.raises(EncoderError) as raised:
        HfEncoder(str(tmp_path)).prepare(TEXTS)
    assert str(raised.value) == (
        f"`hf:{tmp_path}` has neither a tokenizer nor an image processor nor a feature extractor; "
        f"save it into the folder `{tmp_path}` with `save_pretrained`."
    )


def test_a_folder_without_config(tmp_path):
    with pytest.raises(EncoderError, match="must be a transformers folder with a readable `config"):
        HfEncoder(str(tmp_path)).digest()


def test_a_path_that_leads_nowhere_is_no_name_on_the_hub(tmp_path):
    with pytest.raises(EncoderError) as raised:
        HfEncoder(f"{tmp_path}/nothing").digest()
    assert str(raised.value) == (
        f"There is no folder `{tmp_path}/nothing`; check the path of the model."
    )


def test_offline_a_hub_name_is_looked_up_in_the_cache_only(monkeypatch, tmp_path):
    import huggingface_hub

    asked = {}

    def snapshot(name, **options):
        asked.update(options, name=name)
        raise FileNotFoundError("not cached")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "1")
    with pytest.raises(EncoderError) as raised:
        HfEncoder("org/name", revision="v1").digest()
    assert str(raised.value) == (
        "`hf:org/name@v1` is neither a local folder nor to be had in the local cache (offline): "
        "not cached"
    )
    assert (asked["name"], asked["revision"], asked["local_files_only"]) == ("org/name", "v1", True)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(EncoderError, match="to be had on the Hugging Face hub: not cached"):
        HfEncoder("org/name").digest()
    assert asked["local_files_only"] is False


def test_a_hub_name_gives_its_snapshot(save, tmp_path, monkeypatch):
    import huggingface_hub

    save(transformers.BertModel, transformers.BertConfig(**BERT))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    hub, local = HfEncoder("org/name"), HfEncoder(str(tmp_path))
    assert hub.name == "hf:org/name"
    assert hub.digest() == local.digest()
    assert_allclose(encode(hub, TEXTS).features, encode(local, TEXTS).features)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"pooling": "median"},
            "`pooling` must be one of auto, cls, last, max, mean, pooler; got 'median'.",
        ),
        (
            {"precision": "int8"},
            "`precision` must be one of auto, float32, bf16, fp16; got 'int8'.",
        ),
    ],
)
def test_options_that_do_not_exist(option, message):
    with pytest.raises(EncoderError) as raised:
        HfEncoder("org/name", **option)
    assert str(raised.value) == message


def test_transformers_is_needed(save, tmp_path, monkeypatch):
    import sys

    save(transformers.BertModel, transformers.BertConfig(**BERT))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError) as raised:
        HfEncoder(str(tmp_path)).prepare(TEXTS)
    assert str(raised.value) == (
        f"The model `hf:{tmp_path}` needs the package 'transformers', which is not installed. "
        f"Install it with: pip install 'transferscore[hf]'"
    )
