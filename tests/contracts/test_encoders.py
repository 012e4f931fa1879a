"""What every encoder promises, asked of every encoder."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.datasets import AudioSample, TextPair, TokenSequence
from transferscore.datasets.images import ImageSample
from transferscore.encoders import Encoder, Encoding, HfEncoder, resolve_encoder
from transferscore.errors import EncoderError, SampleError

ZOO = Path(__file__).parents[2] / "../shared/zoo"
TEXTS = ["A film to remember, in 1999!", "bad", "", "naïve café, twice naïve", "x" * 200]


def encode(encoder: Encoder, samples: Sequence[Any]) -> Encoding:
    return encoder.forward(encoder.prepare(samples))


def assert_same(actual: Encoding, expected: Encoding, tolerance: float = 1e-5) -> None:
    scale = np.abs(expected.features).max() or 1
    assert_allclose(actual.features / scale, expected.features / scale, atol=tolerance)
    assert (actual.logits is None) == (expected.logits is None)
    if expected.logits is not None:
        scale = np.abs(expected.logits).max()
        assert_allclose(actual.logits / scale, expected.logits / scale, atol=tolerance)


def assert_batch_of_one_is_batch_of_many(
    encoder: Encoder,
    samples: Sequence[Any],
    tolerance: float = 1e-5,
    rows: Sequence[int] | None = None,
) -> Encoding:
    """`rows`: how many rows of features each sample has; one, if not said."""
    together = encode(encoder, samples)
    counts = rows or [1] * len(samples)
    for end, count, sample in zip(np.cumsum(counts), counts, samples, strict=True):
        alone, own = encode(encoder, [sample]), slice(end - count, end)
        logits = None if together.logits is None else together.logits[own]
        assert_same(alone, Encoding(together.features[own], logits), tolerance)
    return together


def test_is_an_encoder(case, tmp_path):
    assert isinstance(case.make(tmp_path, 0), Encoder)


def test_features_are_float32_rows_that_differ(case, samples, tmp_path):
    encoding = encode(case.make(tmp_path, 0), samples)
    assert encoding.features.dtype == np.float32
    assert encoding.features.ndim == 2
    assert len(encoding.features) == len(samples)
    assert np.isfinite(encoding.features).all()
    assert len(np.unique(encoding.features, axis=0)) == len(samples)
    assert (encoding.logits is not None) == case.has_logits
    if encoding.logits is not None:
        assert encoding.logits.dtype == np.float32
        assert encoding.logits.shape[0] == len(samples)
        assert encoding.logits.shape[1] > 1


def test_a_batch_of_one_gives_what_a_batch_of_many_gives(case, samples, tmp_path):
    assert_batch_of_one_is_batch_of_many(case.make(tmp_path, 0), samples)


def test_order_of_samples_is_kept(case, samples, tmp_path):
    encoder = case.make(tmp_path, 0)
    forward, backward = encode(encoder, samples), encode(encoder, samples[::-1])
    logits = None if backward.logits is None else backward.logits[::-1]
    assert_same(Encoding(backward.features[::-1], logits), forward)


def test_digest_is_that_of_weights_and_options(case, tmp_path):
    folders = [tmp_path / str(i) for i in range(3)]
    for folder in folders:
        folder.mkdir()
    first, again = case.make(folders[0], 0), case.make(folders[1], 0)
    if not case.has_digest:
        assert first.digest() is None
        return
    assert first.digest() == again.digest() == first.digest()
    assert case.make(folders[2], 1).digest() != first.digest()
    assert case.make(folders[0], 0, **case.option).digest() != first.digest()


def test_an_option_changes_the_features(case, samples, tmp_path):
    if not case.option:
        pytest.skip("this encoder has no options")
    plain = encode(case.make(tmp_path, 0), samples).features
    changed = encode(case.make(tmp_path, 0, **case.option), samples).features
    assert plain.shape != changed.shape or not np.allclose(plain, changed)


def test_release_gives_the_model_back_until_the_next_forward(case, samples, tmp_path):
    encoder = case.make(tmp_path, 0)
    batch = encoder.prepare(samples)
    before = encoder.forward(batch)
    encoder.release()
    assert_same(encoder.forward(batch), before, tolerance=1e-7)


def test_batches_of_two_threads_do_not_mix(case, samples, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    encoder = case.make(tmp_path, 0)
    with ThreadPoolExecutor(2) as pool:
        batches = list(pool.map(encoder.prepare, [samples, samples[1:]] * 4))
        encodings = list(pool.map(encoder.forward, batches))
    for k, encoding in enumerate(encodings[2:]):
        assert_same(encoding, encodings[k % 2], tolerance=1e-7)


def test_cost_of_a_sample_is_positive_and_grows_with_text(case, samples, tmp_path):
    encoder = case.make(tmp_path, 0)
    costs = [encoder.cost(sample) for sample in samples]
    if case.modality == "text":
        assert encoder.cost("a cat sat") > encoder.cost("a cat")
    else:
        assert min(costs) == max(costs) > 0


def test_a_broken_sample_is_named(case, samples, tmp_path):
    if case.modality not in ("image", "audio"):
        pytest.skip("a text or an array cannot be broken")
    kind = ImageSample if case.modality == "image" else AudioSample
    broken = kind.from_bytes(b"no such thing", "holiday/broken.file")
    encoder = case.make(tmp_path, 0)
    with pytest.raises(SampleError, match=r"holiday/broken\.file"):
        encoder.prepare([*samples, broken])


def test_samples_of_another_kind_are_refused(case, tmp_path):
    if case.name in ("callable", "module"):
        pytest.skip("what a function or a module takes is not known before it runs")
    encoder = case.make(tmp_path, 0)
    takes = {"image": "images", "text": "text", "array": "arrays", "audio": "sounds"}[case.modality]
    other, got = (np.zeros(3), "arrays") if case.modality == "text" else ("a text", "text")
    with pytest.raises(EncoderError) as raised:
        encoder.prepare([other])
    assert str(raised.value) == f"`{encoder.name}` takes {takes}; got {got}."


def test_a_file_cut_short_is_refused(case, samples, tmp_path):
    if case.weights is None:
        pytest.skip("this encoder has no file, or one that another case cuts")
    encoder = case.make(tmp_path, 0)
    file = tmp_path / case.weights
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(EncoderError) as raised:
        encode(encoder, samples)
    assert str(raised.value).startswith(f"`{encoder.name}` ")
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(case, samples, tmp_path):
    if case.weights is None or case.name.startswith("hf"):
        pytest.skip("this encoder has no single file")
    encoder = case.make(tmp_path, 0)
    (tmp_path / case.weights).unlink()
    for ask in (encoder.digest, lambda: encode(encoder, samples)):
        with pytest.raises(
            EncoderError, match=r"There is no file `.*`; check the path of the model\."
        ):
            ask()


def test_making_an_encoder_and_its_digest_import_no_model_library(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"model")
    (tmp_path / "a.pt2").write_bytes(b"model")
    (tmp_path / "config.json").write_text("{}")
    program = (
        "import sys\n"
        "from transferscore.encoders import resolve_models\n"
        f"for model in resolve_models(['{tmp_path}/*.onnx', '{tmp_path}/*.pt2', '{tmp_path}']):\n"
        "    assert len(model.digest()) == 64\n"
        "heavy = {'torch', 'transformers', 'onnxruntime', 'onnx', 'sklearn', 'PIL', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    environment = {"PATH": "", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def zoo_models(folder: str, pattern: str) -> list[Any]:
    models = sorted((ZOO / "models" / folder).glob(pattern))
    absent = pytest.mark.skip(reason="the zoo of real models is not at ../shared/zoo")
    return [pytest.param(path, id=path.name) for path in models] or [
        pytest.param(None, marks=absent, id="no zoo")
    ]


@pytest.fixture(scope="module")
def photographs() -> list[ImageSample]:
    with zipfile.ZipFile(ZOO / "datasets/image/flowers5.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith((".jpg", ".png"))][::120][:5]
        return [ImageSample.from_bytes(archive.read(name), name) for name in names]


@pytest.fixture(scope="module")
def spoken_digits() -> list[AudioSample]:
    path = ZOO / "datasets/audio/fsdd_digits.zip"
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".flac")][::400][:4]
        return [AudioSample.from_bytes(archive.read(name), name) for name in names]


@pytest.mark.parametrize("model", zoo_models("image", "*.onnx"))
def test_real_onnx_image_model(model, photographs):
    encoder = resolve_encoder(f"onnx:{model}", device="cpu")
    # Hundreds of float32 layers, whose sums run in another order in another batch.
    encoding = assert_batch_of_one_is_batch_of_many(encoder, photographs, tolerance=5e-5)
    assert np.isfinite(encoding.features).all()
    assert encoding.features.std(0).max() > 0


@pytest.mark.parametrize("model", zoo_models("text", "*.onnx"))
@pytest.mark.parametrize("output", ["", "#hidden"])
def test_real_onnx_text_model(model, output):
    encoder = resolve_encoder(f"onnx:{model}{output}", device="cpu")
    encoding = assert_batch_of_one_is_batch_of_many(encoder, TEXTS)
    assert len(np.unique(encoding.features, axis=0)) == len(TEXTS)


@pytest.mark.parametrize("model", zoo_models("text", "*.onnx"))
def test_real_onnx_text_model_reads_words_and_pairs(model):
    encoder = resolve_encoder(f"onnx:{model}", device="cpu")
    words = [TokenSequence(("The", "cat", "sat")), TokenSequence(("Where", "is", "it", "?"))]
    encoding = assert_batch_of_one_is_batch_of_many(encoder, words, rows=[3, 4])
    assert len(encoding.features) == 7
    pairs = [TextPair("A cat.", "A dog."), TextPair("The film was good", "A good film")]
    assert_batch_of_one_is_batch_of_many(encoder, pairs)


@pytest.mark.parametrize("model", zoo_models("audio", "*.onnx"))
def test_real_onnx_audio_model(model, spoken_digits):
    rate = "?rate=22050" if model.stem.startswith("basic_pitch") else ""
    encoder = resolve_encoder(f"onnx:{model}{rate}", device="cpu")
    silence = AudioSample.from_array(np.zeros(4000, dtype=np.float32), 8000, "silence")
    encoding = assert_batch_of_one_is_batch_of_many(encoder, [*spoken_digits, silence])
    assert np.isfinite(encoding.features).all()
    assert len(np.unique(encoding.features, axis=0)) == len(spoken_digits) + 1
    broken = AudioSample.from_bytes(b"RIFF no sound", "broken.wav")
    with pytest.raises(SampleError, match=r"`broken\.wav` cannot be read as a sound"):
        encoder.prepare([*spoken_digits, broken])


@pytest.mark.parametrize("model", zoo_models("hf", "*"))
def test_real_transformers_model_agrees_with_its_onnx_file(model, photographs):
    ours = encode(resolve_encoder(f"hf:{model}", device="cpu"), photographs)
    onnx = encode(resolve_encoder(f"onnx:{ZOO}/models/image/{model.name}.onnx"), photographs)
    # Where the ONNX file clips activations to a quantised range, the manifest states 0.9992.
    least = 0.998 if model.name.startswith("tv_") else 0.9999
    assert np.corrcoef(ours.features.ravel(), onnx.features.ravel())[0, 1] > least
    assert np.corrcoef(ours.logits.ravel(), onnx.logits.ravel())[0, 1] > least


@pytest.mark.parametrize("model", zoo_models("export", "*.pt2"))
def test_real_exported_model_equals_its_onnx_file(model, photographs):
    ours = encode(resolve_encoder(f"export:{model}", device="cpu"), photographs)
    onnx = encode(resolve_encoder(f"onnx:{ZOO}/models/image/{model.stem}.onnx"), photographs)
    assert_allclose(ours.features, onnx.features, atol=1e-5)
    assert_allclose(ours.logits, onnx.logits, atol=5e-5)


def test_features_of_a_constant_batch_are_equal_rows(case, samples, tmp_path):
    features = encode(case.make(tmp_path, 0), [samples[1]] * 3).features
    # Matrix products may round each row of a batch in its own way.
    assert_allclose(features, np.broadcast_to(features[0], features.shape), rtol=1e-5, atol=1e-6)


def models_alive() -> int:
    import onnxruntime
    import torch

    gc.collect()
    kinds = (torch.nn.Module, onnxruntime.InferenceSession)
    return sum(issubclass(type(thing), kinds) for thing in gc.get_objects())


@pytest.fixture
def only_new_objects() -> Iterator[None]:
    """Hide what other tests left from the collector: looking through all of it takes seconds."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("only_new_objects")
def test_memory_is_given_back(case, samples, tmp_path):
    if case.name not in ("onnx image", "export", "hf bert", "hf whisper", "st", "keras"):
        pytest.skip("one case an adapter")
    encoder = case.make(tmp_path, 0)
    encode(encoder, samples[:1])  # what a library keeps from its first model on is not counted
    encoder.release()
    before = models_alive()
    encode(encoder, samples[:1])
    assert models_alive() > before
    encoder.release()
    assert models_alive() <= before


def test_global_state_is_as_before(case, samples, tmp_path):
    import torch

    encoder = case.make(tmp_path, 0)
    before = (torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_default_device())
    torch.manual_seed(7)
    encode(encoder, samples[:1])
    state = torch.random.get_rng_state()
    encode(encoder, samples[:1])
    assert torch.equal(state, torch.random.get_rng_state())
    assert before == (
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_default_device(),
    )
    assert torch.zeros(1).sum() + 1 == 1  # autograd can be asked for again
    assert torch.ones(1, requires_grad=True).requires_grad


@pytest.mark.parametrize("architecture", ["BertModel", "ViTModel"])
def test_whatever_changes_the_numbers_changes_the_digest(architecture, tmp_path):
    from tests.contracts.conftest import save_processor, save_tokenizer, save_transformer

    save_transformer(tmp_path, architecture, 0)
    (save_processor if architecture == "ViTModel" else save_tokenizer)(tmp_path)

    def digest(**options: Any) -> str:
        return HfEncoder(str(tmp_path), **options).digest()

    options = [{}, {"layer": 0}, {"layer": None}, {"pooling": "cls"}, {"pooling": "max"}]
    on_gpu = [{"device": "cuda", "precision": kind} for kind in ("float32", "bf16", "fp16")]
    digests = [digest(**each) for each in (*options, *on_gpu)]
    assert digests[5] == digests[0]  # the device alone changes nothing
    assert len(set(digests)) == len(digests) - 1
    assert digest(device="cpu", precision="bf16") == digests[0]  # which a CPU does not use
    file = "preprocessor_config.json" if architecture == "ViTModel" else "tokenizer.json"
    changed = {"do_resize": False, "do_convert_rgb": True} if file.startswith("pre") else {}
    described = json.loads((tmp_path / file).read_text()) | changed | {"version": "2"}
    (tmp_path / file).write_text(json.dumps(described))
    assert digest() not in digests


def test_another_revision_of_a_model_on_the_hub_is_another_model(tmp_path, monkeypatch):
    import huggingface_hub

    from tests.contracts.conftest import save_tokenizer, save_transformer

    commits = {"v1": "1" * 40, "v2": "2" * 40}
    for seed, commit in enumerate(commits.values()):
        save_transformer(tmp_path / "snapshots" / commit, "BertModel", seed)
        save_tokenizer(tmp_path / "snapshots" / commit)
    monkeypatch.setattr(
        huggingface_hub,
        "snapshot_download",
        lambda _name, revision, **_: str(tmp_path / "snapshots" / commits[revision]),
    )
    first, second = (resolve_encoder(f"hf:org/name@{revision}") for revision in commits)
    assert first.digest() != second.digest()
    assert first.details() == {"revision": "1" * 40}
    assert second.details() == {"revision": "2" * 40}
