"""Datasets of the Hugging Face hub, by name, from the local cache where there is no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transferscore.datasets.columns import Columns
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.frames import table_of_hub_dataset
from transferscore.datasets.table_file import dataset_of_table
from transferscore.datasets.table_samples import ANYWHERE
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError, MissingExtraError
from transferscore.wording import one_line

__all__ = ["read_hub_dataset"]

_SCHEME = "hf:"
_LONGEST_KNOCK = 5.0  # seconds


def read_hub_dataset(
    source: str,
    *,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """The dataset called `hf:NAME[/CONFIG][:SPLIT]`, or saved in the folder `hf:FOLDER[:SPLIT]`.

    It comes from the local cache if it is there. Datasets that need code of their own to be read
    are refused by the library.

    Args:
        source: Such a name.
        task: What is to be learnt; None to go by the labels.
        split: The split to read, if the name has none; None for the train split, or all rows.
        columns: The columns of each role; see `named_columns`.

    Raises:
        DatasetError: It is not in the cache and the hub cannot be reached, or there is none.
        MissingExtraError: The package `datasets` is not installed.
    """
    name, _, named_split = source.removeprefix(_SCHEME).partition(":")
    if not name:
        raise DatasetError(f"`{source}` must name a dataset, as in hf:glue/sst2:train.")
    table = table_of_hub_dataset(_loaded(name, source), source)
    return dataset_of_table(
        table,
        name=name.rstrip("/").rsplit("/", 1)[-1],
        task=task,
        split=named_split or split,
        columns=columns,
        folder=ANYWHERE,
    )


def _loaded(name: str, source: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise MissingExtraError.of("datasets", "datasets", f"Reading `{source}`") from None
    try:
        if Path(name).expanduser().is_dir():
            return _from_folder(str(Path(name).expanduser()))
        with _offline_where_no_hub_answers():
            return _from_hub(name)
    except (ConnectionError, datasets.exceptions.DatasetNotFoundError, OSError) as error:
        raise DatasetError(_unreachable(name, source, error)) from error
    except Exception as error:  # builders raise what their files make them
        reason = one_line(error).rstrip(".")
        raise DatasetError(f"`{source}` cannot be read: {reason}.") from error


def _from_folder(folder: str) -> Any:
    """What `save_to_disk` wrote, or a folder of data files that the library knows how to read."""
    import datasets

    is_saved = any((Path(folder) / f).is_file() for f in ("state.json", "dataset_dict.json"))
    return datasets.load_from_disk(folder) if is_saved else datasets.load_dataset(folder)


def _from_hub(name: str) -> Any:
    """`owner/name/config`; of two parts, whichever of `owner/name` and `name/config` exists."""
    import datasets

    parts = name.split("/")
    if len(parts) >= 3:
        return datasets.load_dataset("/".join(parts[:2]), "/".join(parts[2:]))
    if len(parts) == 2 and _is_cached(parts[0]):
        return datasets.load_dataset(parts[0], parts[1])
    try:
        return datasets.load_dataset(name)
    except datasets.exceptions.DatasetNotFoundError:
        if len(parts) < 2:
            raise
        return datasets.load_dataset(parts[0], parts[1])


@contextmanager
def _offline_where_no_hub_answers() -> Iterator[None]:
    """Look in the cache alone where there is no network; the libraries ask six times, for a minute.

    They read their switches once, when they are imported, and so these are turned themselves.
    """
    import datasets
    from huggingface_hub import constants

    before = datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
    try:
        if not _answers(constants.ENDPOINT):
            datasets.config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE = True
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE = before


def _answers(address: str) -> bool:
    """Whether anything is there, whatever it says."""
    import huggingface_hub

    try:
        huggingface_hub.get_session().head(address, timeout=_LONGEST_KNOCK)
    except Exception:  # whichever HTTP library the hub's client is made on
        return False
    return True


def _is_cached(name: str) -> bool:
    """Whether a dataset without an owner is here already, so that nobody need be asked."""
    import datasets

    return (Path(datasets.config.HF_DATASETS_CACHE) / name).is_dir()


def _unreachable(name: str, source: str, error: Exception) -> str:
    import datasets

    cache = datasets.config.HF_DATASETS_CACHE
    reason = one_line(error).rstrip(".")
    return (
        f"`{source}` is neither in the local cache ({cache}) nor could it be had from the hub: "
        f"{reason}. Where there is a network, run "
        f"`python -c \"import datasets; datasets.load_dataset('{name}')\"` and copy the cache, or "
        f"save it with `save_to_disk` and pass hf:FOLDER."
    )
