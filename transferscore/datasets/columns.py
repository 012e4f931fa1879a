"""Which columns of a table are the sample, the label, the split and the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from transferscore.datasets.audio import AUDIO_SUFFIXES, AudioSample
from transferscore.datasets.dataset import Modality
from transferscore.datasets.decoding import IMAGE_SUFFIXES
from transferscore.datasets.images import ImageSample
from transferscore.datasets.labels import label_text
from transferscore.datasets.table import Table, column_named
from transferscore.errors import DatasetError

__all__ = ["Columns", "Roles", "choose_columns", "named_columns", "refuse_columns"]

Columns: TypeAlias = str | Mapping[str, str | Sequence[str]]

_ROLES = ("text", "tokens", "image", "audio", "features", "label", "split", "group")
_TEXT = ("text", "sentence", "content", "review")
_LABEL = ("label", "class", "category", "target", "y", "score", "labels", "cls")
_TOKENS, _TAGS = ("tokens", "words"), ("tags", "ner_tags", "labels", "label", "pos_tags")
_IMAGE = ("image", "img", "picture", "photo")
_AUDIO = ("audio", "sound", "speech", "recording")
_FILE = ("file", "path", "filename", "file_name")
_PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("sentence_a", "sentence_b"),
    ("question", "answer"),
    ("query", "passage"),
)
_WORDS_OF_PROSE = 3  # a column whose values have more words than this on average is a text
_LOOKED_AT = 200  # so many values tell what a column holds


@dataclass(frozen=True, slots=True)
class Roles:
    """What each column of a table is for.

    Attributes:
        modality: What the samples are made of.
        samples: The columns that they are made from: one, two for a pair, any for a table's rows.
        labels: The columns of the label: several for several outputs or labels.
        split: The column of the split, or None.
        group: The column whose equal values belong together, or None.
        label_name: The column with a name to show for the label, or None.
        is_plain: Whether the columns are called what they are, so that nothing was guessed.
    """

    modality: Modality
    samples: tuple[str, ...]
    labels: tuple[str, ...]
    split: str | None = None
    group: str | None = None
    label_name: str | None = None
    is_plain: bool = False

    def __str__(self) -> str:
        noun = {"text_pair": "text pair", "table": "features"}.get(self.modality, self.modality)
        taken = f"columns taken: {_listed(self.samples)} as {noun}, {_listed(self.labels)} as label"
        return taken if self.split is None else f"{taken}, {self.split} as split"


def named_columns(columns: Columns | None) -> dict[str, tuple[str, ...]]:
    """The columns that the user names, by role.

    Args:
        columns: A mapping from role to one name or several, or the same as text:
            "text=first+second,label=score". Roles are text, tokens, image, audio, features, label,
            split and group.

    Raises:
        DatasetError: It is neither, or there is no such role.
    """
    if columns is None:
        return {}
    named = _parsed(columns) if isinstance(columns, str) else dict(columns)
    for role in named:
        if role not in _ROLES:
            raise DatasetError(f"`columns` must name one of {', '.join(_ROLES)}; got {role!r}.")
    return {
        role: (names,) if isinstance(names, str) else tuple(names) for role, names in named.items()
    }


def refuse_columns(columns: Columns | None, where: str) -> None:
    """Say that a source without columns cannot have any named.

    Raises:
        DatasetError: Some are named.
    """
    if columns is not None:
        raise DatasetError(
            f"`{where}` has no columns; got `columns={columns!r}`. Leave `columns` out, or put "
            "an index.csv with columns beside the files."
        )


def choose_columns(table: Table, named: Mapping[str, Sequence[str]]) -> Roles:
    """The role of each column: as the user named it, or by its name and what it holds.

    Args:
        table: The rows.
        named: As of `named_columns`.

    Raises:
        DatasetError: A named column is not there, or no column can be the sample or the label.
    """
    _check_there(table, named)
    split = _one(named, "split") or column_named(table, ("split",), what="split")
    group = _one(named, "group")
    sample = _named_sample(named)
    labels = tuple(named.get("label", ())) or _guessed_label(table, sample)
    if sample is None:
        taken = {*labels, *(name for name in (split, group) if name)}
        sample = _guessed_sample(table, taken)
    name = column_named(table, ("label_name",), what="label's name")
    is_plain = bool(named) or (sample[1][0], *labels) in (("text", "label"), ("tokens", "tags"))
    roles = Roles(sample[0], sample[1], labels, split, group, name, is_plain)
    return replace(roles, label_name=None if name in {*labels, *sample[1]} else name)


def _parsed(columns: str) -> dict[str, str | Sequence[str]]:
    named: dict[str, str | Sequence[str]] = {}
    for part in columns.split(","):
        role, equals, names = part.partition("=")
        if not equals or not names.strip():
            raise DatasetError(
                f"`columns` must look like text=COLUMN,label=COLUMN, several columns of one role "
                f"joined by +; got {columns!r}."
            )
        named[role.strip()] = [name.strip() for name in names.split("+")]
    return named


def _check_there(table: Table, named: Mapping[str, Sequence[str]]) -> None:
    for role, names in named.items():
        for name in names:
            if name not in table.columns:
                raise DatasetError(
                    f"`{table.where}` has no column {name!r}, which `columns` names as the {role}; "
                    f"its columns are {', '.join(table.columns)}."
                )


def _one(named: Mapping[str, Sequence[str]], role: str) -> str | None:
    return named[role][0] if role in named else None


def _named_sample(
    named: Mapping[str, Sequence[str]],
) -> tuple[Modality, tuple[str, ...]] | None:
    kinds: dict[str, Modality] = {
        "text": "text_pair" if len(named.get("text", ())) == 2 else "text",
        "tokens": "tokens",
        "image": "image",
        "audio": "audio",
        "features": "table",
    }
    given = [role for role in kinds if role in named]
    if len(given) > 1:
        raise DatasetError(
            f"`columns` must name one kind of sample; got {' and '.join(given)}. "
            "Two texts that belong together are named as text=FIRST+SECOND."
        )
    return (kinds[given[0]], tuple(named[given[0]])) if given else None


def _guessed_label(
    table: Table, sample: tuple[Modality, tuple[str, ...]] | None
) -> tuple[str, ...]:
    tokens = sample is not None and sample[0] == "tokens"
    if tokens or (sample is None and _tokens_column(table) is not None):
        column = column_named(table, _TAGS, what="words' tags")
    else:
        column = column_named(table, _LABEL, what="label")
    if column is None:
        names = _TAGS if tokens else _LABEL
        raise DatasetError(
            f"`{table.where}` must have a column {names[0]!r} (or one of {', '.join(names[1:])}); "
            f"its columns are {', '.join(table.columns)}. Rename the one that holds the label, or "
            f"name it with `columns`, as in label=COLUMN."
        )
    return (column,)


def _guessed_sample(table: Table, taken: set[str]) -> tuple[Modality, tuple[str, ...]]:
    if (column := _tokens_column(table)) is not None:
        return "tokens", (column,)
    for modality, names in (("image", _IMAGE), ("audio", _AUDIO), ("image", _FILE)):
        column = column_named(table, names, what=modality)
        if column is not None and column not in taken:
            kind = _media_kind(table.columns[column])
            if kind is not None:
                return kind, (column,)
    known = {column.strip().lower(): column for column in reversed(table.columns)}
    for first, second in _PAIRS:
        if "text" not in known and first in known and second in known:
            return "text_pair", (known[first], known[second])
    column = column_named(table, _TEXT, what="text")
    if column is not None and column not in taken:
        return "text", (column,)
    return _prose_or_table(table, [name for name in table.columns if name not in taken])


def _tokens_column(table: Table) -> str | None:
    column = column_named(table, _TOKENS, what="words")
    is_lists = column is not None and any(_is_list(value) for value in table.columns[column])
    return column if is_lists else None


def _media_kind(values: Sequence[Any]) -> Modality | None:
    """Whether these are images, sounds or neither, by the first value that is there."""
    value = next((value for value in values if value is not None), None)
    if isinstance(value, Mapping):
        if "array" in value:
            return "audio"
        value = value.get("path") or _signature_suffix(value.get("bytes") or b"")
    if isinstance(value, bytes):
        value = _signature_suffix(value)
    if isinstance(value, AudioSample) or hasattr(value, "get_all_samples"):
        return "audio"
    if (
        isinstance(value, ImageSample)
        or hasattr(value, "getbands")
        or (getattr(value, "dtype", None) == "uint8")
    ):
        return "image"
    text = str(value).lower()
    if text.endswith(IMAGE_SUFFIXES):
        return "image"
    return "audio" if text.endswith(AUDIO_SUFFIXES) else None


def _signature_suffix(content: bytes) -> str:
    """A suffix for the bytes of a file without a name."""
    if content[:4] in (b"fLaC", b"OggS", b"FORM", b".snd") or content[:3] == b"ID3":
        return ".wav"
    return ".wav" if content[:4] == b"RIFF" and content[8:12] == b"WAVE" else ".png"


def _prose_or_table(table: Table, left: list[str]) -> tuple[Modality, tuple[str, ...]]:
    """The only column of prose there is, or else all columns that can tell something."""
    prose = [name for name in left if _is_prose(table.columns[name])]
    if len(prose) == 1:
        return "text", (prose[0],)
    columns = tuple(name for name in left if not _is_label_name(name) and _tells(table, name))
    if prose or not columns:
        raise DatasetError(
            f"`{table.where}` must have a column 'text' (or one of {', '.join(_TEXT[1:])}), a pair "
            f"such as sentence1 and sentence2, images, sounds, words, or numbers and categories; "
            f"its columns are {', '.join(table.columns)}. Name the one that holds the sample with "
            f"`columns`, as in text=COLUMN, text=FIRST+SECOND or features=A+B+C."
        )
    return "table", columns


def _is_label_name(name: str) -> bool:
    return name.strip().lower() == "label_name"


def _is_prose(values: Sequence[Any]) -> bool:
    texts = [value for value in values[:_LOOKED_AT] if isinstance(value, str) and value.strip()]
    n_words = sum(len(text.split()) for text in texts)
    return n_words > _WORDS_OF_PROSE * len(texts) > 0


def _tells(table: Table, name: str) -> bool:
    """Whether a column varies, and is not a name of its own for every row."""
    values = table.columns[name]
    if any(_is_list(value) or isinstance(value, Mapping | bytes) for value in values[:_LOOKED_AT]):
        return False
    texts = {label_text(value) for value in values}
    from_numbers = all(not isinstance(value, str) or _is_number(value) for value in values)
    return len(texts) > 1 and (from_numbers or len(texts) < max(len(values), 2))


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
