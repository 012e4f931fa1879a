"""Speech and sound models against the library's own forward pass, one sound at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.datasets import AudioSample
from transferscore.encoders import HfEncoder
from transferscore.errors import EncoderError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

RNG = np.random.default_rng(0)
WAVES = [RNG.normal(scale=0.1, size=n).astype(np.float32) for n in (4000, 2500, 4000, 6100)]
SOUNDS = [AudioSample.from_array(wave, 16_000, f"sound {i}") for i, wave in enumerate(WAVES)]
SPEECH: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 10,
}
WHISPER: dict[str, Any] = {
    "vocab_size": 20,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_mel_bins": 16,
    "max_source_positions": 100,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
}


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def save(folder, model_class, config, extractor):
    torch.manual_seed(0)
    model = model_class(config).eval()
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return model


def own_output(model, extractor, wave):
    given = extractor(wave, sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        return model(**given, output_hidden_states=True)


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # WavLM's own
@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("family", ["Wav2Vec2", "Hubert", "WavLM"])
def test_speech_models_give_the_mean_over_the_frames_of_the_sound(tmp_path, family, norm):
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=norm == "layer")
    config = getattr(transformers, f"{family}Config")(**SPEECH, feat_extract_norm=norm)
    model = save(tmp_path, getattr(transformers, f"{family}Model"), config, extractor)
    encoding = encode(HfEncoder(str(tmp_path), layer=None), SOUNDS)
    for row, wave in enumerate(WAVES):
        output = own_output(model, extractor, wave)
        expected = output.last_hidden_state[0].mean(0)
        assert_allclose(encoding.features[row], expected, atol=2e-5)
        assert_allclose(encoding.layers[1][row], output.hidden_states[1][0].mean(0), atol=2e-5)


def test_a_model_for_transcription_gives_the_features_of_its_body(tmp_path):
    extractor = transformers.Wav2Vec2FeatureExtractor()
    model = save(
        tmp_path, transformers.Wav2Vec2ForCTC, transformers.Wav2Vec2Config(**SPEECH), extractor
    )
    encoding = encode(HfEncoder(str(tmp_path)), SOUNDS[:2])
    expected = own_output(model.wav2vec2, extractor, WAVES[0]).last_hidden_state.mean(1)
    assert_allclose(encoding.features[:1], expected, atol=2e-5)
    assert encoding.logits is None


def test_a_spectrogram_transformer_gives_what_its_classifier_sees(tmp_path):
    options = {"max_length": 64, "num_mel_bins": 16}
    config = transformers.ASTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        patch_size=8,
        frequency_stride=8,
        time_stride=8,
        num_labels=3,
        **options,
    )
    extractor = transformers.ASTFeatureExtractor(**options)
    model = save(tmp_path, transformers.ASTForAudioClassification, config, extractor)
    encoding = encode(HfEncoder(str(tmp_path)), SOUNDS)
    for row, wave in enumerate(WAVES):
        given = extractor(wave, sampling_rate=16_000, return_tensors="pt")
        with torch.no_grad():
            pooled = model.audio_spectrogram_transformer(**given).pooler_output[0]
            logits = model(**given).logits[0]
        assert_allclose(encoding.features[row], pooled, atol=2e-5)
        assert_allclose(encoding.logits[row], logits, atol=2e-5)


def test_of_whisper_the_encoders_frames_of_the_sound_are_averaged(tmp_path):
    extractor = transformers.WhisperFeatureExtractor(feature_size=16, chunk_length=2)
    model = save(
        tmp_path, transformers.WhisperModel, transformers.WhisperConfig(**WHISPER), extractor
    )
    encoding = encode(HfEncoder(str(tmp_path)), SOUNDS)
    for row, wave in enumerate(WAVES):
        output = own_output(model.get_encoder(), extractor, wave)
        # 16 000 values are 100 spectra, and two spectra are one frame of the encoder.
        n_spectra = -(-len(wave) // 160)
        n_frames = -(-n_spectra // 2)
        expected = output.last_hidden_state[0, :n_frames].mean(0)
        assert_allclose(encoding.features[row], expected, atol=2e-5)


def test_silence_and_a_click_are_sounds(tmp_path):
    extractor = transformers.Wav2Vec2FeatureExtractor()
    save(tmp_path, transformers.Wav2Vec2Model, transformers.Wav2Vec2Config(**SPEECH), extractor)
    silence = AudioSample.from_array(np.zeros(8000, dtype=np.float32), 16_000, "silence")
    click = AudioSample.from_array(np.ones(3, dtype=np.float32), 16_000, "click")
    features = encode(HfEncoder(str(tmp_path)), [silence, click]).features
    assert np.isfinite(features).all()


def test_texts_and_images_are_not_sounds(tmp_path, images):
    extractor = transformers.Wav2Vec2FeatureExtractor()
    save(tmp_path, transformers.Wav2Vec2Model, transformers.Wav2Vec2Config(**SPEECH), extractor)
    for samples, got in ((["a text"], "text"), (images, "images")):
        with pytest.raises(EncoderError) as raised:
            HfEncoder(str(tmp_path)).prepare(samples)
        assert str(raised.value) == f"`hf:{tmp_path}` takes sounds; got {got}."
