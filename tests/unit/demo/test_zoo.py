from __future__ import annotations

import numpy as np
import pytest
import torch

from transferscore.datasets import dataset_from_arrays
from transferscore.demo.network import make_network, save_network, train_network
from transferscore.demo.sources import source_named
from transferscore.demo.threads import one_thread
from transferscore.demo.zoo import RECIPES, Recipe, build_zoo
from transferscore.encoders import resolve_encoder
from transferscore.features import extract_features


def test_files_load_through_the_ordinary_path_and_give_what_was_trained(tmp_path):
    source = source_named("strokes", 100, 0)
    network = make_network(4, source.n_classes, 0)
    train_network(network, source, 1, 0)
    save_network(network, tmp_path / "network.pt2")
    dataset = dataset_from_arrays(source.images, source.labels)
    encoder = resolve_encoder(f"export:{tmp_path}/network.pt2", device="cpu")
    found = extract_features(encoder, dataset, batch_size=7)
    with torch.no_grad():
        features, logits = network(torch.from_numpy(source.images))
    assert found.values.shape == (100, 16)
    np.testing.assert_allclose(found.values, features.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.logits, logits.numpy(), rtol=1e-4, atol=1e-5)


def test_the_zoo_is_one_file_a_recipe_and_says_so(tmp_path):
    lines = []
    recipes = (Recipe("digits-0-4", 2, 1), Recipe(None, 2))
    models = build_zoo(tmp_path, recipes=recipes, n_images=50, say=lines.append)
    assert models == {
        "digits-0-4-w2": f"export:{tmp_path}/digits-0-4-w2.pt2",
        "untrained-w2": f"export:{tmp_path}/untrained-w2.pt2",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "digits-0-4-w2.pt2",
        "untrained-w2.pt2",
    ]
    assert lines[0].startswith("  digits-0-4-w2: ")
    assert lines[0].endswith("% right on the 50 images of 5 classes that it learnt from")
    assert lines[1] == "  untrained-w2: random weights"


def test_the_whole_zoo_has_eight_names_and_one_untrained():
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES) == 8
    assert [recipe.epochs for recipe in RECIPES if recipe.source is None] == [0]


def test_training_learns_and_the_seed_decides_what():
    source = source_named("digits-0-4", 400, 0)

    def trained(seed):
        network = make_network(8, source.n_classes, seed)
        share = train_network(network, source, 30, seed)
        return share, torch.cat([weights.flatten() for weights in network.parameters()])

    (share, weights), (_, same), (_, other) = trained(0), trained(0), trained(1)
    assert share > 0.5  # chance is 0.2
    assert torch.equal(weights, same)
    assert not torch.equal(weights, other)


def test_making_a_network_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    make_network(2, 3, 5)
    assert torch.equal(torch.get_rng_state(), before)


def test_threads_are_one_within_and_as_before_afterwards():
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert torch.get_num_threads() == 2
