"""What is written down of jobs: both or neither, in order, and nothing left of what was removed."""

import sqlite3

import pytest

from tumorscope.errors import OutputError
from tumorscope.jobs.record import Job, JobGoneError
from tumorscope.jobs.store import FILE, JobStore


@pytest.fixture
def store(tmp_path):
    opened = JobStore(tmp_path)
    yield opened
    opened.close()


def a_job(job_id="a", created=1.0):
    return Job(job_id, "findings", "queued", "", 3, 0, 0, created, options={"channels": "one"})


def test_a_job_comes_back_as_it_was_added(store):
    store.add(a_job(), [("x.png", "r1"), ("\udcff.png", "r2")])
    assert store.get("a") == a_job()
    assert store.files("a") == [("x.png", "r1"), ("\\udcff.png", "r2")]
    with pytest.raises(JobGoneError):
        store.get("b")


def test_every_change_has_its_number_and_entries_follow_each_other(store):
    store.add(a_job(), [])
    assert store.begin("a").revision == 1
    assert store.record("a", ['{"n": 0}', '{"n": 1}'], 1).done == 1
    after = store.record("a", ['{"n": 2}'], 2)
    assert (after.revision, after.done, after.status) == (3, 2, "running")
    assert store.entries("a") == ['{"n": 0}', '{"n": 1}', '{"n": 2}']
    assert store.entries("a", since=1, limit=1) == ['{"n": 1}']
    assert store.count_entries("a") == 3
    told = store.report("a", "comparing", 5, 40)
    assert (told.stage, told.done, told.total) == ("comparing", 5, 40)
    ended = store.end("a", "failed", "no reason")
    assert (ended.status, ended.error, ended.stage, ended.is_open) == ("failed", "no reason", "", False)


def test_entries_and_their_count_are_written_together_or_not_at_all(store):
    store.add(a_job(), [])
    with pytest.raises(OutputError, match="cannot be used"):
        store.record("a", ["{}", object()], 2)
    assert (store.get("a").done, store.entries("a")) == (0, [])
    with pytest.raises(JobGoneError):
        store.record("gone", ["{}"], 1)
    assert store.count_entries("gone") == 0


def test_jobs_are_listed_by_their_status_oldest_first(store):
    for job in (a_job("young", 3.0), a_job("old", 1.0), a_job("middle", 2.0)):
        store.add(job, [])
    store.begin("middle")
    store.end("middle", "done")
    assert [job.id for job in store.with_status(("queued", "running"))] == ["old", "young"]
    assert [job.id for job in store.with_status(("done",))] == ["middle"]


def test_a_job_can_begin_again_with_other_options(store):
    store.add(a_job(), [])
    store.record("a", ["{}"], 1)
    store.begin_again("a", {"channels": "all"})
    assert (store.get("a").done, store.get("a").options, store.entries("a")) == (0, {"channels": "all"}, [])


def test_tries_are_counted_file_by_file(store):
    store.add(a_job(), [])
    assert [store.try_file("a", 4) for _ in range(3)] == [0, 1, 2]
    assert [store.try_file("a", 5), store.try_file("a", 4)] == [0, 0]


def test_a_stop_by_request_lays_down_what_runs_and_takes_the_try_back(store):
    for name, change in (("a", store.begin), ("b", None), ("c", lambda name: store.end(name, "done"))):
        store.add(a_job(name), [])
        if change:
            change(name)
    assert [store.try_file("a", 4) for _ in range(2)] == [0, 1]
    store.lay_down()
    assert [store.get(name).status for name in "abc"] == ["queued", "queued", "done"]
    assert store.try_file("a", 4) == 1


def test_what_was_written_stands_without_closing(tmp_path, store):
    store.add(a_job(), [("x.png", "r1")])
    store.record("a", ["{}"], 1)
    other = JobStore(tmp_path)  # as the next server after a kill
    assert (other.get("a").done, other.entries("a"), other.files("a")) == (1, ["{}"], [("x.png", "r1")])
    other.close()


def test_nothing_of_a_removed_job_is_left_on_the_disk(tmp_path, store):
    store.add(a_job(), [("Doe_Jane_1970.png", "r1")])
    store.record("a", ['{"file": "Doe_Jane_1970.png"}'], 1)
    assert any(b"Doe_Jane_1970" in path.read_bytes() for path in tmp_path.iterdir())
    store.remove("a")
    assert store.entries("a") == store.files("a") == []
    assert not any(b"Doe_Jane_1970" in path.read_bytes() for path in tmp_path.iterdir())


def test_a_disk_that_is_full_when_a_job_is_removed_is_told(store):
    class Full:
        def __init__(self, database):
            self.database = database

        def __getattr__(self, name):
            return getattr(self.database, name)

        def execute(self, statement, *values):
            if "wal_checkpoint" in statement:
                raise sqlite3.OperationalError("database or disk is full")
            return self.database.execute(statement, *values)

    store.add(a_job(), [])
    store._database = Full(store._database)
    with pytest.raises(OutputError, match="disk is full"):
        store.remove("a")


def test_a_file_of_another_version_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(OutputError, match=r"jobs\.db: cannot be used .*another version.*; "):
        JobStore(tmp_path)
