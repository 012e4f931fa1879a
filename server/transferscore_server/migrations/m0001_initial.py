"""Version 1: datasets, uploads, rankings, their candidates and events, request ids."""

from __future__ import annotations

__all__ = ["STATEMENTS"]

STATEMENTS = (
    """
    CREATE TABLE secrets (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE requests (
        project TEXT NOT NULL,
        request_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        name TEXT NOT NULL,
        create_time DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (project, request_id)
    )
    """,
    """
    CREATE TABLE datasets (
        name TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        state TEXT NOT NULL,
        display_name TEXT NOT NULL,
        format TEXT NOT NULL,
        digest TEXT NOT NULL,
        size_bytes BIGINT NOT NULL,
        uri TEXT NOT NULL,
        n_samples BIGINT,
        n_classes BIGINT,
        create_time DOUBLE PRECISION NOT NULL,
        expire_time DOUBLE PRECISION,
        version BIGINT NOT NULL,
        error TEXT,
        labels TEXT NOT NULL
    )
    """,
    "CREATE INDEX datasets_by_time ON datasets (project, create_time, name)",
    """
    CREATE TABLE uploads (
        name TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        dataset TEXT NOT NULL,
        state TEXT NOT NULL,
        format TEXT NOT NULL,
        display_name TEXT NOT NULL,
        total_size BIGINT NOT NULL,
        expected_digest TEXT NOT NULL,
        create_time DOUBLE PRECISION NOT NULL,
        expire_time DOUBLE PRECISION NOT NULL,
        labels TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE rankings (
        name TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        state TEXT NOT NULL,
        dataset TEXT NOT NULL,
        spec TEXT NOT NULL,
        priority BIGINT NOT NULL,
        deadline DOUBLE PRECISION,
        labels TEXT NOT NULL,
        create_time DOUBLE PRECISION NOT NULL,
        start_time DOUBLE PRECISION,
        end_time DOUBLE PRECISION,
        version BIGINT NOT NULL,
        n_candidates BIGINT NOT NULL,
        n_done BIGINT NOT NULL,
        n_failed BIGINT NOT NULL,
        last_sequence BIGINT NOT NULL,
        deaths BIGINT NOT NULL,
        error TEXT,
        document TEXT,
        lease TEXT,
        lease_owner TEXT,
        lease_until DOUBLE PRECISION
    )
    """,
    "CREATE INDEX rankings_by_time ON rankings (project, create_time, name)",
    "CREATE INDEX rankings_by_state ON rankings (state, priority, create_time)",
    """
    CREATE TABLE candidates (
        ranking TEXT NOT NULL REFERENCES rankings (name) ON DELETE CASCADE,
        position BIGINT NOT NULL,
        model TEXT NOT NULL,
        deaths BIGINT NOT NULL,
        results TEXT,
        error TEXT,
        outcome {blob},
        PRIMARY KEY (ranking, position)
    )
    """,
    """
    CREATE TABLE events (
        ranking TEXT NOT NULL REFERENCES rankings (name) ON DELETE CASCADE,
        sequence BIGINT NOT NULL,
        time DOUBLE PRECISION NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (ranking, sequence)
    )
    """,
)
