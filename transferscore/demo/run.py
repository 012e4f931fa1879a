"""The demo from beginning to end: train a zoo, rank it, then measure what was predicted."""

from __future__ import annotations

import shlex
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from transferscore.demo.outcome import Outcome, outcome_lines, outcome_of
from transferscore.demo.probe import measure_probe
from transferscore.demo.target import Target, read_target, save_target
from transferscore.demo.threads import one_thread
from transferscore.demo.zoo import MAX_IMAGES, RECIPES, Recipe, build_zoo

if TYPE_CHECKING:
    from transferscore.ranking import Ranking

__all__ = ["DemoResult", "run_demo"]

_PER_CLASS = 40
_DEFAULT_COLUMNS = 120

Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made and found.

    Attributes:
        folder: Where the models and the target are.
        ranking: The ranking, made before any probe was trained.
        outcome: Predicted beside measured.
        seconds: Time it took in all.
    """

    folder: Path
    ranking: Ranking
    outcome: Outcome
    seconds: float


def run_demo(
    folder: Path | None = None,
    say: Say = lambda _: None,
    *,
    recipes: tuple[Recipe, ...] = RECIPES,
    n_images: int = MAX_IMAGES,
    seed: int = 0,
) -> DemoResult:
    """Rank a small zoo on handwritten digits that it has never seen, and check the ranking.

    Args:
        folder: Where files are written, made if it is not there; None for a new temporary folder,
            which is kept.
        say: Told every line of the story as it happens.
        recipes: The networks of the zoo.
        n_images: Most images that a network learns from.
        seed: Seed of every random choice.
    """
    began = time.perf_counter()
    say(_PROLOGUE.format(n_models=len(recipes), n_labels=5 * _PER_CLASS, per_class=_PER_CLASS))
    folder = _made(folder)
    target = read_target(_PER_CLASS, seed)
    save_target(target, folder / "target.npz")
    with one_thread():
        say(f"\n1. Training {len(recipes)} networks on other images than the target's\n")
        models = build_zoo(folder, recipes=recipes, n_images=n_images, seed=seed, say=say)

        say("\n2. Ranking them on the labelled digits, before anything is trained for them\n")
        ranking, ranked_in = _timed(lambda: _rank(models, target, seed))
        say(_as_text(ranking))

        say("\n3. Training the real probes and testing them on the digits kept aside\n")
        outcome, probed_in = _timed(lambda: _measure(ranking, models, target, seed))
        say("\n".join(outcome_lines(outcome)))
    seconds = time.perf_counter() - began
    say(_epilogue(folder, ranked_in, probed_in, seconds))
    return DemoResult(folder, ranking, outcome, seconds)


_PROLOGUE = """\
Which of {n_models} small networks is the best to tell the handwritten digits 5 to 9 apart, when
only {n_labels} of them are labelled ({per_class} of each)? The networks are trained now on other
things: digits 0 to 4, drawn strokes, patches of two photographs, or nothing at all. They are ranked
without any training for the task; then a real probe is trained on each, and tested on digits that
were kept aside."""


def _made(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="transferscore-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _rank(models: dict[str, str], target: Target, seed: int) -> Ranking:
    """The ordinary call on the labelled rows."""
    from transferscore.rank import rank

    images, labels = target.images[target.labelled], target.labels[target.labelled]
    return rank(images, models, labels=labels, seed=seed, device="cpu", cache=False, baseline=False)


def _measure(ranking: Ranking, models: dict[str, str], target: Target, seed: int) -> Outcome:
    measured = {c.model: measure_probe(models[c.model], target, seed) for c in ranking.candidates}
    return outcome_of(ranking, measured, int((~target.labelled).sum()))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` gives, and the seconds it took."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def _as_text(ranking: Ranking) -> str:
    from transferscore.report import to_text

    width = shutil.get_terminal_size((_DEFAULT_COLUMNS, 24)).columns
    return to_text(ranking.to_dict(), width=width)


def _epilogue(folder: Path, ranked_in: float, probed_in: float, seconds: float) -> str:
    data, models = shlex.quote(str(folder / "target.npz")), shlex.quote(f"export:{folder}/*.pt2")
    return (
        f"\nThe ranking took {ranked_in:.1f} s, the probes {probed_in:.1f} s, all of it "
        f"{seconds:.0f} s. The models and the target are in {folder}\n"
        f"To rank them again:\n  transferscore rank {data} --model {models}"
    )
