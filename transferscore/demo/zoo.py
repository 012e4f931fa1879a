"""The demo's zoo: eight networks of several widths from several sources, on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transferscore.demo.network import make_network, save_network, train_network
from transferscore.demo.sources import source_named

__all__ = ["MAX_IMAGES", "RECIPES", "Recipe", "build_zoo"]

MAX_IMAGES = 3000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network of the zoo is made.

    Attributes:
        source: What it learns from; None to stay untrained.
        width: Channels of its first layer.
        epochs: How often it sees its source.
    """

    source: str | None
    width: int
    epochs: int = 0

    @property
    def name(self) -> str:
        """What the report calls the network, and its file."""
        return f"{self.source or 'untrained'}-w{self.width}"


# Digits are the smallest source, so they are seen most often.
RECIPES = (
    Recipe("digits-0-4", 8, 20),
    Recipe("digits-0-4", 16, 20),
    Recipe("digits-0-4", 32, 20),
    Recipe("strokes", 8, 10),
    Recipe("strokes", 16, 10),
    Recipe("rotations", 8, 20),
    Recipe("rotations", 16, 20),
    Recipe(None, 16),
)


def build_zoo(
    folder: Path,
    *,
    recipes: tuple[Recipe, ...] = RECIPES,
    n_images: int = MAX_IMAGES,
    seed: int = 0,
    say: Callable[[str], None] | None = None,
) -> dict[str, str]:
    """Train the networks and save them into `folder`.

    Args:
        folder: Where the files go; it must be there.
        recipes: What to make.
        n_images: Most images that a network learns from.
        seed: Seed of every random choice.
        say: Told a line about each network.

    Returns:
        Name to model URI, `export:FILE.pt2`, in the order of the recipes.
    """
    models = {}
    for recipe in recipes:
        path = folder / f"{recipe.name}.pt2"
        line = _make(recipe, path, n_images, seed)
        models[recipe.name] = f"export:{path}"
        if say is not None:
            say(line)
    return models


def _make(recipe: Recipe, path: Path, n_images: int, seed: int) -> str:
    """Make one network; returns what there is to say about it."""
    if recipe.source is None:
        # As many classes as digits-0-4: an untrained head has no others to go by.
        save_network(make_network(recipe.width, 5, seed), path)
        return f"  {recipe.name}: random weights"
    source = source_named(recipe.source, n_images, seed)
    network = make_network(recipe.width, source.n_classes, seed)
    share = train_network(network, source, recipe.epochs, seed)
    save_network(network, path)
    return (
        f"  {recipe.name}: {share:.0%} right on the {len(source.labels):,} images of "
        f"{source.n_classes} classes that it learnt from"
    )
