"""One ranking in a worker: the library's own `rank`, on what the front has sent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transferscore.events import Event, SamplesEncoded
from transferscore.rank import rank
from transferscore_server.workers.keeper import WorkerKeeper
from transferscore_server.workers.messages import Message

__all__ = ["run_ranking"]


def run_ranking(
    asked: Mapping[str, Any], keeper: WorkerKeeper, send: Callable[[Message], None]
) -> dict[str, Any]:
    """The document of the ranking that is asked for; progress goes out by `send` meanwhile."""
    options = dict(asked["options"])
    if options.get("device", "auto") == "auto":
        options["device"] = asked["device"]
    with _dataset_path(asked["dataset"]) as path:
        ranking = rank(
            path,
            asked["models"],
            **options,
            cache=asked["features"],
            on_event=lambda event: _tell(event, send),
            keeper=keeper,
        )
    document = ranking.to_dict()
    if asked["dataset"]["format"] != "path":
        # Where an uploaded dataset lay here is of no use to anybody; its sender knows where it is.
        document["dataset"] |= {"source": None, "columns": None}
    return document


@contextmanager
def _dataset_path(dataset: Mapping[str, Any]) -> Iterator[str]:
    """Where the dataset lies, under the name and suffix that reports and readers go by."""
    if dataset["format"] == "path":
        yield dataset["path"]
        return
    with tempfile.TemporaryDirectory(prefix="transferscore-") as folder:
        link = Path(folder, f"{_file_name(dataset['name'])}.{dataset['format']}")
        link.symlink_to(dataset["path"])
        yield str(link)


def _file_name(name: str) -> str:
    cleaned = "".join(" " if c in "/\0" else c for c in name)
    return cleaned.encode()[:200].decode(errors="ignore").strip(" .") or "dataset"


def _tell(event: Event, send: Callable[[Message], None]) -> None:
    # Starts and ends of candidates are told by the keeper, which knows their positions.
    if isinstance(event, SamplesEncoded):
        told = {
            "model": event.model,
            "samples_done": event.done,
            "samples_total": event.total,
            "samples_stored": event.stored,
        }
        send(Message("progress", told))
