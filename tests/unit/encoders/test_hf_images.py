from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import HfEncoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def image_folder(tmp_path, model_class, config):
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    torch.manual_seed(0)
    model = model_class(config).eval()
    model.save_pretrained(tmp_path)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    return model


TEXT = {
    "vocab_size": 6,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}
VIT = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": 32,
    "patch_size": 16,
}


def image_output(model, folder, images):
    pixels = HfEncoder(str(folder)).prepare(images).inputs["pixel_values"]
    with torch.no_grad():
        return model(torch.from_numpy(pixels))


def test_images_of_a_vit_give_the_cls_token_and_not_its_dense_pooler(tmp_path, images):
    model = image_folder(tmp_path, transformers.ViTModel, transformers.ViTConfig(**VIT))
    output = image_output(model, tmp_path, images)
    assert output.pooler_output is not None
    features = encode(HfEncoder(str(tmp_path)), images).features
    assert_allclose(features, output.last_hidden_state[:, 0], atol=1e-5)
    mean = encode(HfEncoder(str(tmp_path), pooling="mean"), images).features
    assert_allclose(mean, output.last_hidden_state.mean(1), atol=1e-5)


@pytest.mark.parametrize("family", ["ResNet", "ConvNext", "Swin"])
def test_images_give_the_plain_pooling_of_the_model(tmp_path, images, family):
    options = {
        "ResNet": {"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1]},
        "ConvNext": {"hidden_sizes": [4, 8], "depths": [1, 1], "num_stages": 2},
        "Swin": {
            "image_size": 32,
            "patch_size": 4,
            "embed_dim": 8,
            "depths": [1, 1],
            "num_heads": [2, 2],
            "window_size": 2,
        },
    }[family]
    config = getattr(transformers, f"{family}Config")(**options)
    model = image_folder(tmp_path, getattr(transformers, f"{family}Model"), config)
    output = image_output(model, tmp_path, images)
    features = encode(HfEncoder(str(tmp_path)), images).features
    assert_allclose(features, output.pooler_output.flatten(1), atol=1e-5)


def test_of_clip_the_tower_for_the_samples_is_used(tmp_path, images, word_tokenizer):
    config = transformers.CLIPConfig(
        text_config={**TEXT, "eos_token_id": 5, "bos_token_id": 2, "pad_token_id": 0},
        vision_config=VIT,
        projection_dim=4,
    )
    model = image_folder(tmp_path, transformers.CLIPModel, config)
    word_tokenizer().save_pretrained(tmp_path)
    encoder = HfEncoder(str(tmp_path))
    output = image_output(model.vision_model, tmp_path, images)
    assert_allclose(encode(encoder, images).features, output.pooler_output, atol=1e-5)
    ids = torch.tensor([[2, 3, 4, 5]])
    with torch.no_grad():
        expected = model.text_model(input_ids=ids).pooler_output
    assert_allclose(encode(encoder, ["a b c d", "b"]).features[:1], expected, atol=1e-5)
