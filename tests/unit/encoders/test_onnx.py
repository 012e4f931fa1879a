from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from transferscore.encoders import OnnxEncoder
from transferscore.errors import EncoderError, MissingExtraError

RNG = np.random.default_rng(0)
W = RNG.normal(size=(4, 3)).astype(np.float32)
V = RNG.normal(size=(3, 2)).astype(np.float32)
B = RNG.normal(size=2).astype(np.float32)
ROWS = RNG.normal(size=(5, 4)).astype(np.float32)
HIDDEN = np.tanh(ROWS @ W)
LOGITS = HIDDEN @ V + B


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def classifier(build_onnx, tail=(), outputs=("out",), scale=1, **options):
    last = outputs[0]
    steps = [
        ("MatMul", ["x", "w"], "a"),
        ("Tanh", ["a"], "h"),
        ("MatMul", ["h", "v"], "b"),
        ("Add", ["b", "bias"], last if not tail else "c"),
        *tail,
    ]
    inputs = {"x": ("FLOAT", ["n", 4])}
    weights = {"w": W, "v": np.float32(scale) * V, "bias": B}
    return build_onnx(steps, inputs=inputs, outputs=list(outputs), weights=weights, **options)


def test_features_are_what_goes_into_the_classifier(build_onnx):
    encoding = encode(OnnxEncoder(classifier(build_onnx)), list(ROWS))
    assert_allclose(encoding.features, HIDDEN, atol=1e-6)
    assert_allclose(encoding.logits, LOGITS, atol=1e-6)


def test_a_softmax_gives_the_logarithm_of_its_probabilities(build_onnx):
    tail = [("Softmax", ["c"], "s"), ("Identity", ["s"], "out")]
    encoding = encode(OnnxEncoder(classifier(build_onnx, tail)), list(ROWS))
    assert_allclose(encoding.features, HIDDEN, atol=1e-6)
    expected = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
    assert_allclose(encoding.logits, expected, atol=1e-5)


def test_a_probability_of_zero_has_a_finite_logarithm(build_onnx):
    tail = [("Softmax", ["c"], "out")]
    path = classifier(build_onnx, tail, scale=1e4)
    logits = encode(OnnxEncoder(path), list(ROWS)).logits
    assert np.isfinite(logits).all()
    assert logits.min() == pytest.approx(np.log(np.finfo(np.float32).tiny))


def test_a_linear_map_of_the_input_is_no_classifier(build_onnx):
    path = build_onnx(
        [("MatMul", ["x", "w"], "out")],
        inputs={"x": ("FLOAT", [None, 4])},
        outputs=["out"],
        weights={"w": W},
    )
    encoding = encode(OnnxEncoder(path), list(ROWS))
    assert_allclose(encoding.features, ROWS @ W, atol=1e-6)
    assert encoding.logits is None


def test_a_graph_without_classifier_gives_its_output(build_onnx):
    steps = [("MatMul", ["x", "w"], "a"), ("Tanh", ["a"], "out")]
    path = build_onnx(steps, inputs={"x": ("FLOAT", [None, 4])}, outputs=["out"], weights={"w": W})
    encoding = encode(OnnxEncoder(path), list(ROWS))
    assert_allclose(encoding.features, HIDDEN, atol=1e-6)
    assert encoding.logits is None


def test_an_addition_of_two_branches_is_no_bias(build_onnx):
    steps = [("MatMul", ["x", "w"], "a"), ("Tanh", ["a"], "t"), ("Add", ["a", "t"], "out")]
    path = build_onnx(steps, inputs={"x": ("FLOAT", [None, 4])}, outputs=["out"], weights={"w": W})
    encoding = encode(OnnxEncoder(path), list(ROWS))
    assert_allclose(encoding.features, ROWS @ W + HIDDEN, atol=1e-6)


def test_dequantised_weights_are_constant(build_onnx):
    whole = np.clip(np.round(V * 50), -127, 127).astype(np.int8)
    scale = np.array(0.02, np.float32)
    steps = [
        ("MatMul", ["x", "w"], "a"),
        ("Tanh", ["a"], "h"),
        ("DequantizeLinear", ["q", "scale"], "v"),
        ("Gemm", ["h", "v", "bias"], "out"),
    ]
    weights = {"w": W, "q": whole, "scale": scale, "bias": B}
    path = build_onnx(steps, inputs={"x": ("FLOAT", [None, 4])}, outputs=["out"], weights=weights)
    encoding = encode(OnnxEncoder(path), list(ROWS))
    assert_allclose(encoding.features, HIDDEN, atol=1e-6)
    assert_allclose(encoding.logits, HIDDEN @ (whole * scale) + B, atol=1e-5)


def test_any_inner_tensor_can_be_named(build_onnx):
    path = classifier(build_onnx)
    encoding = encode(OnnxEncoder(path, output="a"), list(ROWS))
    assert_allclose(encoding.features, ROWS @ W, atol=1e-5)
    assert_allclose(encoding.logits, LOGITS, atol=1e-6)


def test_a_tensor_that_is_not_there(build_onnx):
    path = classifier(build_onnx)
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path, output="z").prepare(list(ROWS))
    assert str(raised.value) == (f"`onnx:{path}#z` has no tensor named 'z'; its outputs are out.")


def test_external_weights_are_found_and_digested(build_onnx, tmp_path):
    path = classifier(build_onnx, external=True)
    files = [file for file in tmp_path.iterdir() if file != path]
    assert len(files) == 1
    encoder = OnnxEncoder(path)
    before = encoder.digest()
    assert_allclose(encode(encoder, list(ROWS)).features, HIDDEN, atol=1e-6)
    content = bytearray(files[0].read_bytes())
    content[0] ^= 1
    files[0].write_bytes(content)
    assert encoder.digest() != before


def test_inner_tensors_need_the_package_onnx(build_onnx, monkeypatch):
    path = classifier(build_onnx)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError) as raised:
        OnnxEncoder(path).prepare(list(ROWS))
    assert str(raised.value) == (
        f"Taking features from inside `onnx:{path}`, which has no output named `features`, needs "
        f"the package 'onnx', which is not installed. Install it with: "
        f"pip install 'transferscore[onnx]'"
    )


def test_onnx_models_need_onnxruntime(build_onnx, monkeypatch):
    path = classifier(build_onnx)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'transferscore\[onnx\]'"):
        OnnxEncoder(path).prepare(list(ROWS))


def test_a_fixed_batch_size_is_respected(build_onnx):
    steps = [("MatMul", ["x", "w"], "a"), ("Tanh", ["a"], "features")]
    path = build_onnx(
        steps, inputs={"x": ("FLOAT", [2, 4])}, outputs=["features"], weights={"w": W}
    )
    for n in (1, 2, 3, 5):
        encoding = encode(OnnxEncoder(path), list(ROWS[:n]))
        assert_allclose(encoding.features, HIDDEN[:n], atol=1e-6)


def image_model(build_onnx, shape, kind="FLOAT", **options):
    """Features: the image itself, as float, pooled by the encoder."""
    return build_onnx(
        [("Cast", ["x"], "features", {"to": 1})],
        inputs={"x": (kind, shape)},
        outputs=["features"],
        **options,
    )


@pytest.mark.parametrize("shape", [["n", 3, 6, 4], ["n", 6, 4, 3]], ids=["NCHW", "NHWC"])
def test_layout_and_size_come_from_the_input(build_onnx, images, shape):
    path = image_model(build_onnx, shape)
    encoder = OnnxEncoder(path)
    assert encoder.prepare(images).shape == (5, *shape[1:])
    expected = [image.pixels((6, 4)).mean((0, 1)) / 255 for image in images]
    assert_allclose(encode(encoder, images).features, expected, atol=1e-6)


def test_uint8_inputs_take_pixels_as_they_are(build_onnx, images):
    path = image_model(build_onnx, ["n", 3, 6, 4], "UINT8")
    batch = OnnxEncoder(path).prepare(images)
    assert batch.dtype == np.uint8
    assert_array_equal(batch[0], images[0].pixels((6, 4)).transpose(2, 0, 1))


def test_grey_inputs_take_luminance(build_onnx, images):
    path = image_model(build_onnx, ["n", 1, 6, 4])
    batch = OnnxEncoder(path).prepare(images)
    expected = images[0].pixels((6, 4)) @ np.array([0.299, 0.587, 0.114]) / 255
    assert_allclose(batch[0, 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("metadata", "size", "expected"),
    [
        (None, None, (224, 224)),
        ({"native_resolution": "20"}, None, (20, 20)),
        ({"native_resolution": "20x30"}, None, (20, 30)),
        ({"native_resolution": "20"}, 8, (8, 8)),
    ],
)
def test_size_of_images_where_the_input_leaves_it_open(
    build_onnx, images, metadata, size, expected
):
    path = image_model(build_onnx, ["n", 3, "h", "w"], metadata=metadata)
    assert OnnxEncoder(path, size=size).prepare(images).shape == (5, 3, *expected)


def test_a_native_resolution_that_is_none(build_onnx, images):
    path = image_model(build_onnx, ["n", 3, "h", "w"], metadata={"native_resolution": "large"})
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path).prepare(images)
    assert str(raised.value) == (
        f"The metadata `native_resolution` of `onnx:{path}` must be pixels such as 224 or "
        f"224x320; got 'large'. Set the size with `?size=`."
    )


def test_arrays_of_another_shape_are_refused(build_onnx):
    path = image_model(build_onnx, ["n", 3, "h", 4])
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path).prepare(list(ROWS))
    assert str(raised.value) == (
        f"`onnx:{path}` takes images of shape (3, any, 4) a sample; got arrays of shape (4,)."
    )


def test_array_images_go_in_as_they_are(build_onnx):
    path = image_model(build_onnx, ["n", 3, "h", "w"])
    rows = RNG.normal(size=(2, 3, 5, 7))
    assert_allclose(encode(OnnxEncoder(path), list(rows)).features, rows.mean((2, 3)), atol=1e-6)


def test_models_of_several_inputs_are_refused(build_onnx):
    path = build_onnx(
        [("Add", ["x", "y"], "features")],
        inputs={"x": ("FLOAT", [None, 4]), "y": ("FLOAT", [None, 4])},
        outputs=["features"],
    )
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path).prepare(list(ROWS))
    assert str(raised.value) == (
        f"`onnx:{path}` must have one input of numbers; it has x: tensor(float), "
        f"y: tensor(float). Export the model with one input, or pass it as a callable."
    )


def test_features_of_five_dimensions_are_refused(build_onnx, images):
    path = build_onnx(
        [("Unsqueeze", ["x", "axis"], "features")],
        inputs={"x": ("FLOAT", [None, 3, 6, 4])},
        outputs=["features"],
        weights={"axis": np.array([1])},
    )
    with pytest.raises(EncoderError) as raised:
        encode(OnnxEncoder(path), images)
    assert str(raised.value) == (
        f"The features of `onnx:{path}` must have shape (b, d), (b, t, d) or (b, d, h, w); "
        f"got (5, 1, 3, 6, 4). Name another tensor with `#name`."
    )


def test_one_logit_says_nothing(build_onnx):
    steps = [
        ("Identity", ["x"], "features"),
        ("ReduceMean", ["x"], "logits", {"axes": [1], "keepdims": 1}),
    ]
    path = build_onnx(steps, inputs={"x": ("FLOAT", [None, 4])}, outputs=["features", "logits"])
    assert encode(OnnxEncoder(path), list(ROWS)).logits is None


def test_failures_write_nothing_to_standard_error(build_onnx, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(classifier(build_onnx).read_bytes()[:100])
    program = (
        "from transferscore.encoders import OnnxEncoder\n"
        "from transferscore.errors import EncoderError\n"
        "try:\n"
        f"    OnnxEncoder({str(path)!r}).prepare(['a'])\n"
        "except EncoderError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.startswith(f"`onnx:{path}` could not be loaded: ")
    assert done.stdout.count("\n") == 1
