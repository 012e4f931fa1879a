from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.unit.encoders.conftest import BERT
from transferscore.encoders import HfEncoder
from transferscore.errors import EncoderError, MissingExtraError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # of peft on transformers 5

TEXTS = ["a b c d", "b", "d c"]


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


@pytest.fixture
def base(tmp_path, word_tokenizer):
    torch.manual_seed(0)
    model = transformers.BertModel(transformers.BertConfig(**BERT)).eval()
    model.save_pretrained(tmp_path / "base")
    word_tokenizer().save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def adapted(base, task, n_labels=None):
    """A LoRA adapter with random weights, as peft saves it, and the model that it makes."""
    auto = {
        None: "AutoModel",
        "FEATURE_EXTRACTION": "AutoModel",
        "SEQ_CLS": "AutoModelForSequenceClassification",
    }[task]
    options = {} if n_labels is None else {"num_labels": n_labels}
    model = getattr(transformers, auto).from_pretrained(base, **options)
    config = peft.LoraConfig(task_type=task, r=2, target_modules=["query", "value"])
    model = peft.get_peft_model(model, config)
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora" in name or "modules_to_save" in name:
            weight.data.normal_()
    model.save_pretrained(base.parent / "adapter")
    return base.parent / "adapter", model.eval()


@pytest.mark.parametrize("task", [None, "FEATURE_EXTRACTION"])
def test_a_folder_of_an_adapter_is_its_base_with_the_adapter(base, task):
    adapter, model = adapted(base, task)
    features = encode(HfEncoder(str(adapter)), TEXTS).features
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([[2, 3, 4, 5]])).last_hidden_state.mean(1)
    assert_allclose(features[:1], expected, atol=1e-5)
    assert not np.allclose(features, encode(HfEncoder(str(base)), TEXTS).features)
    assert HfEncoder(str(adapter)).details() == {"base_model": str(base)}


def test_the_classifier_that_was_trained_with_it_gives_logits(base):
    adapter, model = adapted(base, "SEQ_CLS", 5)
    encoding = encode(HfEncoder(str(adapter)), TEXTS)
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([[2, 3, 4, 5]]), output_hidden_states=True)
    assert_allclose(encoding.logits[:1], expected.logits, atol=1e-5)
    assert_allclose(encoding.features[:1], expected.hidden_states[-1].mean(1), atol=1e-5)


def test_a_base_beside_the_adapter_is_found(base):
    adapter, _ = adapted(base, None)
    before = encode(HfEncoder(str(adapter)), TEXTS).features
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "../base"
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    assert_allclose(encode(HfEncoder(str(adapter)), TEXTS).features, before, atol=1e-6)


def test_base_and_adapter_are_in_the_digest(base):
    adapter, _ = adapted(base, None)
    seen = [HfEncoder(str(base)).digest()]
    for file in (adapter / "adapter_model.safetensors", base / "model.safetensors"):
        seen.append(HfEncoder(str(adapter)).digest())
        file.write_bytes(file.read_bytes()[:-4] + b"\0\1\2\3")
    seen.append(HfEncoder(str(adapter)).digest())
    assert len(set(seen)) == 4


def test_an_adapter_of_another_model_is_refused(base):
    adapter, _ = adapted(base, None)
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["target_modules"] = ["query"]
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(
        EncoderError, match=r"4 of the 8 weights of the adapter `hf:.*` belong to n"
    ):
        encode(HfEncoder(str(adapter)), TEXTS)


def test_an_adapter_that_names_no_base(base):
    adapter, _ = adapted(base, None)
    config = json.loads((adapter / "adapter_config.json").read_text())
    del config["base_model_name_or_path"]
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="does not name its base model; set `base_model_name_or"):
        HfEncoder(str(adapter)).digest()


def test_pickled_adapters_are_refused(base):
    adapter, _ = adapted(base, None)
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(
        EncoderError, match=r"must have its weights in `adapter_model\.safetensors`"
    ):
        encode(HfEncoder(str(adapter)), TEXTS)


def test_peft_is_needed(base, monkeypatch):
    import sys

    adapter, _ = adapted(base, None)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'transferscore\[peft\]'"):
        encode(HfEncoder(str(adapter)), TEXTS)
