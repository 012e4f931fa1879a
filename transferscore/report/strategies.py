"""What a ranking document says of strategies: columns, sentences, and the decision as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transferscore.strategies.units import bytes_text, count_text, seconds_text

__all__ = [
    "chosen_candidate",
    "decision_lines",
    "has_strategies",
    "strategy_cells",
    "strategy_columns",
    "strategy_notes",
    "strategy_row",
]

_NOTHING_FITS = "nothing keeps to the limits; without them"


def has_strategies(document: Mapping[str, Any]) -> bool:
    """Whether strategies or limits were asked for."""
    return document.get("limits") is not None


def strategy_columns(document: Mapping[str, Any]) -> list[str]:
    """Headers of the columns that strategies add, after the model's name and after P(best)."""
    if not has_strategies(document):
        return []
    limits = document["limits"]
    money = ["money"] if limits["price_per_hour"] is not None else []
    fits = ["fits"] if _has_ceilings(limits) else []
    return ["front", "trained", "memory", "training", *money, *fits]


def strategy_cells(candidate: Mapping[str, Any], columns: list[str]) -> list[str]:
    """The cells of `strategy_columns`."""
    cost = candidate.get("cost") or {}
    texts = {
        "front": "*" if candidate.get("pareto") else "",
        "trained": _known(candidate.get("trainable_parameters"), count_text),
        "memory": _known(cost.get("train_memory_bytes"), bytes_text),
        "training": _known(cost.get("train_seconds"), seconds_text),
        "money": _known(cost.get("money"), lambda money: f"{money:.2f}"),
        "fits": _fits(cost),
    }
    return [texts[column] for column in columns]


def strategy_row(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """The same as numbers, for CSV files and data frames."""
    cost = candidate.get("cost") or {}
    return {
        "trainable_parameters": candidate.get("trainable_parameters"),
        "train_seconds": cost.get("train_seconds"),
        "train_memory_bytes": cost.get("train_memory_bytes"),
        "money": cost.get("money"),
        "fits": cost.get("fits"),
        "breaks": " ".join(cost.get("breaks", [])),
        "pareto": candidate.get("pareto"),
        "reason": candidate.get("reason"),
    }


def strategy_notes(document: Mapping[str, Any]) -> list[str]:
    """Sentences below the table: the decision, what was left out, what was measured before."""
    lines = []
    if has_strategies(document):
        lines.append("* on the Pareto front: none is better, faster and smaller at once.")
    decision = document.get("decision")
    if decision:
        regardless = f"{_NOTHING_FITS}, " if decision["fits"] is False else ""
        lines.append(f"advice: {regardless}{decision['model']}: {decision['reason']}")
        lines += [f"advice: {line}" for line in decision["cheaper"]]
        lines += [f"limits: {_nearest_text(decision, each)}" for each in decision["nearest"]]
    lines += _unavailable(document)
    lines += [_prior_text(c, prior) for c in document["candidates"] for prior in c.get("prior", [])]
    return lines


def decision_lines(document: Mapping[str, Any]) -> list[str]:
    """The decision with its evidence, as lines of text."""
    decision = document.get("decision")
    if not decision:
        nothing = "No candidate could be ranked, so there is nothing to advise."
        return [nothing, *_unavailable(document)]
    first = chosen_candidate(document)
    lines = [f"{_NOTHING_FITS.capitalize()}:", ""] if decision["fits"] is False else []
    lines += [f"{decision['strategy']} of {decision['model']}", "", decision["reason"], ""]
    lines += [f"  {name:<11}{text}" for name, text in _facts(first)]
    if decision["rules"]:
        lines += ["", "Rules of thumb, beside the prediction:", ""]
        lines += [line for rule in decision["rules"] for line in _rule_lines(rule)]
    if decision["disagreements"]:
        lines += ["", *decision["disagreements"]]
    nearest = [_nearest_text(decision, each) for each in decision["nearest"]]
    missing = _unavailable(document)
    for sentences in (decision["cheaper"], decision["answers"], nearest, missing):
        lines += ["", *sentences] if sentences else []
    return [*lines, "", *_recipe_lines(first["recipe"])] if first.get("recipe") else lines


def chosen_candidate(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The candidate that the decision names; a baseline may stand before it."""
    decision = document["decision"]
    wanted = (decision["model"], decision["strategy"])
    return next(c for c in document["candidates"] if (c["model"], c["strategy"]) == wanted)


def _facts(first: Mapping[str, Any]) -> list[tuple[str, str]]:
    predicted, cost = first["predicted"], first.get("cost") or {}
    numbers = [_metric(predicted, predicted[end]) for end in ("value", "low", "high")]
    expected = f"{predicted['metric']} {numbers[0]} (90% interval {numbers[1]} – {numbers[2]})"
    facts = [("expected", expected)]
    if first.get("trainable_parameters") is not None:
        facts.append(("trains", f"{count_text(first['trainable_parameters'])} weights"))
    if cost.get("train_memory_bytes") is not None:
        facts.append(("memory", bytes_text(cost["train_memory_bytes"])))
    if cost.get("train_seconds") is not None:
        facts.append(("time", f"{seconds_text(cost['train_seconds'])} on {cost['device']}"))
    if cost.get("money") is not None:
        facts.append(("money", f"{cost['money']:.2f}"))
    if cost.get("breaks"):
        facts.append(("breaks", ", ".join(cost["breaks"])))
    return facts


def _rule_lines(rule: Mapping[str, Any]) -> list[str]:
    verdict = {True: "agrees", False: "disagrees", None: "note"}[rule["agrees"]]
    says = "" if rule["agrees"] is None else f" says {rule['says']}"
    return [
        f"  [{verdict}] {rule['rule']}{says}: {rule['because']}",
        f"    prediction: {rule['prediction']}",
    ]


def _recipe_lines(recipe: Mapping[str, Any]) -> list[str]:
    rates = ", ".join(f"{rate:g}" for rate in recipe["learning_rates"])
    lines = [
        "Recipe (with --format json also as arguments of transformers and PEFT):",
        f"  learning rate  one of {rates}, by a look at {recipe['held_out_share']:.0%} held out",
        f"  epochs         {recipe['epochs']}, of {recipe['batch_size']} samples a step; "
        f"stop after {recipe['patience']} without gain",
        f"  weight decay   {recipe['weight_decay']:g}",
        f"  augmentation   {'; '.join(recipe['augmentation']) or 'none'}",
        f"  freeze         {recipe['freeze']}",
    ]
    return lines + [f"  {note}" for note in recipe["notes"]]


def _nearest_text(decision: Mapping[str, Any], each: Mapping[str, Any]) -> str:
    name = f"{each['strategy']} of {each['model']}"
    if decision["fits"] is False:
        return f"nothing fits; {name} comes near and needs {each['change']}."
    return f"{name} is predicted higher, and needs {each['change']}."


def _unavailable(document: Mapping[str, Any]) -> list[str]:
    """Each model's strategies that it cannot take, those with one reason together."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for row in document.get("unavailable", []):
        grouped.setdefault((row["model"], row["reason"]), []).append(row["strategy"])
    return [
        f"not available: {model}: {', '.join(strategies)}: {reason}"
        for (model, reason), strategies in grouped.items()
    ]


def _prior_text(candidate: Mapping[str, Any], prior: Mapping[str, Any]) -> str:
    value = _metric(prior, prior["value"])
    return (
        f"measured before: {candidate['strategy']} of {candidate['model']}: {prior['metric']} "
        f"{value} on {prior['dataset']} with {prior['n_train']:,} labels{_weight(candidate, prior)}"
    )


def _weight(candidate: Mapping[str, Any], prior: Mapping[str, Any]) -> str:
    """What an earlier result means for the prediction, where that is known."""
    if not prior.get("same_rows"):
        return ""
    if prior.get("as_recipe") is False:
        return ", in shorter runs than its recipe, and so no part of its prediction"
    rests = (candidate.get("basis") or "").endswith("measured before")
    return ", these very samples, and part of its prediction" if rests else ", these very samples"


def _metric(about: Mapping[str, Any], value: float) -> str:
    return f"{value:.1%}" if about["metric"] == "accuracy" else f"{value:.3f}"


def _fits(cost: Mapping[str, Any]) -> str:
    if not cost or cost["fits"] is None:
        return "?"
    return "yes" if cost["fits"] else f"no: {', '.join(cost['breaks'])}"


def _has_ceilings(limits: Mapping[str, Any]) -> bool:
    names = ("max_gpu_memory", "max_train_time", "max_cost", "device")
    return any(limits[name] is not None for name in names)


def _known(value: Any, text: Any) -> str:
    return "–" if value is None else str(text(value))
