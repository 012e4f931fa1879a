from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import ExportEncoder
from transferscore.encoders.export_check import _is_plain_expression
from transferscore.errors import EncoderError

torch = pytest.importorskip("torch")
ROWS = np.random.default_rng(0).normal(size=(5, 4))


class Doubled(torch.nn.Module):
    def __init__(self, form):
        super().__init__()
        self.form = form

    def forward(self, x):
        double, treble = x * 2, x * 3
        return {
            "tensor": double,
            "pair": (double, treble),
            "mapping": {"features": double, "logits": treble, "other": x},
            "list of three": [x, x, x],
        }[self.form]


def save(tmp_path, form="tensor", shape=(2, 4), dynamic=True):
    batch = ({0: torch.export.Dim("n", min=1, max=64)},) if dynamic else None
    example = (torch.rand(shape),)
    program = torch.export.export(Doubled(form), example, dynamic_shapes=batch)
    path = tmp_path / "model.pt2"
    torch.export.save(program, path)
    return path


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


@pytest.mark.parametrize(
    ("form", "has_logits"), [("tensor", False), ("pair", True), ("mapping", True)]
)
def test_forms_of_output(tmp_path, form, has_logits):
    encoding = encode(ExportEncoder(save(tmp_path, form), device="cpu"), list(ROWS))
    assert_allclose(encoding.features, ROWS * 2, rtol=1e-6)
    assert (encoding.logits is not None) == has_logits
    if has_logits:
        assert_allclose(encoding.logits, ROWS * 3, rtol=1e-6)


def test_an_entry_of_a_mapping_can_be_named(tmp_path):
    path = save(tmp_path, "mapping")
    encoding = encode(ExportEncoder(path, output="other"), list(ROWS))
    assert_allclose(encoding.features, ROWS, rtol=1e-6)
    with pytest.raises(EncoderError) as raised:
        encode(ExportEncoder(path, output="none"), list(ROWS))
    assert str(raised.value) == (
        f"`export:{path}#none` returns no tensor named 'none'; it returns "
        f"['features', 'logits', 'other']."
    )


def test_only_mappings_have_names(tmp_path):
    path = save(tmp_path)
    with pytest.raises(EncoderError) as raised:
        encode(ExportEncoder(path, output="other"), list(ROWS))
    assert str(raised.value) == (
        f"`export:{path}#other` returns no mapping, so it has no output named 'other'."
    )


def test_other_outputs_are_refused(tmp_path):
    path = save(tmp_path, "list of three")
    with pytest.raises(EncoderError) as raised:
        encode(ExportEncoder(path), list(ROWS))
    assert str(raised.value) == (
        f"`export:{path}` must return a tensor of features, a pair (features, logits) or a "
        f"mapping with `features`; got list of 3 items."
    )


def test_a_fixed_batch_size_is_respected(tmp_path):
    encoder = ExportEncoder(save(tmp_path, "pair", dynamic=False))
    for n in (1, 2, 5):
        encoding = encode(encoder, list(ROWS[:n]))
        assert_allclose(encoding.features, ROWS[:n] * 2, rtol=1e-6)
        assert_allclose(encoding.logits, ROWS[:n] * 3, rtol=1e-6)


def test_images_have_the_size_that_was_exported(tmp_path, images):
    encoder = ExportEncoder(save(tmp_path, shape=(2, 3, 6, 4)))
    assert encoder.prepare(images).shape == (5, 3, 6, 4)
    expected = [2 * image.pixels((6, 4)).mean((0, 1)) / 255 for image in images]
    assert_allclose(encode(encoder, images).features, expected, atol=1e-5)


def changed(path, change):
    """The archive again, each member's content passed through `change(name, content)`."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))
    return path


def refusal(path):
    with pytest.raises(EncoderError) as raised:
        ExportEncoder(path).prepare(list(ROWS))
    message = str(raised.value)
    start, end = f"`export:{path}` is refused: it holds ", ", which can run code while it is loaded"
    assert message.startswith(start), message
    return message.removeprefix(start).partition(end)[0]


class Harm:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.folder / "harm"),)


def test_pickled_objects_are_refused_and_not_unpickled(tmp_path):
    buffer = io.BytesIO()
    torch.save((Harm(tmp_path),), buffer)
    content = buffer.getvalue()
    path = changed(save(tmp_path), lambda name, old: content if "/sample_inputs/" in name else old)
    assert refusal(path) == "pickled example inputs of other types than tensors"
    assert not (tmp_path / "harm").exists()


def test_pickled_constants_are_refused(tmp_path):
    path = save(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model/data/constants/opaque_obj_0", pickle.dumps(Harm(tmp_path)))
    assert refusal(path) == "`model/data/constants/opaque_obj_0`"


def test_pickled_weights_are_refused(tmp_path):
    config = json.dumps({"config": {"w": {"path_name": "weight_0", "use_pickle": True}}}).encode()
    path = changed(save(tmp_path), lambda name, old: config if "weights_config" in name else old)
    assert refusal(path) == "pickled tensors"


def test_unknown_operators_are_refused(tmp_path):
    path = changed(
        save(tmp_path), lambda _, old: old.replace(b"torch.ops.aten.mul.Tensor", b"torch.hub.load")
    )
    assert refusal(path) == "the operator 'torch.hub.load'"


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "eval('1')",
        "sympify('1')",
        "Symbol.mro()",
        "(lambda: 1)()",
        "[x for x in y]",
        "f'{x}'",
        "Symbol('s', positive=eval('1'))",
        "1 +",
    ],
)
def test_expressions_that_are_more_than_arithmetic(expression):
    assert not _is_plain_expression(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "4",
        "s40",
        "Symbol('s40', positive=True, integer=True)",
        "Mul(Integer(2), Symbol('s0'))",
        "-s0//2 + 3*s1",
    ],
)
def test_expressions_that_are_arithmetic(expression):
    assert _is_plain_expression(expression)


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "model.pt2"
    path.write_bytes(b"model")
    with pytest.raises(EncoderError) as raised:
        ExportEncoder(path).prepare(list(ROWS))
    assert str(raised.value) == (
        f"`export:{path}` is not a whole file of `torch.export.save`: File is not a zip file. "
        f"Copy it again."
    )
