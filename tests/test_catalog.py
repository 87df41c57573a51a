"""What a plugin author or a user is told when a backend cannot be opened as it was chosen."""

from contextlib import asynccontextmanager

import pytest
from pydantic import BaseModel, ConfigDict

from kiro_core.catalog import Catalog, Choice, Entry, PluginInfo
from kiro_core.errors import PluginError, SettingsError, UnknownName
from kiro_core.provider import Provider


class Pool(BaseModel):
    model_config = ConfigDict(extra="forbid")

    max_connections: int = 4


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    root: str
    pool: Pool = Pool()


@asynccontextmanager
async def opened(options):
    yield options


def catalog(*providers, absent=()):
    plugin = PluginInfo("acme", "acme-store", "1.2")
    return Catalog("store", {provider.name: Entry(provider, plugin) for provider in providers}, absent)


FILES = Provider("files", opened, Options)
MEMORY = Provider("memory", opened)


def test_a_choice_is_a_name_or_a_table():
    assert Choice.of("files") == Choice("files")
    assert Choice.of({"use": "files", "root": "/x"}) == Choice("files", {"root": "/x"})
    assert Choice.of(Choice("files")) == Choice("files")


@pytest.mark.parametrize("written", [5, "", {}, {"root": "/x"}, {"use": 5}, ["files"], Choice("")])
def test_anything_else_is_no_choice(written):
    with pytest.raises(ValueError, match="a name or a table"):
        Choice.of(written)


def test_a_choice_prints_no_option():
    assert "hunter2" not in repr(Choice("pg", {"password": "hunter2"}))


async def test_the_chosen_backend_is_opened_with_validated_options():
    async with catalog(FILES, MEMORY).open(Choice("files", {"root": "/x"})) as backend:
        assert backend == Options(root="/x")


async def test_a_provider_without_options_is_opened_with_none():
    async with catalog(MEMORY).open(Choice("memory")) as backend:
        assert backend is None


async def test_an_unknown_name_is_told_with_its_origin_the_near_miss_and_what_there_is():
    absent = PluginInfo("pg", "kiro-pg", "1.0", problem="ModuleNotFoundError: No module named 'psycopg'.")
    with pytest.raises(UnknownName) as caught:
        catalog(FILES, MEMORY, absent=[absent]).open(Choice("Filse", {}, {("use",): "argument --store"}))
    assert str(caught.value) == "No store is called 'Filse' (argument --store); did you mean 'files'?"
    assert caught.value.hint.splitlines() == [
        "Available: files, memory.",
        "Plugin 'pg' (kiro-pg 1.0) is not loaded: ModuleNotFoundError: No module named 'psycopg'.",
    ]
    assert caught.value.details == {"kind": "store", "name": "Filse", "available": ["files", "memory"]}


async def test_an_unknown_option_is_told_with_its_origin_and_the_near_miss():
    choice = Choice("files", {"root": "/x", "rooot": 1}, {("rooot",): "/home/x/.kiro/kiro.toml"})
    with pytest.raises(SettingsError) as caught:
        catalog(FILES).open(choice)
    assert str(caught.value) == (
        "Store 'files': there is no key 'rooot' (/home/x/.kiro/kiro.toml); did you mean 'root'?"
    )
    assert caught.value.hint == "Available: root, pool."


async def test_an_unknown_option_inside_another_one_is_told_by_its_path():
    choice = Choice("files", {"root": "/x", "pool": {"max_connection": 1}}, {("pool",): "argument --store"})
    with pytest.raises(SettingsError) as caught:
        catalog(FILES).open(choice)
    assert str(caught.value) == (
        "Store 'files': there is no key 'pool.max_connection' (argument --store); did you mean 'pool.max_connections'?"
    )


async def test_a_wrong_option_is_told_without_its_value():
    with pytest.raises(SettingsError) as caught:
        catalog(FILES).open(Choice("files", {"root": ["hunter2"], "pool": {"max_connections": "hunter2"}}))
    assert str(caught.value) == "Store 'files': root should be a valid string."
    assert "pool.max_connections should be a valid integer" in caught.value.hint
    assert caught.value.__cause__ is None
    assert [problem["key"] for problem in caught.value.details["problems"]] == ["root", "pool.max_connections"]


async def test_a_missing_option_is_told():
    with pytest.raises(SettingsError, match=r"Store 'files': root: Field required\."):
        catalog(FILES).open(Choice("files"))


async def test_options_for_a_provider_that_has_none_are_refused():
    with pytest.raises(SettingsError, match="Store 'memory': root is not taken, it has no options"):
        catalog(MEMORY).open(Choice("memory", {"root": "/x"}))


async def test_a_backend_that_does_not_run_on_this_event_loop_says_so(anyio_backend_name):
    other = {"asyncio": "trio", "trio": "asyncio"}[anyio_backend_name]
    provider = Provider("pg", opened, backends=frozenset({other}))
    with pytest.raises(PluginError, match=f"runs on {other} only, and this program runs on {anyio_backend_name}"):
        catalog(provider).open(Choice("pg"))


async def test_an_open_that_gives_no_context_manager_is_refused():
    with pytest.raises(PluginError) as caught:
        async with catalog(Provider("odd", lambda _: [])).open(Choice("odd")):
            pytest.fail("it is not open")
    assert str(caught.value) == "Store 'odd' (acme-store 1.2) cannot be opened: its `open` gave a list."


async def test_a_model_of_options_that_is_loaded_late_is_loaded_only_where_an_option_is_written():
    loaded = []

    def late():
        loaded.append("now")
        return Options

    stores = catalog(Provider("late", opened, late))
    async with stores.open(Choice("late")) as received:
        assert (received, loaded) == (None, [])
    async with stores.open(Choice("late", {"root": "/x"})) as received:
        assert received == Options(root="/x")
    with pytest.raises(SettingsError, match="there is no key 'rooot'; did you mean 'root'"):
        stores.open(Choice("late", {"root": "/x", "rooot": "/y"}))
