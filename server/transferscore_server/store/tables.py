"""The tables as queries see them; `migrations` makes them, and a test compares the two."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, LargeBinary, MetaData, Table, Text

__all__ = [
    "METADATA",
    "candidates",
    "datasets",
    "events",
    "rankings",
    "requests",
    "secrets",
    "uploads",
]

METADATA = MetaData()


def _text(name: str, *, nullable: bool = False, key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, primary_key=key)


def _whole(name: str, *, nullable: bool = False, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable, primary_key=key, autoincrement=False)


def _time(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


secrets = Table("secrets", METADATA, _text("name", key=True), _text("value"))

requests = Table(
    "requests",
    METADATA,
    _text("project", key=True),
    _text("request_id", key=True),
    _text("fingerprint"),
    _text("name"),
    _time("create_time"),
)

datasets = Table(
    "datasets",
    METADATA,
    _text("name", key=True),
    _text("project"),
    _text("state"),
    _text("display_name"),
    _text("format"),
    _text("digest"),
    _whole("size_bytes"),
    _text("uri"),
    _whole("n_samples", nullable=True),
    _whole("n_classes", nullable=True),
    _time("create_time"),
    _time("expire_time", nullable=True),
    _whole("version"),
    _text("error", nullable=True),
    _text("labels"),
)

uploads = Table(
    "uploads",
    METADATA,
    _text("name", key=True),
    _text("project"),
    _text("dataset"),
    _text("state"),
    _text("format"),
    _text("display_name"),
    _whole("total_size"),
    _text("expected_digest"),
    _time("create_time"),
    _time("expire_time"),
    _text("labels"),
)

rankings = Table(
    "rankings",
    METADATA,
    _text("name", key=True),
    _text("project"),
    _text("state"),
    _text("dataset"),
    _text("spec"),
    _whole("priority"),
    _time("deadline", nullable=True),
    _text("labels"),
    _time("create_time"),
    _time("start_time", nullable=True),
    _time("end_time", nullable=True),
    _whole("version"),
    _whole("n_candidates"),
    _whole("n_done"),
    _whole("n_failed"),
    _whole("last_sequence"),
    _whole("deaths"),
    _text("error", nullable=True),
    _text("document", nullable=True),
    _text("lease", nullable=True),
    _text("lease_owner", nullable=True),
    _time("lease_until", nullable=True),
)

candidates = Table(
    "candidates",
    METADATA,
    _text("ranking", key=True),
    _whole("position", key=True),
    _text("model"),
    _whole("deaths"),
    _text("results", nullable=True),
    _text("error", nullable=True),
    Column("outcome", LargeBinary, nullable=True),
)

events = Table(
    "events",
    METADATA,
    _text("ranking", key=True),
    _whole("sequence", key=True),
    _time("time"),
    _text("kind"),
    _text("body"),
)
