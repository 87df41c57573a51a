"""Old sessions go by rule and come back on demand; what is open, used meanwhile or unreadable stays."""

import logging
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from kiro_core import Provider, hookimpl
from kiro_core.dispatcher import open_desk, retention
from kiro_core.errors import DeskFull, Held, SessionNotFound, Unavailable
from kiro_core.frames import Frame
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_core.testing import RecordingClient
from kiro_core.testing.store_samples import session, stored
from kiro_core.types import PruneRule, SessionQuery
from kiro_files import FilesOptions, open_store

LONG_AGO, NOW = "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
KEPT, TRASH = SessionQuery(), SessionQuery(trashed=True)


def ago(**time):
    """So long ago, as sessions have it."""
    return (datetime.now(UTC) - timedelta(**time)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Meddled:
    """A plugin: the files store, where something happens right before a verb, once."""

    def __init__(self):
        self.before, self.files = {}, None

    @hookimpl
    def kiro_stores(self):
        yield Provider("meddled", self._opened)

    @asynccontextmanager
    async def _opened(self, _):
        async with open_store(FilesOptions()) as self.files:
            yield self

    def __getattr__(self, name):
        return getattr(self.files, name)

    @asynccontextmanager
    async def open(self, which, *contact):
        await self._happens("open")
        async with self.files.open(which, *contact) as db:
            yield db

    async def delete(self, which, **more):
        await self._happens("delete")
        await self.files.delete(which, **more)

    async def list(self, query, cursor=None, limit=50):
        await self._happens("list")
        assert limit <= 200, "no more than a page is asked for"
        return await self.files.list(query, cursor, limit)

    async def _happens(self, verb):
        if verb in self.before:
            await self.before.pop(verb)()


class Archive:
    """The store of the test's home, and a desk at it."""

    def __init__(self, store, desk):
        self.store, self.desk = store, desk

    async def stored(self, **fields):
        """A session with one record that nobody holds; its id."""
        info = session(**{"updated": LONG_AGO, **fields})
        async with self.store.files.create(info) as db:
            await db.append([b'{"at":"","kind":"odd"}'])
        return info.id

    async def change(self, id_, **fields):
        async with self.store.files.open(id_) as db:
            await db.put_info(replace(db.info, **fields))

    async def kept(self):
        return {info.id for info in (await self.store.files.list(KEPT, limit=999)).items}

    async def trash(self):
        return {info.id for info in (await self.store.files.list(TRASH, limit=999)).items}

    async def prune(self, *, dry_run=False, only=None, **rule):
        """What became of each session, by its id."""
        pruned = await self.desk.prune(PruneRule(**rule), dry_run=dry_run, only=only)
        assert len({each.session for each in pruned}) == len(pruned)
        return {each.session: each for each in pruned}

    async def outcomes(self, **how):
        return {id_: each.outcome for id_, each in (await self.prune(**how)).items()}


@pytest.fixture
async def archive():
    store = Meddled()
    with anyio.fail_after(60):
        async with open_desk(load_settings({"store": "meddled"}), Registry(store)) as desk:
            yield Archive(store, desk)


@pytest.mark.parametrize(
    ("rule", "goes"),
    [
        ({}, ""),
        ({"cwd": "/srv/here"}, ""),
        ({"older_than": timedelta(days=30)}, "old, ancient, draft"),
        ({"older_than": timedelta(days=300)}, "ancient, draft"),
        ({"older_than": timedelta(days=30), "cwd": "/srv/here"}, "ancient"),
        ({"older_than": timedelta(days=30), "tag": "draft"}, "draft"),
        ({"keep": 2}, "old, ancient, draft"),
        ({"keep": 2, "older_than": timedelta(days=300)}, "ancient, draft"),
        ({"keep": 4, "older_than": timedelta(days=30)}, "draft"),
        ({"keep": 1, "tag": "draft"}, "draft"),
        ({"keep": 1, "cwd": "/srv/here"}, "ancient"),
        ({"tag": "draft"}, "draft, new draft"),
        ({"keep": 9}, ""),
    ],
    ids=str,
)
async def test_what_a_rule_names_goes_into_the_trash_and_nothing_else(archive, rule, goes):
    ids = {
        "new": await archive.stored(updated=ago(hours=1)),
        "new draft": await archive.stored(updated=ago(hours=2), tags=("draft",), cwd="/srv/here"),
        "old": await archive.stored(updated=ago(days=31)),
        "ancient": await archive.stored(updated=ago(days=400), cwd="/srv/here"),
        "draft": await archive.stored(updated=ago(days=500), tags=("draft", "x")),
    }
    going = {ids[name] for name in goes.split(", ") if name}
    for dry_run in (True, False):
        pruned = await archive.prune(dry_run=dry_run, **rule)
        assert {id_: each.outcome for id_, each in pruned.items()} == dict.fromkeys(going, "trashed")
        assert all(datetime.fromisoformat(each.until) > datetime.now(UTC) for each in pruned.values())
        assert await archive.trash() == (set() if dry_run else going)
    assert await archive.kept() == {*ids.values()} - going
    assert not await archive.prune(**rule)


async def test_one_that_was_updated_in_the_future_or_at_no_time_is_left_alone_and_the_latter_told(archive):
    future, never = await archive.stored(updated="2999-01-01T00:00:00Z"), await archive.stored(updated="yesterday")
    floating = await archive.stored(updated="2020-01-01T00:00:00")
    pruned = await archive.prune(older_than=timedelta(days=1))
    assert {id_: each.outcome for id_, each in pruned.items()} == dict.fromkeys((never, floating), "unreadable")
    assert "'yesterday' is no time" in pruned[never].reason
    assert await archive.kept() == {future, never, floating}


async def test_many_pages_are_pruned_one_by_one(archive):
    for number in range(450):
        await stored(archive.store.files, updated=f"2020-01-01T00:{number // 60:02}:{number % 60:02}Z")
    pruned = await archive.desk.prune(PruneRule(keep=30))
    assert [each.outcome for each in pruned] == ["trashed"] * 420
    assert pruned[0].updated > pruned[-1].updated
    assert len(await archive.kept()) == 30


async def test_only_what_somebody_has_agreed_to_goes(archive):
    first, _ = await archive.stored(), await archive.stored()
    assert await archive.outcomes(older_than=timedelta(days=1), only={first}) == {first: "trashed"}
    assert await archive.trash() == {first}


async def test_what_cannot_be_read_is_left_alone_and_told(archive, home):
    good, bad, lone = await archive.stored(), await archive.stored(), await archive.stored()
    folder = home / "sessions" / "core"
    (folder / f"{bad}.json").write_text("{")
    (folder / f"{lone}.json").unlink()
    files = {path.name: path.read_bytes() for path in folder.glob(f"{bad}.*")}
    expected = {good: "trashed", bad: "unreadable", lone: "unreadable"}
    assert await archive.outcomes(keep=1, older_than=timedelta(days=1)) == {bad: "unreadable", lone: "unreadable"}
    assert await archive.outcomes(older_than=timedelta(days=1)) == expected
    assert {path.name: path.read_bytes() for path in folder.glob(f"{bad}.*")} == files
    assert (folder / f"{lone}.jsonl").stat().st_size


async def test_what_somebody_else_has_open_stays_and_who_that_is_is_told(archive):
    held, free = await archive.stored(), await archive.stored()
    async with archive.store.files.open(held) as db:
        pruned = await archive.prune(older_than=timedelta(days=1))
        assert (pruned[held].outcome, pruned[free].outcome) == ("held", "trashed")
        assert f"The session {held} is held by" in pruned[held].reason
        assert not db.lost.is_set()
        await db.append([b"{}"])
    assert await archive.kept() == {held}


@pytest.mark.parametrize("fields", [{"updated": NOW}, {"tags": ()}, {"title": "mine"}, {"trashed": NOW}], ids=str)
async def test_one_that_was_changed_since_it_was_looked_at_stays_as_it_is_now(archive, fields):
    id_ = await archive.stored(tags=("draft",))

    async def use():
        await archive.change(id_, **fields)

    archive.store.before["open"] = use
    assert await archive.outcomes(tag="draft", older_than=timedelta(days=1)) == {id_: "changed"}
    info = await archive.desk.info(id_)
    assert {name: getattr(info, name) for name in fields} == fields


async def test_one_that_is_deleted_meanwhile_is_no_failure(archive):
    id_, other = await archive.stored(), await archive.stored(updated="2019-01-01T00:00:00Z")

    async def delete():
        await archive.store.files.delete(id_)

    archive.store.before["open"] = delete
    assert await archive.outcomes(keep=0, older_than=timedelta(days=1)) == {id_: "changed", other: "trashed"}


async def test_a_store_that_refuses_one_is_told_and_the_others_go(archive):
    first, second = await archive.stored(), await archive.stored(updated="2019-01-01T00:00:00Z")

    async def fail():
        raise Unavailable("The disk is full.")

    archive.store.before["open"] = fail
    pruned = await archive.prune(older_than=timedelta(days=1))
    assert {id_: each.outcome for id_, each in pruned.items()} == {first: "failed", second: "trashed"}
    assert pruned[first].reason == "The disk is full."


async def test_after_its_time_in_the_trash_a_session_is_deleted_for_good(archive, home):
    due = await archive.stored(trashed=ago(days=7, minutes=1))
    early, odd = await archive.stored(trashed=ago(days=7, minutes=-1)), await archive.stored(trashed="no time")
    kept = await archive.stored()
    for dry_run in (True, False):
        assert await archive.outcomes(dry_run=dry_run) == {due: "deleted", odd: "unreadable"}
    assert await archive.trash() == {early, odd}
    assert await archive.kept() == {kept}
    assert not list((home / "sessions" / "core").glob(f"{due}*"))


async def test_one_that_is_restored_in_the_last_moment_is_not_deleted(archive):
    id_ = await archive.stored(trashed=LONG_AGO)

    async def restore():
        await archive.desk.restore(id_)

    archive.store.before["delete"] = restore
    assert await archive.outcomes() == {id_: "changed"}
    assert await archive.kept() == {id_}
    assert len([record async for record in archive.desk.read(id_)]) == 1


async def test_what_is_held_in_the_trash_is_not_deleted(archive):
    id_ = await archive.stored(trashed=LONG_AGO)
    async with archive.store.files.open(id_):
        assert await archive.outcomes() == {id_: "held"}
    assert await archive.trash() == {id_}


async def test_parents_and_children_of_what_goes_stay_as_they_are(archive):
    parent = await archive.stored(updated=ago(hours=1))
    middle = await archive.stored(parent=parent)
    child = await archive.stored(parent=middle, updated=ago(hours=1))
    assert await archive.outcomes(older_than=timedelta(days=1)) == {middle: "trashed"}
    assert (await archive.desk.info(child)).parent == middle
    assert await archive.kept() == {parent, child}


async def test_two_desks_that_prune_at_once_share_the_work(archive):
    ids = {await archive.stored(updated=f"2020-01-01T00:00:{number:02}Z") for number in range(40)}
    due = {await archive.stored(trashed=LONG_AGO) for _ in range(10)}
    found = []

    async def prune(desk):
        found.append(await desk.prune(PruneRule(older_than=timedelta(days=1))))

    async with open_desk(load_settings({}), Registry()) as other, anyio.create_task_group() as tasks:
        tasks.start_soon(prune, archive.desk)
        tasks.start_soon(prune, other)
    done = [each.session for pruned in found for each in pruned if each.outcome in ("trashed", "deleted")]
    assert len(done) == len(set(done))
    left = {each.outcome for pruned in found for each in pruned} - {"trashed", "deleted"}
    assert left <= {"held", "changed"}
    assert not {each.outcome for each in await archive.desk.prune(PruneRule(keep=1))} - {"trashed"}
    assert await archive.trash() | await archive.kept() == ids
    assert set(done) >= due


async def test_a_session_that_is_restored_is_whole_and_not_taken_again_at_once(archive):
    id_ = await archive.stored(title="kept", name="nightly", tags=("x",), cwd="/srv/here")
    before = await archive.desk.info(id_)
    rule = {"older_than": timedelta(days=1)}
    assert await archive.outcomes(**rule) == {id_: "trashed"}
    restored = await archive.desk.restore(id_)
    assert restored == await archive.desk.info(id_) == replace(before, updated=restored.updated)
    assert restored.updated > before.updated
    assert not await archive.prune(**rule)
    assert len([record async for record in archive.desk.read(id_)]) == 1
    assert await archive.desk.restore(id_) == restored, "again changes nothing"
    with pytest.raises(SessionNotFound):
        await archive.desk.restore(session().id)


async def test_the_name_of_one_in_the_trash_is_free_and_stays_with_whom_it_is_given(archive):
    first, second = await archive.stored(name="nightly"), await archive.stored(updated=ago(hours=1))
    third = await archive.stored(name="nightly", cwd="/srv/elsewhere", trashed=ago())
    await archive.prune(older_than=timedelta(days=1))
    await archive.desk.relabel(second, name="nightly")
    assert (await archive.desk.restore(first)).name == ""
    assert (await archive.desk.restore(third)).name == "nightly"
    assert (await archive.desk.info(second)).name == "nightly"


async def test_what_is_held_cannot_be_restored_and_stays_in_the_trash(archive):
    id_ = await archive.stored(trashed=ago())
    async with archive.store.files.open(id_):
        with pytest.raises(Held):
            await archive.desk.restore(id_)
    assert await archive.trash() == {id_}


async def test_a_session_of_this_desk_is_never_taken_and_goes_on(opened_desk):
    with anyio.fail_after(60):
        client = RecordingClient()
        async with opened_desk(client) as office:
            id_ = await office.start()
            turn = await office.ask(id_, "/echo begun\n/sleep 600")
            await client.until(lambda c: "begun" in c.text(id_))
            await office.desk.relabel(id_, tags=["draft"])
            for dry_run in (True, False):
                (pruned,) = await office.desk.prune(PruneRule(tag="draft"), dry_run=dry_run)
                assert (pruned.session, pruned.outcome, pruned.reason) == (id_, "held", "It is open in this desk.")
            await office.cancel(id_)
            await turn.settled()
            assert not (await office.prompt(id_, "hello")).failed
            await office.close(id_)
            (pruned,) = await office.desk.prune(PruneRule(tag="draft"))
            assert pruned.outcome == "trashed"


async def test_what_is_in_the_trash_is_found_by_nobody_until_it_is_restored(opened_desk, home):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), engines={"mem": ["--memory", "memory"]}, engine="mem") as office:
            id_ = await office.start(name="nightly")
            await office.prompt(id_, "hello")
            await office.close(id_)
            await office.desk.prune(PruneRule(older_than=timedelta(microseconds=1)))
            files = {path: path.read_bytes() for path in (home / "sessions" / "core").glob(f"{id_}.*")}
            listed = await office.agent.list(Frame.of("session/list", {}, id=0))
            assert listed.result["sessions"] == []
            for replay in (True, False):
                with pytest.raises(SessionNotFound, match="in the trash") as refused:
                    await office.load(id_, replay=replay)
                assert f"`kiro-core sessions restore {id_}`" in refused.value.hint
            assert {path: path.read_bytes() for path in files} == files, "nothing is written of who tried"
            with pytest.raises(SessionNotFound, match="in the trash"):
                await office.desk.relabel(id_, title="mine")
            assert await office.start(name="nightly")
            assert (await office.desk.restore(id_)).name == ""
            await office.load(id_)
            assert not (await office.prompt(id_, "again")).failed


async def test_one_that_goes_while_it_is_being_opened_is_not_opened(opened_desk):
    store = Meddled()
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), plugins=[store], store="meddled") as office:
            id_ = await office.start()
            await office.close(id_)
            info = await office.desk.info(id_)

            async def trash():
                async with store.files.open(id_) as db:
                    await db.put_info(replace(info, trashed=ago()))

            store.before["open"] = trash
            with pytest.raises(SessionNotFound, match="in the trash"):
                await office.load(id_)
            assert id_ not in office.desk.live
            assert (await office.desk.info(id_)).trashed
            await office.desk.restore(id_)
            await office.load(id_)


def serving(store, face="serve", **settings):
    """A desk that another process might have."""
    return open_desk(load_settings({"store": "meddled", **settings}), Registry(store), face=face)


class Told(logging.Handler):
    """What is logged, and a wait for it."""

    def __init__(self):
        super().__init__()
        self.lines, self._news = [], anyio.Event()

    def emit(self, record):
        self.lines.append((record.levelname, record.getMessage()))
        self._news.set()

    async def until(self, *words):
        while not any(all(word in line for word in words) for _, line in self.lines):
            self._news = anyio.Event()
            await self._news.wait()


@pytest.fixture
def told():
    handler, log = Told(), logging.getLogger(retention.__name__)
    log.addHandler(handler)
    before = log.level
    log.setLevel(logging.DEBUG)
    yield handler
    log.setLevel(before)
    log.removeHandler(handler)


async def test_a_served_desk_prunes_by_its_setting_at_its_start_and_every_day(archive, told, monkeypatch):
    monkeypatch.setattr(retention, "_DAY_S", 0.05)
    old, due = await archive.stored(), await archive.stored(trashed=LONG_AGO)
    new = await archive.stored(updated=ago(hours=1))
    async with serving(Meddled(), retention={"older_than_days": 30}):
        await told.until(old, "trashed")
        assert ("INFO", f"retention: session {due}: deleted") in told.lines
        assert await archive.kept() == {new}
        another = await archive.stored()
        await told.until(another, "trashed")
    assert await archive.trash() == {old, another}


@pytest.mark.parametrize(
    ("face", "retention"),
    [("serve", {}), ("serve", {"trash_days": 1}), ("acp", {"keep": 1}), ("", {"keep": 1})],
    ids=str,
)
async def test_without_a_rule_or_without_being_served_a_desk_takes_nothing(archive, face, retention):
    sessions = {await archive.stored() for _ in range(3)}
    due = await archive.stored(trashed=LONG_AGO)
    async with serving(Meddled(), face, retention=retention) as desk:
        # What a desk begins at its start has had every chance to when it has listed twice.
        for _ in range(2):
            assert {info.id for info in (await desk.sessions(KEPT)).items} == sessions
    assert (await archive.kept(), await archive.trash()) == (sessions, {due})


async def test_housekeeping_that_hangs_or_fails_delays_no_session_and_ends_with_the_desk(archive, told, monkeypatch):
    monkeypatch.setattr(retention, "_DAY_S", 0.05)
    store, begun, over = Meddled(), anyio.Event(), anyio.Event()

    async def fail_late():
        begun.set()
        await over.wait()
        raise Unavailable("The disk is gone.")

    async def hang():
        begun.set()
        await anyio.sleep_forever()

    store.before["list"] = fail_late
    settings = {"engine": "rehearsal", "retention": {"keep": 1}}
    async with serving(store, **settings) as desk, desk.attach(RecordingClient()) as agent:
        await begun.wait()
        answer = await agent.new(Frame.of("session/new", {"cwd": "/", "mcpServers": []}, id=0))
        assert answer.result["sessionId"] in desk.live
        over.set()
        await told.until("not everything could be looked at")
        old = await archive.stored()
        await told.until(old, "trashed")
        begun = anyio.Event()
        store.before["list"] = hang
        await begun.wait()


async def test_a_desk_that_has_as_many_sessions_as_it_may_refuses_another(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), limits={"max_sessions": 2}) as office:
            first, second = await office.start(), await office.start()
            with pytest.raises(DeskFull, match="2 sessions are open here") as told:
                await office.start()
            assert "limits.max_sessions" in str(told.value)
            assert told.value.details == {"max_sessions": 2}
            await office.load(first)
            await office.close(first)
            third = await office.start()
            with pytest.raises(DeskFull):
                await office.load(first)
            assert set(office.desk.live) == {second, third}


@pytest.mark.parametrize(
    ("rule", "days", "outcome"),
    [
        ({"older_than": timedelta(days=30)}, 10, "changed"),
        ({"older_than": timedelta(days=30)}, 40, "trashed"),
        ({"tag": "draft"}, 10, "changed"),
        ({"tag": "draft"}, 40, "changed"),
    ],
    ids=str,
)
async def test_a_message_that_nobody_read_counts_as_use(archive, home, rule, days, outcome):
    id_ = await archive.stored(tags=("draft",))
    await archive.store.files.put(id_, "one", b"{}")
    (file,) = home.rglob(f"{id_}.inbox")
    came = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    file.write_text(re.sub(r'"at":"[^"]*"', f'"at":"{came}"', file.read_text()))
    pruned = (await archive.prune(**rule))[id_]
    assert pruned.outcome == outcome
    assert pruned.reason == ("" if outcome == "trashed" else "Messages came that nobody has read.")
