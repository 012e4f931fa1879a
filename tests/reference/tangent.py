"""Tangent kernels the slow way: every sample's whole gradient, by autograd."""

from __future__ import annotations

import numpy as np
import torch


def exact_kernel(model, samples, directions, name) -> np.ndarray:
    """Inner products `(n, n)` of gradients with respect to one parameter, over directions."""
    weight = dict(model.module.named_parameters())[name]
    rows = []
    for sample in samples:
        features = model.features(model.prepare([sample]))[0]
        gradients = [
            torch.autograd.grad(features @ direction, weight, retain_graph=True)[0].flatten()
            for direction in torch.from_numpy(directions)
        ]
        rows.append(torch.cat(gradients).double().numpy())
    stacked = np.array(rows)
    return stacked @ stacked.T
