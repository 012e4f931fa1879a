"""Finding the last block or stage of a network from the names of its parameters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

__all__ = ["last_block"]

_NUMBERED = re.compile(r"(.*?)(\d+)")


def last_block(sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Names of the parameters from the last repeated block or stage on.

    Networks repeat a part: `layer1 ... layer4`, `encoder.layer.0 ... 11`, `blocks.0 ... 23`. The
    parts sought are the numbered ones nearest to the root of the module, and of several such
    series the one with most weights. What is registered after its last member, such as a final
    norm, belongs to it.

    Args:
        sizes: Parameter name to number of weights, in the module's order.

    Returns:
        The names, in order; none where nothing repeats.

    >>> last_block({"conv.weight": 9, "layer1.weight": 9, "layer2.weight": 9, "norm.bias": 3})
    ('layer2.weight', 'norm.bias')
    """
    series = _series(sizes)
    if not series:
        return ()
    depth = min(len(parent) for parent, _ in series)
    members = max(
        (found for (parent, _), found in series.items() if len(parent) == depth),
        key=lambda found: sum(sizes[name] for names in found.values() for name in names),
    )
    last = members[max(members)]
    names = list(sizes)
    earlier = {name for number, found in members.items() for name in found if name not in last}
    start = names.index(last[0])
    return tuple(name for name in names[start:] if name not in earlier)


def _series(
    sizes: Mapping[str, int],
) -> dict[tuple[tuple[str, ...], str], dict[int, list[str]]]:
    """(Where, stem) to number to parameter names, for stems with at least two numbers."""
    found: dict[tuple[tuple[str, ...], str], dict[int, list[str]]]
    found = defaultdict(lambda: defaultdict(list))
    for name in sizes:
        parts = name.split(".")[:-1]
        for depth, part in enumerate(parts):
            if match := _NUMBERED.fullmatch(part):
                found[tuple(parts[:depth]), match[1]][int(match[2])].append(name)
    return {key: dict(members) for key, members in found.items() if len(members) > 1}
