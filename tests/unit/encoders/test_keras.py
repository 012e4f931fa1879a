from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import KerasEncoder, resolve_encoder
from transferscore.errors import EncoderError

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def save(path, *layers, shape=(16, 16, 3)):
    keras.utils.set_random_seed(0)
    with keras.device("cpu"):
        model = keras.Sequential([keras.Input(shape), *layers])
        model.save(path)
    return model


def convolutional(path, *first, activation="softmax"):
    return save(
        path,
        *first,
        keras.layers.Conv2D(4, 3, name="conv"),
        keras.layers.BatchNormalization(),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.Dense(5, activation=activation),
    )


def output(model, layer, pixels):
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    return np.asarray(part(pixels, training=False).detach().cpu())


def test_features_are_what_goes_into_the_classifier(tmp_path, images):
    model = convolutional(tmp_path / "m.keras")
    encoding = encode(resolve_encoder(f"{tmp_path}/m.keras", device="cpu"), images)
    pixels = np.stack([image.pixels((16, 16)) for image in images]) / np.float32(255)
    assert_allclose(encoding.features, output(model, "pool", pixels), atol=1e-5)
    probabilities = np.exp(encoding.logits)
    expected = np.asarray(model(pixels, training=False).detach().cpu())
    assert_allclose(probabilities, expected, atol=1e-5)


def test_a_layer_may_be_named_and_is_pooled_over_space(tmp_path, images):
    model = convolutional(tmp_path / "m.keras")
    pixels = np.stack([image.pixels((16, 16)) for image in images]) / np.float32(255)
    states = output(model, "conv", pixels)
    for pooling, expected in (("auto", states.mean((1, 2))), ("max", states.max((1, 2)))):
        encoder = KerasEncoder(tmp_path / "m.keras", output="conv", pooling=pooling)
        assert_allclose(encode(encoder, images).features, expected, atol=1e-5)
    with pytest.raises(EncoderError, match="no layer named 'head'; its layers: conv, "):
        encode(KerasEncoder(tmp_path / "m.keras", output="head"), images)


@pytest.mark.parametrize(
    ("scale", "factor", "offset"), [(None, 1, 0), ("255", 255, 0), ("-1", 2, -1)]
)
def test_pixels_are_in_the_range_that_is_asked_for(tmp_path, images, scale, factor, offset):
    convolutional(tmp_path / "m.keras")
    batch = KerasEncoder(tmp_path / "m.keras", scale=scale).prepare(images)
    pixels = np.stack([image.pixels((16, 16)) for image in images]) / np.float32(255)
    assert_allclose(batch, pixels * factor + offset, atol=1e-4)


def test_a_model_that_scales_pixels_itself_gets_them_as_they_are(tmp_path, images):
    convolutional(tmp_path / "m.keras", keras.layers.Rescaling(1 / 255))
    batch = KerasEncoder(tmp_path / "m.keras").prepare(images)
    assert_allclose(batch, np.stack([image.pixels((16, 16)) for image in images]))


@pytest.mark.parametrize(("activation", "has_logits"), [("linear", True), ("sigmoid", False)])
def test_a_sigmoid_says_nothing_of_classes_that_exclude_each_other(
    tmp_path, images, activation, has_logits
):
    convolutional(tmp_path / "m.keras", activation=activation)
    assert (encode(KerasEncoder(tmp_path / "m.keras"), images).logits is not None) == has_logits


def test_arrays_and_a_model_without_classifier(tmp_path):
    model = save(tmp_path / "m.keras", keras.layers.Dense(6, activation="relu"), shape=(8,))
    rows = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    encoding = encode(KerasEncoder(tmp_path / "m.keras"), rows)
    assert_allclose(encoding.features, model(rows).detach().cpu(), atol=1e-6)
    assert encoding.logits is None


def test_a_saved_model_is_told_how_to_become_one_that_runs(tmp_path):
    (tmp_path / "saved_model.pb").touch()
    for ask in (lambda e: e.digest(), lambda e: e.prepare([np.zeros(3)])):
        with pytest.raises(EncoderError) as raised:
            ask(KerasEncoder(tmp_path))
        assert str(raised.value) == (
            f"`keras:{tmp_path}` is a TensorFlow SavedModel, which only TensorFlow can run. "
            f"Convert it there with `python -m tf2onnx.convert --saved-model {tmp_path} --output "
            f"model.onnx`, then use `onnx:model.onnx`; or save the model itself with "
            f"`model.save('model.keras')`."
        )


def test_the_old_format_is_refused(tmp_path):
    (tmp_path / "m.h5").touch()
    with pytest.raises(EncoderError, match="is in the old HDF5 format, which may hold code"):
        KerasEncoder(tmp_path / "m.h5").prepare([np.zeros(3)])


def with_config(path, change):
    """The file with another config, its weights as they were."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["config.json"] = json.dumps(change(json.loads(content["config.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_classes_that_are_not_keras_own_are_refused(tmp_path, images):
    convolutional(tmp_path / "m.keras")

    def change(config):
        config["config"]["layers"][1] |= {"module": "os", "class_name": "system"}
        return config

    with_config(tmp_path / "m.keras", change)
    with pytest.raises(EncoderError, match="needs the class 'system' of 'os', which is not Keras'"):
        encode(KerasEncoder(tmp_path / "m.keras"), images)


def test_code_in_a_lambda_layer_is_refused(tmp_path, images):
    save(tmp_path / "m.keras", keras.layers.Lambda(lambda x: x * 2), keras.layers.Flatten())
    with pytest.raises(EncoderError, match="holds code in a Lambda layer, which is not run"):
        encode(KerasEncoder(tmp_path / "m.keras"), images)


def test_a_file_cut_in_half_is_named(tmp_path, images):
    convolutional(tmp_path / "m.keras")
    file = tmp_path / "m.keras"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(EncoderError, match=r"^`keras:.*` could not be loaded: "):
        encode(KerasEncoder(file), images)


def test_another_backend_is_an_error_that_says_what_to_set(tmp_path):
    (tmp_path / "m.keras").touch()
    program = (
        "import sys, types\n"
        "keras = types.ModuleType('keras')\n"
        "keras.backend = types.SimpleNamespace(backend=lambda: 'jax')\n"
        "sys.modules['keras'] = keras\n"
        "from transferscore.encoders import KerasEncoder\n"
        f"KerasEncoder({str(tmp_path / 'm.keras')!r}).prepare([])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "imported with the backend 'jax'. Set KERAS_BACKEND=torch before" in done.stderr


def test_a_scale_that_does_not_exist(tmp_path):
    with pytest.raises(EncoderError) as raised:
        KerasEncoder(tmp_path / "m.keras", scale="0.5")
    assert str(raised.value) == "`scale` must be one of 1, 255, -1; got '0.5'."


def test_the_options_are_in_the_digest(tmp_path):
    convolutional(tmp_path / "m.keras")
    options = [{}, {}, {"scale": "255"}, {"size": 20}, {"output": "conv"}, {"pooling": "max"}]
    digests = [KerasEncoder(tmp_path / "m.keras", **option).digest() for option in options]
    assert len(set(digests)) == 5
