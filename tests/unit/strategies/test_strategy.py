import pytest
from torch import nn

from transferscore.errors import InputError, UnknownNameError
from transferscore.strategies import STRATEGIES, LoRA, Tuning, resolve_strategies


def net():
    return nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 2))


def test_all_are_in_the_order_of_the_registry():
    assert [strategy.name for strategy in resolve_strategies("all")] == list(STRATEGIES)


def test_names_values_and_your_own_can_be_mixed_and_count_once():
    mine = Tuning("mine", lambda _: ("0.weight",))
    found = resolve_strategies(["full,linear_probe", mine, "full", LoRA(4)])
    assert [strategy.name for strategy in found] == ["full", "linear_probe", "mine", "lora:4"]


@pytest.mark.parametrize("name", ["ful", "lora8", "full:3"])
def test_an_unknown_name_lists_the_known(name):
    with pytest.raises(UnknownNameError, match="known: linear_probe, norm_tuning, partial, lora"):
        resolve_strategies(name)


@pytest.mark.parametrize("rank", ["0", "-1", "x", ""])
def test_a_bad_rank_is_refused(rank):
    with pytest.raises(InputError, match="positive whole number"):
        resolve_strategies(f"lora:{rank}")


def test_nothing_named_is_refused():
    with pytest.raises(InputError, match="at least one strategy"):
        resolve_strategies("")


def test_norm_tuning_is_every_vector_and_partial_the_last_layer():
    assert STRATEGIES["norm_tuning"].select(net()) == (
        "0.bias",
        "1.weight",
        "1.bias",
        "2.bias",
    )
    assert STRATEGIES["partial"].select(net()) == ("2.weight", "2.bias")


def test_lora_of_a_rank_trains_rank_times_the_widths():
    module = net()
    LoRA(2).apply(module, 0)
    trained = sum(w.numel() for w in module.parameters() if w.requires_grad)
    assert trained == 2 * (4 + 3) + 2 * (3 + 2)


def test_what_a_model_lacks_is_said():
    bare = nn.Conv2d(3, 4, 3, bias=False)
    assert STRATEGIES["lora"].unavailable(bare).startswith("the model has no linear layers")
    assert STRATEGIES["norm_tuning"].unavailable(bare) == "the model has no norms or biases"
    assert "repeated block" in STRATEGIES["partial"].unavailable(bare)
