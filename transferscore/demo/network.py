"""A small convolutional network: made, trained, and saved as a program that needs no model code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transferscore.demo.sources import PIXELS, Source

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["make_network", "save_network", "train_network"]

_BATCH = 64
_LEARNING_RATE = 3e-3


def make_network(width: int, n_classes: int, seed: int) -> nn.Module:
    """A network with random weights, from images `(b, 1, 8, 8)` to features and logits.

    Args:
        width: Channels of the first layer; features are four times as wide.
        n_classes: Width of the logits.
        seed: Seed of the weights. The caller's random state is left as it was.
    """
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = nn.Sequential(
                *(nn.Conv2d(1, width, 3, padding=1), nn.ReLU()),
                *(nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(2 * width, 4 * width, 3, padding=1), nn.ReLU()),
            )
            self.head = nn.Linear(4 * width, n_classes)

        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            features = self.trunk(images).mean((2, 3))
            return features, self.head(features)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network()


def train_network(network: nn.Module, source: Source, epochs: int, seed: int) -> float:
    """Train `network` to tell the classes of `source` apart, in place.

    Args:
        network: Made by `make_network`.
        source: What to learn from.
        epochs: How often it sees every image.
        seed: Seed of the order of the images.

    Returns:
        Share of the images of the last epoch that it named rightly, as they were learnt.
    """
    import torch

    images, labels = torch.from_numpy(source.images), torch.from_numpy(source.labels)
    steps = epochs * -(-len(labels) // _BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=steps)
    order = torch.Generator().manual_seed(seed)
    n_right = 0
    network.train()
    for _ in range(epochs):
        n_right = 0
        for rows in torch.split(torch.randperm(len(labels), generator=order), _BATCH):
            _, logits = network(images[rows])
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(logits, labels[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            n_right += int((logits.argmax(1) == labels[rows]).sum())
    return n_right / len(labels)


def save_network(network: nn.Module, path: Path) -> None:
    """Export `network` for batches of any size and write it to `path`, which ends in .pt2."""
    import torch

    example = torch.zeros(2, 1, PIXELS, PIXELS)
    any_batch = {"images": {0: torch.export.Dim("batch")}}
    program = torch.export.export(network.eval(), (example,), dynamic_shapes=any_batch)
    torch.export.save(program, path)
