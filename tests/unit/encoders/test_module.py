from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import ModuleEncoder
from transferscore.errors import EncoderError

torch = pytest.importorskip("torch")
nn = torch.nn
ROWS = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
FACTOR = 3.0
LISTED = [3.0]


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Dropout(0.5), nn.Linear(3, 2))


def expected(module, rows=ROWS):
    with torch.no_grad():
        hidden = torch.tanh(module[0](torch.from_numpy(rows)))
        return hidden.numpy(), module[3](hidden).numpy()


class Plain(nn.Module):
    """Ends in a function of two linear maps, so it has no classifier."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)
        self.unused = nn.Linear(4, 3)

    def forward(self, x):
        return self.a(x) + self.b(x)


def scaled(sample):
    return torch.from_numpy(sample) * FACTOR


def listed(sample):
    return torch.from_numpy(sample) * LISTED[0]


def test_features_are_what_goes_into_the_last_linear_layer():
    module = network()
    encoding = encode(ModuleEncoder(module), list(ROWS))
    features, logits = expected(module)
    assert_allclose(encoding.features, features, atol=1e-6)
    assert_allclose(encoding.logits, logits, atol=1e-6)


def test_a_linear_layer_that_is_not_the_end_is_no_classifier():
    module = Plain()
    encoding = encode(ModuleEncoder(module), list(ROWS))
    with torch.no_grad():
        assert_allclose(encoding.features, module(torch.from_numpy(ROWS)), atol=1e-6)
    assert encoding.logits is None


def test_a_named_layer_and_the_module_itself():
    module = network()
    hidden = encode(ModuleEncoder(module, layer="0"), list(ROWS))
    with torch.no_grad():
        assert_allclose(hidden.features, module[0](torch.from_numpy(ROWS)), atol=1e-6)
    whole = encode(ModuleEncoder(module, layer=""), list(ROWS))
    assert_allclose(whole.features, expected(module)[1], atol=1e-6)
    assert_allclose(hidden.logits, whole.features, atol=1e-6)


def test_a_layer_that_is_not_there():
    with pytest.raises(EncoderError) as raised:
        ModuleEncoder(network(), layer="head")
    assert str(raised.value) == (
        "`layer` must name a submodule of `Sequential`; got 'head'. It has '', '0', '1', '2', '3'."
    )


def test_a_layer_that_does_not_run():
    with pytest.raises(EncoderError) as raised:
        encode(ModuleEncoder(Plain(), layer="unused"), list(ROWS))
    assert str(raised.value) == "The layer 'unused' of `Plain` does not run in its forward pass."


def test_modes_gradients_and_hooks_are_as_before():
    module = network()
    module.train()
    module[2].eval()
    encode(ModuleEncoder(module), list(ROWS))
    assert [part.training for part in module.modules()] == [True, True, True, False, True]
    assert torch.is_grad_enabled()
    assert not any(part._forward_hooks for part in module.modules())
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_modes_are_as_before_after_a_failure():
    module = network()
    module.train()
    encoder = ModuleEncoder(module)
    with pytest.raises(EncoderError, match="`Sequential` could not be run: mat1 and mat2"):
        encode(encoder, [np.zeros(9)])
    assert all(part.training for part in module.modules())
    assert torch.is_grad_enabled()
    assert not any(part._forward_hooks for part in module.modules())


def test_the_module_runs_in_eval_mode():
    module = network().train()
    first = encode(ModuleEncoder(module), list(ROWS))
    second = encode(ModuleEncoder(module), list(ROWS))
    assert_allclose(first.features, second.features)


def test_batch_norm_statistics_are_not_touched():
    module = nn.Sequential(nn.BatchNorm1d(4)).train()
    encode(ModuleEncoder(module), list(ROWS))
    assert module[0].num_batches_tracked == 0


def test_spatial_outputs_are_averaged(images):
    module = nn.Sequential(nn.Identity())
    features = encode(ModuleEncoder(module), images).features
    assert_allclose(features, [i.pixels().mean((0, 1)) / 255 for i in images], atol=1e-6)


def test_images_of_several_sizes_need_a_transform(images):
    from transferscore.datasets.images import ImageSample

    odd = ImageSample.from_array(np.zeros((5, 6, 3), np.uint8), "odd")
    with pytest.raises(EncoderError) as raised:
        ModuleEncoder(network()).prepare([*images, odd])
    assert str(raised.value) == (
        "Images must be of one size for a model without a size of its own; `image 0` is 12x10 and "
        "`odd` is 5x6 pixels. Pass a `transform` that resizes."
    )


def test_a_transform_gets_pil_images(images):
    seen = []

    def transform(image):
        seen.append(image.mode)
        return np.asarray(image.resize((2, 2)), dtype=np.float32).reshape(-1)

    batch = ModuleEncoder(network(), transform=transform).prepare(images)
    assert batch.shape == (5, 12)
    assert seen == ["RGB"] * 5


def test_text_needs_a_transform():
    with pytest.raises(EncoderError) as raised:
        ModuleEncoder(network()).prepare(["a"])
    assert str(raised.value) == (
        "`Sequential` cannot read text by itself: pass `transform`, a function from a `str` to the "
        "module's input, as in ModuleEncoder(module, transform=...)."
    )


def test_a_transform_may_give_arguments_by_name():
    class Named(nn.Module):
        def forward(self, *, ids, scale):
            return ids * scale

    encoder = ModuleEncoder(
        Named(), transform=lambda text: {"ids": np.ones(3) * len(text), "scale": np.array([2.0])}
    )
    assert_allclose(encode(encoder, ["a", "abc"]).features, [[2] * 3, [6] * 3])


def test_inputs_of_several_shapes_are_refused():
    encoder = ModuleEncoder(network(), transform=lambda text: np.ones(len(text)))
    with pytest.raises(EncoderError) as raised:
        encoder.prepare(["a", "abc"])
    assert str(raised.value) == (
        "The inputs of `Sequential` must be of one shape; got (1,), (3,). "
        "Make them so in `transform`."
    )


def test_a_failing_transform_is_named():
    encoder = ModuleEncoder(network(), transform=lambda text: text.nothing)
    with pytest.raises(EncoderError) as raised:
        encoder.prepare(["a"])
    assert str(raised.value) == (
        "`Sequential` could not be given its input by `transform`: "
        "'str' object has no attribute 'nothing'"
    )


def test_digest_sees_weights_structure_layer_and_transform():
    digests = {
        ModuleEncoder(module, **options).digest()
        for module, options in [
            (network(0), {}),
            (network(1), {}),
            (network(0)[:3], {}),
            (network(0), {"layer": "0"}),
            (network(0), {"transform": scaled}),
            (network(0).half(), {}),
            (Plain(), {}),
        ]
    }
    assert len(digests) == 7
    assert None not in digests
    assert ModuleEncoder(network(0)).digest() == ModuleEncoder(network(0)).digest()


def test_digest_sees_constants_that_the_transform_uses(monkeypatch):
    before = ModuleEncoder(network(), transform=scaled).digest()
    assert ModuleEncoder(network(), transform=scaled).digest() == before
    monkeypatch.setitem(globals(), "FACTOR", 4.0)
    assert ModuleEncoder(network(), transform=scaled).digest() != before


def test_a_transform_that_uses_objects_has_no_digest():
    table = {"a": 1}
    for transform in (listed, lambda text: table[text], np.vectorize(len)):
        assert ModuleEncoder(network(), transform=transform).digest() is None
