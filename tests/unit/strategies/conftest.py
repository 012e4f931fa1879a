"""Small models that the tests of strategies adapt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import ModuleEncoder, trainable_model


class TinyNet(nn.Module):
    """Two blocks of a linear layer and a norm, then a classifier whose input is the features."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            nn.Sequential(nn.Linear(6, width), nn.LayerNorm(width), nn.ReLU()),
            nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU()),
        )
        self.classifier = nn.Linear(width, 4)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.blocks(rows))


@pytest.fixture
def rows():
    labels = np.repeat([0, 1, 2], 40)
    noise = np.random.default_rng(0).normal(size=(120, 6))
    return (noise + 2.0 * np.eye(3, 6)[labels]).astype(np.float32), labels


@pytest.fixture
def dataset(rows):
    return dataset_from_arrays(*rows)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return ModuleEncoder(TinyNet(), name="tiny")


@pytest.fixture
def load(encoder, rows):
    return lambda: trainable_model(encoder, list(rows[0][:2]))
