"""Makes strategy_evidence.csv: what kernels and rehearsals say, on the training rows alone.

    python tests/benchmarks/strategy_evidence.py [--table FILE] [MODEL/DATASET ...]

The same models, datasets and 500 training rows as `measured_strategies.py`. `calibrate_outlook.py`
puts the two tables together.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.measured_strategies import (
    JOBS,
    SEED,
    compact,
    open_dataset,
    open_model,
    split_rows,
)
from tests.benchmarks.tables import add_row, rows_of
from transferscore.strategies import STRATEGIES
from transferscore.strategies.evidence import gather_evidence

TABLE = Path(__file__).with_suffix(".csv")
COLUMNS = [
    *["model", "dataset", "strategy", "probe", "kernel", "share", "penalty"],
    *["rehearsed_probe", "rehearsed_tuned", "rehearsed_frozen", "rehearsed_refitted"],
    *["n_rehearsed", "n_rows", "n_classes", "seconds"],
]


def gathered(table: Path = TABLE) -> list[dict[str, str]]:
    return rows_of(table)


def gather(model: str, name: str, table: Path) -> None:
    if any((row["model"], row["dataset"]) == (model, name) for row in gathered(table)):
        return
    whole = open_dataset(name)
    dataset = compact(whole, split_rows(whole)[0])
    began = time.perf_counter()
    found = gather_evidence(open_model(model), dataset, list(STRATEGIES.values()), SEED)
    seconds = time.perf_counter() - began
    probe = found["linear_probe"].kernel.value
    for strategy, evidence in found.items():
        if isinstance(evidence, str):
            continue
        seen = evidence.rehearsal
        row = {
            "model": model,
            "dataset": name,
            "strategy": strategy,
            "probe": f"{probe:.4f}",
            "kernel": f"{evidence.kernel.value:.4f}",
            "share": evidence.kernel.share,
            "penalty": f"{evidence.kernel.penalty:.1e}",
            "rehearsed_probe": f"{seen.probe:.4f}" if seen else "",
            "rehearsed_tuned": f"{seen.tuned:.4f}" if seen else "",
            "rehearsed_frozen": f"{seen.frozen:.4f}" if seen else "",
            "rehearsed_refitted": f"{seen.refitted:.4f}" if seen else "",
            "n_rehearsed": seen.n_rows if seen else "",
            "n_rows": len(dataset),
            "n_classes": dataset.n_classes,
            "seconds": f"{seconds:.0f}",
        }
        add_row(table, COLUMNS, row)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("jobs", nargs="*", default=[f"{model}/{name}" for model, name in JOBS])
    options = parser.parse_args()
    for job in options.jobs:
        gather(*job.split("/"), options.table)
