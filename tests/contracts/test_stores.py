"""What every store must do: the same tests on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import inspect
from transferscore_server.migrations import MIGRATIONS, migrate
from transferscore_server.store.database import Database
from transferscore_server.store.errors import (
    AlreadyExistsError,
    EtagMismatchError,
    InUseError,
    NotFoundError,
    PageTokenError,
    QueueFullError,
    QuotaError,
    RequestReusedError,
    SchemaError,
    StoreBusyError,
)
from transferscore_server.store.limits import StoreLimits
from transferscore_server.store.records import (
    CandidateRecord,
    DatasetRecord,
    DatasetState,
    ErrorRecord,
    EventKind,
    ModelSpec,
    NewRanking,
    PageRequest,
    RankingSpec,
    RankingState,
    RequestKey,
    UploadRecord,
    UploadState,
)
from transferscore_server.store.sql import open_store
from transferscore_server.store.tables import METADATA

from tests.contracts.postgres_cluster import cluster, empty_database, reason_without
from transferscore.errors import InputError

DATASET = "projects/p/datasets/d"
LIMITS = StoreLimits(queued_rankings=40, queued_per_project=30, project_bytes=1000)


@pytest.fixture(scope="module")
def postgres():
    if (reason := reason_without()) is not None:
        pytest.skip(reason)
    with cluster() as socket:
        yield socket


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return empty_database(request.getfixturevalue("postgres"))


@pytest.fixture
def store(url):
    with contextlib.closing(open_store(url, LIMITS)) as opened:
        opened.create_dataset(DatasetRecord(DATASET, DatasetState.ACTIVE))
        yield opened


def new(ranking="r", project="p", **fields):
    spec = RankingSpec(DATASET, (ModelSpec("onnx:a.onnx"), ModelSpec("hf:b", "b")), {"seed": 3})
    return NewRanking(f"projects/{project}/rankings/{ranking}", spec, **fields)


def result(position, model="m"):
    rows = [{"predicted": {"value": 0.1 + position}, "scores": {"logme": float("-inf")}}]
    return CandidateRecord(position, model, results=rows, outcome=bytes([position, 0, 255]))


def failure(position, model="m"):
    return CandidateRecord(position, model, error=ErrorRecord("EncoderError", "no"), outcome=b"f")


def claimed(store, lease="life-1", owner="front", seconds=60.0):
    return store.claim(lease, owner, seconds)


def states_told(store, name):
    return [e.body["state"] for e in store.events(name) if e.kind == EventKind.STATE]


# Rankings as callers see them


def test_a_created_ranking_is_there_for_everybody_when_the_call_returns(store, url):
    record, is_new = store.create_ranking(new(labels={"who": "me"}, deadline=9e9, priority=2))
    assert is_new
    with contextlib.closing(open_store(url, LIMITS)) as other:
        assert other.get_ranking(record.name) == record
    assert record.state == RankingState.QUEUED
    assert record.spec == new().spec
    assert (record.labels, record.deadline, record.priority) == ({"who": "me"}, 9e9, 2)
    assert (record.n_candidates, record.n_done, record.last_sequence) == (2, 0, 1)
    assert abs(record.create_time - time.time()) < 60
    assert states_told(store, record.name) == ["QUEUED"]


def test_the_same_request_gives_the_same_ranking_and_another_is_refused(store):
    key = RequestKey("id-1", "digest")
    first, is_new = store.create_ranking(new(), key)
    again, is_new_again = store.create_ranking(new("other-id"), key)
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    with pytest.raises(RequestReusedError, match="'id-1' was used for a different request"):
        store.create_ranking(new(), RequestKey("id-1", "another"))
    store.create_dataset(DatasetRecord("projects/q/datasets/d", DatasetState.ACTIVE), key)


def test_one_request_sent_by_many_at_once_makes_one_ranking(store):
    key = RequestKey("id-1", "digest")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: store.create_ranking(new(f"r{i}"), key), range(16)))
    assert sum(is_new for _, is_new in answers) == 1
    assert len({record.name for record, _ in answers}) == 1
    assert len(store.list_rankings("p", PageRequest()).records) == 1


def test_what_cannot_be_created_is_refused_and_nothing_is_changed(store):
    store.create_ranking(new())
    with pytest.raises(AlreadyExistsError, match="`projects/p/rankings/r` exists already"):
        store.create_ranking(new(), RequestKey("id", "x"))
    elsewhere = replace(new("s"), spec=RankingSpec("projects/p/datasets/none", (), {}))
    with pytest.raises(NotFoundError, match="There is no `projects/p/datasets/none`"):
        store.create_ranking(elsewhere, RequestKey("id", "x"))
    assert len(store.list_rankings("p", PageRequest()).records) == 1
    assert store.create_ranking(new("t"), RequestKey("id", "y"))[1]


def test_a_full_queue_refuses_by_project_and_in_all(store):
    for i in range(30):
        store.create_ranking(new(f"r{i}"))
    with pytest.raises(QueueFullError, match="30 rankings of projects/p wait, of at most 30"):
        store.create_ranking(new("one-more"))
    for i in range(10):
        store.create_ranking(new(f"r{i}", "q"))
    with pytest.raises(QueueFullError, match="40 rankings of all projects wait") as caught:
        store.create_ranking(new("one-more", "q"))
    assert caught.value.retry_seconds > 0
    claimed(store)
    store.create_ranking(new("one-more", "q"))


def test_pages_hold_everything_once_in_order_whatever_comes_meanwhile(store):
    names = [store.create_ranking(new(f"r{i}"))[0].name for i in range(7)]
    page, seen = PageRequest(size=3, newest_first=False), []
    while True:
        found = store.list_rankings("p", page)
        seen += [record.name for record in found.records]
        if not found.next_token:
            break
        page = replace(page, token=found.next_token)
        store.create_ranking(new(f"later{len(seen)}", "q"))
    assert seen == names
    newest = store.list_rankings("p", PageRequest(size=2))
    assert [record.name for record in newest.records] == names[:-3:-1]


@pytest.mark.parametrize("token", ["nonsense", "QUJD" * 10, "é", "="])
def test_a_token_of_ones_own_making_is_refused(store, token):
    with pytest.raises(PageTokenError, match="must be the next_page_token of the same query"):
        store.list_rankings("p", PageRequest(token=token))


def test_a_token_is_good_for_its_own_query_only(store):
    for i in range(3):
        store.create_ranking(new(f"r{i}"))
    token = store.list_rankings("p", PageRequest(size=1)).next_token
    for project, page in [
        ("q", PageRequest(size=1, token=token)),
        ("p", PageRequest(size=1, token=token, state="QUEUED")),
        ("p", PageRequest(size=1, token=token, newest_first=False)),
    ]:
        with pytest.raises(PageTokenError):
            store.list_rankings(project, page)
    with pytest.raises(PageTokenError):
        store.list_datasets("p", PageRequest(size=1, token=token))
    assert len(store.list_rankings("p", PageRequest(size=5, token=token)).records) == 2


def test_a_list_can_be_of_one_state(store):
    for i in range(3):
        store.create_ranking(new(f"r{i}"))
    running = claimed(store)
    found = store.list_rankings("p", PageRequest(state="RUNNING")).records
    assert [record.name for record in found] == [running.name]


def test_an_ended_ranking_is_deleted_with_all_that_belongs_to_it(store):
    store.create_ranking(new())
    record = claimed(store)
    store.finish_candidate("life-1", record.name, result(0))
    with pytest.raises(InUseError, match="wait for that to end, or cancel it"):
        store.delete_ranking(record.name)
    store.finish("life-1", record.name, RankingState.SUCCEEDED, document={"schema_version": 1})
    with pytest.raises(EtagMismatchError, match="has changed: its etag is"):
        store.delete_ranking(record.name, record.etag)
    store.delete_ranking(record.name, store.get_ranking(record.name).etag)
    for read in (store.get_ranking, store.candidates, store.events, store.request_cancel):
        with pytest.raises(NotFoundError):
            read(record.name)
    assert store.resume_point(record.name) == ()


def test_the_etag_of_a_ranking_made_anew_is_another(store):
    first, _ = store.create_ranking(new())
    store.request_cancel(first.name)
    store.delete_ranking(first.name)
    assert store.create_ranking(new())[0].etag != first.etag


def test_cancelling_a_waiting_ranking_ends_it_and_twice_is_once(store):
    name = store.create_ranking(new())[0].name
    ended = store.request_cancel(name)
    assert (ended.state, ended.end_time is not None) == (RankingState.CANCELLED, True)
    assert store.request_cancel(name) == ended
    assert claimed(store) is None
    assert states_told(store, name) == ["QUEUED", "CANCELLED"]


def test_cancelling_a_running_ranking_asks_its_scheduler(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    assert store.cancelling("life-1") == []
    assert store.request_cancel(name).state == RankingState.CANCELLING
    assert store.cancelling("life-1") == [name]
    assert store.cancelling("another") == []
    assert store.finish("life-1", name, RankingState.CANCELLED)
    assert states_told(store, name) == ["QUEUED", "RUNNING", "CANCELLING", "CANCELLED"]


# Rankings as the scheduler sees them


def test_claims_go_by_priority_then_fairness_then_age(store):
    for ranking, project, priority in [
        ("a1", "a", 0),
        ("a2", "a", 0),
        ("b1", "b", 0),
        ("c1", "c", 5),
    ]:
        store.create_ranking(new(ranking, project, priority=priority))
    order = [claimed(store).name.rpartition("/")[2] for _ in range(4)]
    assert order == ["c1", "a1", "b1", "a2"]
    assert claimed(store) is None


def test_a_ranking_is_claimed_by_one_of_many(store):
    for i in range(10):
        store.create_ranking(new(f"r{i}"))
    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(lambda i: claimed(store, f"life-{i}"), range(20)))
    taken = [record.name for record in records if record is not None]
    assert len(taken) == len(set(taken))
    rest = []
    while (record := claimed(store)) is not None:
        rest.append(record.name)
    assert len(set(taken + rest)) == len(taken + rest) == 10


def test_candidates_are_kept_once_with_their_event_and_exact_bytes(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    assert store.finish_candidate("life-1", name, result(0))
    assert not store.finish_candidate("life-1", name, failure(0))
    assert store.finish_candidate("life-1", name, failure(1))
    record = store.get_ranking(name)
    assert (record.n_done, record.n_failed) == (1, 1)
    assert store.candidates(name) == (
        replace(result(0), outcome=None),
        replace(failure(1), outcome=None),
    )
    assert store.resume_point(name) == (result(0), failure(1))
    kinds = [(e.sequence, e.kind) for e in store.events(name)]
    assert kinds == [
        (1, EventKind.STATE),
        (2, EventKind.STATE),
        (3, EventKind.CANDIDATE),
        (4, EventKind.FAILURE),
    ]
    assert record.last_sequence == 4
    assert [e.sequence for e in store.events(name, after=1, limit=2)] == [2, 3]
    assert store.events(name, after=4) == ()
    assert store.events(name, after=3)[0].body == {
        "position": 1,
        "model": "m",
        "reason": "EncoderError",
        "message": "no",
    }


def test_a_front_whose_lease_is_void_changes_nothing(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    assert store.recover("life-2", "front") == 1
    before = store.get_ranking(name)
    assert before.state == RankingState.QUEUED
    assert not store.finish_candidate("life-1", name, result(0))
    assert not store.add_progress("life-1", name, {})
    assert not store.finish("life-1", name, RankingState.FAILED)
    assert store.record_death("life-1", name, 0, "m") == 0
    store.release("life-1", name)
    assert store.get_ranking(name) == before
    again = claimed(store, "life-2")
    assert (again.name, again.start_time) == (name, before.start_time)
    assert not store.finish_candidate("life-1", name, result(0))
    assert store.finish_candidate("life-2", name, result(0))


def test_recovery_leaves_the_rankings_of_other_fronts(store):
    name = store.create_ranking(new())[0].name
    claimed(store, "life-1", "other front")
    assert store.recover("life-2", "front") == 0
    assert store.get_ranking(name).state == RankingState.RUNNING


def test_recovery_ends_what_was_being_cancelled(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    store.request_cancel(name)
    assert store.recover("life-2", "front") == 0
    assert store.get_ranking(name).state == RankingState.CANCELLED
    assert claimed(store, "life-2") is None


def test_a_lease_that_runs_out_lets_another_front_go_on(store):
    name = store.create_ranking(new())[0].name
    claimed(store, seconds=0.05)
    store.heartbeat("life-1", 60.0)
    time.sleep(0.1)
    assert claimed(store, "life-2", "other front") is None
    store.heartbeat("life-1", -1.0)
    assert claimed(store, "life-2", "other front").name == name
    assert not store.finish("life-1", name, RankingState.FAILED)


def test_a_released_ranking_goes_on_with_all_that_it_had(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    store.finish_candidate("life-1", name, result(1))
    store.release("life-1", name)
    assert store.get_ranking(name).state == RankingState.QUEUED
    assert claimed(store, "life-2").n_done == 1
    assert store.resume_point(name) == (result(1),)


def test_deaths_are_counted_by_candidate_and_a_result_after_them_counts(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    deaths = [store.record_death("life-1", name, position, "m") for position in (0, 0, 1, -1, -1)]
    assert deaths == [1, 2, 1, 1, 2]
    assert store.candidates(name) == ()
    assert store.finish_candidate("life-1", name, result(0))
    assert [(c.position, c.deaths, c.is_finished) for c in store.resume_point(name)] == [
        (0, 2, True),
        (1, 1, False),
    ]


def test_an_end_is_final(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    document = {"candidates": [{"value": 0.1 + 0.2}], "failures": []}
    assert store.finish("life-1", name, RankingState.SUCCEEDED, document=document)
    assert not store.finish("life-1", name, RankingState.FAILED)
    ended = store.get_ranking(name)
    assert (ended.state, ended.document) == (RankingState.SUCCEEDED, document)
    assert store.list_rankings("p", PageRequest()).records[0].document is None
    assert store.request_cancel(name) == ended


def test_a_failed_ranking_says_why(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    why = ErrorRecord("DATASET", "The dataset has one class.")
    store.finish("life-1", name, RankingState.FAILED, error=why)
    assert store.get_ranking(name).error == why
    assert store.events(name)[-1].body == {
        "state": "FAILED",
        "error": {"reason": why.reason, "message": why.message},
    }


def test_counts_are_by_state(store):
    for i in range(3):
        store.create_ranking(new(f"r{i}"))
    claimed(store)
    counts = store.counts()
    assert (counts[RankingState.QUEUED], counts[RankingState.RUNNING]) == (2, 1)
    assert counts[RankingState.FAILED] == 0


def test_many_threads_number_events_without_gaps(store):
    name = store.create_ranking(new())[0].name
    claimed(store)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.add_progress("life-1", name, {"i": i}), range(40)))
    told = store.events(name)
    assert [e.sequence for e in told] == list(range(1, 43))
    assert {e.body["i"] for e in told if e.kind == EventKind.PROGRESS} == set(range(40))


# Datasets and uploads


def test_a_dataset_is_kept_changed_listed_and_deleted(store):
    record = DatasetRecord(
        "projects/p/datasets/flowers",
        DatasetState.IMPORTING,
        display_name="flowers",
        format="zip",
        size_bytes=10,
        labels={"a": "b"},
    )
    kept, is_new = store.create_dataset(record)
    assert is_new
    assert replace(kept, create_time=0.0, etag="") == record
    active = replace(kept, state=DatasetState.ACTIVE, digest="sha256:00", n_samples=7, n_classes=2)
    changed = store.update_dataset(active)
    assert changed == replace(active, etag=changed.etag)
    assert store.get_dataset(record.name) == changed
    with pytest.raises(EtagMismatchError):
        store.update_dataset(active)
    assert changed in store.list_datasets("p", PageRequest()).records
    assert store.digests() == {"sha256:00"}
    with pytest.raises(EtagMismatchError):
        store.delete_dataset(record.name, kept.etag)
    store.delete_dataset(record.name, changed.etag)
    with pytest.raises(NotFoundError):
        store.get_dataset(record.name)


def test_a_dataset_that_a_ranking_needs_stays(store):
    name = store.create_ranking(new())[0].name
    with pytest.raises(InUseError, match=f"in use by `{name}`"):
        store.delete_dataset(DATASET)
    store.request_cancel(name)
    store.delete_dataset(DATASET)


def test_a_project_may_keep_so_many_bytes(store):
    def dataset(size, project="p"):
        name = f"projects/{project}/datasets/d{size}"
        return DatasetRecord(name, DatasetState.ACTIVE, size_bytes=size)

    store.create_dataset(dataset(600))
    with pytest.raises(QuotaError, match="may keep 1000 bytes and keeps 600; 401 more do not fit"):
        store.create_dataset(dataset(401))
    with pytest.raises(QuotaError):
        store.create_upload(UploadRecord("projects/p/uploads/u", DATASET + "2", total_size=401))
    with pytest.raises(QuotaError):
        store.update_dataset(replace(dataset(600), size_bytes=1001))
    store.create_dataset(dataset(401, "q"))
    store.create_dataset(dataset(400))
    assert (store.project_bytes("p"), store.project_bytes("none")) == (1000, 0)


def upload(**fields):
    return UploadRecord(
        "projects/p/uploads/u",
        "projects/p/datasets/new",
        format="zip",
        total_size=10,
        expire_time=time.time() + 60,
        **fields,
    )


def test_an_upload_becomes_its_dataset_once(store):
    kept, _ = store.create_upload(upload(), RequestKey("id", "x"))
    assert store.create_upload(upload(), RequestKey("id", "x")) == (kept, False)
    assert store.get_upload(kept.name) == kept
    for taken in (upload(), replace(upload(), name="projects/p/uploads/v", dataset=DATASET)):
        with pytest.raises(AlreadyExistsError):
            store.create_upload(taken)
    dataset = DatasetRecord(
        kept.dataset, DatasetState.ACTIVE, digest="sha256:11", format="zip", size_bytes=10
    )
    made = store.finalize_upload(kept.name, dataset)
    assert store.finalize_upload(kept.name, dataset) == made == store.get_dataset(kept.dataset)
    assert store.get_upload(kept.name).state == UploadState.FINALIZED


def test_an_upload_whose_dataset_was_taken_is_not_finalized(store):
    kept, _ = store.create_upload(upload())
    store.create_dataset(DatasetRecord(kept.dataset, DatasetState.ACTIVE))
    with pytest.raises(AlreadyExistsError):
        store.finalize_upload(kept.name, DatasetRecord(kept.dataset, DatasetState.ACTIVE))
    assert store.get_upload(kept.name).state == UploadState.OPEN


def test_what_has_outlived_its_time_is_forgotten(store):
    now = time.time()
    late = replace(upload(), expire_time=now - 1)
    store.create_upload(late, RequestKey("id", "x"))
    with pytest.raises(NotFoundError):
        store.get_upload(late.name)
    old = DatasetRecord("projects/p/datasets/old", DatasetState.ACTIVE, expire_time=now - 1)
    store.create_dataset(old)
    name = store.create_ranking(new())[0].name
    store.request_cancel(name)
    assert store.expire(now) == (late.name,)
    with pytest.raises(NotFoundError):
        store.get_dataset(old.name)
    assert store.get_ranking(name).state == RankingState.CANCELLED
    assert store.expire(now + LIMITS.ranking_seconds + 60) == ()
    with pytest.raises(NotFoundError):
        store.get_ranking(name)
    assert store.create_upload(upload(), RequestKey("id", "another"))[1]


def test_a_dataset_in_use_does_not_expire(store):
    store.update_dataset(replace(store.get_dataset(DATASET), expire_time=1.0))
    store.create_ranking(new())
    store.expire(time.time())
    assert store.get_dataset(DATASET)


# The schema


def test_the_tables_are_those_that_the_migrations_make(store, url):
    made = inspect(store._database._engine)
    assert set(made.get_table_names()) == {*METADATA.tables, "schema_versions"}
    for name, table in METADATA.tables.items():
        columns = {c["name"]: c["nullable"] for c in made.get_columns(name)}
        if store._database.is_sqlite:
            # SQLite says of a text key that it may be null, although none is written.
            columns |= dict.fromkeys(made.get_pk_constraint(name)["constrained_columns"], False)
        assert columns == {c.name: c.nullable for c in table.columns}
        keys = made.get_pk_constraint(name)["constrained_columns"]
        assert keys == [c.name for c in table.primary_key]


def test_every_step_is_taken_once_from_any_version(store):
    later = {max(MIGRATIONS) + 1: ("ALTER TABLE uploads ADD COLUMN note TEXT",)}
    with store._database.write() as connection:
        assert migrate(connection) == ()
        assert migrate(connection, {**MIGRATIONS, **later}) == tuple(later)
        assert migrate(connection, {**MIGRATIONS, **later}) == ()


def test_a_step_that_fails_leaves_the_version_before(store, url):
    newest = max(MIGRATIONS)
    broken = {newest + 1: ("ALTER TABLE uploads ADD COLUMN note TEXT", "NO SUCH STATEMENT")}
    with pytest.raises(Exception, match="NO"), store._database.write() as connection:
        migrate(connection, {**MIGRATIONS, **broken})
    with store._database.write() as connection:
        assert migrate(connection) == ()
    assert "note" not in {
        c["name"] for c in inspect(store._database._engine).get_columns("uploads")
    }


def test_a_newer_database_is_not_touched(store, url):
    with store._database.write() as connection:
        migrate(connection, {**MIGRATIONS, max(MIGRATIONS) + 1: ()})
    with pytest.raises(SchemaError, match="Install the version of transferscore that wrote it"):
        Database(url)


def test_two_fronts_may_open_a_new_database_at_once(url):
    errors = []

    def opened():
        try:
            open_store(url).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


# Trouble


def test_a_database_that_another_holds_is_busy_and_unharmed(store, url):
    record, _ = store.create_ranking(new())
    impatient = Database(url, busy_seconds=0.1)
    with store._database.write() as connection:
        store._database.count_alone(connection)
        with (
            pytest.raises(StoreBusyError, match="cannot be used now") as caught,
            impatient.write() as other,
        ):
            impatient.count_alone(other)
        assert caught.value.retry_seconds > 0
    impatient.close()
    assert store.get_ranking(record.name) == record


def test_a_database_that_cannot_be_reached_is_busy(tmp_path):
    for url in (f"sqlite:///{tmp_path}/none/store.db", f"postgresql://u@/d?host={tmp_path}"):
        if "postgresql" in url and reason_without() is not None:
            continue
        with pytest.raises(StoreBusyError, match="nothing was changed"):
            Database(url)


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:secret@host/d", "oracle+x://u:secret@h/d"])
def test_a_url_of_no_database_is_refused_and_not_repeated(url):
    with pytest.raises(InputError, match="`database_url` must be `sqlite:") as caught:
        Database(url)
    assert "secret" not in str(caught.value)


def test_a_write_that_raises_changes_nothing(store):
    name = store.create_ranking(new())[0].name
    before = store.get_ranking(name)

    def fail_halfway():
        with store._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM events")
            raise KeyError

    with pytest.raises(KeyError):
        fail_halfway()
    assert store.get_ranking(name) == before
    assert len(store.events(name)) == 1
