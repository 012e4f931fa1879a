import pytest

from transferscore.strategies.blocks import last_block


def sizes(*names, **weights):
    return {f"{name}.weight": weights.get(name.replace(".", "_"), 1) for name in names}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["conv1", "layer1.0", "layer1.1", "layer2.0", "layer2.1"], ["layer2.0", "layer2.1"]),
        (["embed.word", "encoder.layer.0.q", "encoder.layer.1.q"], ["encoder.layer.1.q"]),
        (["layer.0", "layer.9", "layer.10", "conv_1x1"], ["layer.10", "conv_1x1"]),
        (["h.0.mlp", "h.1.mlp", "ln_f"], ["h.1.mlp", "ln_f"]),
        (["0", "2", "4"], ["4"]),
        (["stem", "head"], []),
    ],
)
def test_the_last_member_of_the_series_nearest_the_root(names, expected):
    assert last_block(sizes(*names)) == tuple(f"{name}.weight" for name in expected)


def test_of_two_series_the_heavier_one_counts():
    names = sizes("bn1", "conv1", "bn2", "conv2", conv1=9, conv2=9)
    assert last_block(names) == ("conv2.weight",)
