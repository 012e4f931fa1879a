"""The command itself, killed while it is called: what it accepted comes to its end, once."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import numpy as np

import transferscore
from tests.unit.server_jobs.front import ROWS, without_source, write_dataset
from tests.unit.server_jobs.served_kills import Serving, kill_served
from transferscore.v1 import ranking_service_pb2 as rankings_pb


def as_json(library):
    return json.loads(json.dumps(library.to_dict()))


def check_told(caller, library):
    """Each watcher heard everything once, in order, and the library's own answer at the end."""
    for told in caller.told.values():
        events = [message.sequence for message in told if not message.HasField("final")]
        numbered = [number for number in events if number]
        assert sorted(set(numbered)) == list(range(1, max(numbered) + 1))
        candidates = [m.candidate.model for m in told if m.HasField("candidate")]
        # A baseline is not asked for, and stands in the answer only.
        assert sorted(candidates) == sorted(c.model for c in library.candidates if not c.baseline)
        final = told[-1].final
        assert final.state == rankings_pb.Ranking.SUCCEEDED
        document = json.loads(final.document)
        assert document["dataset"]["source"] == final.spec.dataset
        assert without_source(document) == without_source(as_json(library))


def check_database(folder, n_rankings):
    with contextlib.closing(sqlite3.connect(folder / "data" / "transferscore.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT COUNT(*) FROM rankings").fetchone() == (n_rankings,)


def test_a_served_ranking_survives_the_kills_of_its_server(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    for width in (2, 4, 6):
        np.savez(models / f"{width}.npz", features=ROWS[:, :width])
    uris = [f"features:{models}/{width}.npz" for width in (2, 4, 6)]
    data = write_dataset(tmp_path)
    serving = Serving(tmp_path, models)
    caller = kill_served(serving, data, uris, n_kills=4, n_rankings=4)
    check_told(caller, transferscore.rank(data, uris, cache=False))
    assert (serving.kills, len(caller.told)) == (4, 4)
    check_database(tmp_path, 4)
