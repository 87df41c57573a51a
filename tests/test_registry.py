"""How plugins are found, loaded, refused and named."""

import subprocess
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import SimpleNamespace

import pytest

from kiro_core import Provider, hookimpl
from kiro_core.catalog import Choice
from kiro_core.errors import PluginError, SettingsError, UnknownName
from kiro_core.registry import Registry
from kiro_core.registry.support import notices_of
from kiro_core.specs import KiroDeprecation, KiroSpecs, hookspec
from kiro_core.testing import MemoryStore


@asynccontextmanager
async def opened(options):
    yield MemoryStore()


MEMORY = Provider("memory", opened)


class Memory:
    @hookimpl
    def kiro_stores(self):
        yield MEMORY


STORE = """
from contextlib import asynccontextmanager
from kiro_core import Provider, hookimpl
from kiro_core.testing import MemoryStore

@asynccontextmanager
async def opened(options):
    yield MemoryStore()

@hookimpl
def kiro_stores():
    yield Provider({name!r}, opened)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with one plugin on the path, as pip would."""
    monkeypatch.syspath_prepend(tmp_path)

    def installing(name, source, *, version="1.0", extras="", requires=""):
        module = f"plugin_of_{name}"
        (tmp_path / f"{module}.py").write_text(source)
        folder = tmp_path / f"{name}_dist-{version}.dist-info"
        folder.mkdir()
        about = f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: {version}\n"
        (folder / "METADATA").write_text(about + (f"Requires-Dist: {requires}\n" if requires else ""))
        (folder / "entry_points.txt").write_text(f"[kiro_core]\n{name} = {module} {extras}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)
        return module

    return installing


async def test_a_plugin_is_any_object_with_hook_implementations():
    registry = Registry(Memory(), installed=False)
    async with registry.stores.open(Choice("memory")) as store:
        assert isinstance(store, MemoryStore)
    (info,) = registry.plugins
    assert (info.name, info.provides, info.problem) == ("Memory", ("store memory",), "")


async def test_an_installed_plugin_is_found_with_its_distribution(install):
    install("acme", STORE.format(name="acme"), version="2.1")
    registry = Registry(only={"acme"})
    async with registry.stores.open(Choice("acme")) as store:
        assert isinstance(store, MemoryStore)
    entry = registry.stores.get("acme")
    assert (entry.plugin.distribution, entry.plugin.version) == ("acme-dist", "2.1")


def test_two_registries_do_not_know_each_other():
    assert not Registry(installed=False).stores.entries
    assert set(Registry(Memory(), installed=False).stores.entries) == {"memory"}


def test_the_bundled_plugins_are_found_like_any_other():
    names = {plugin.name for plugin in Registry().plugins}
    assert {"acp", "agents", "files", "local"} <= names


def test_what_is_not_on_the_allow_list_is_not_imported(install):
    module = install("noisy", "raise SystemExit('imported')")
    install("acme", STORE.format(name="acme"))
    registry = Registry(only={"acme"})
    assert module not in sys.modules
    (noisy,) = [plugin for plugin in registry.plugins if plugin.name == "noisy"]
    assert noisy.problem == "not in plugins.only."


def test_what_is_blocked_is_not_imported_and_says_so_when_it_is_asked_for(install):
    module = install("acme", STORE.format(name="acme"))
    registry = Registry(block=["acme"])
    assert module not in sys.modules
    with pytest.raises(UnknownName) as caught:
        registry.stores.get("acme")
    assert "Plugin 'acme' (acme-dist 1.0) is not loaded: blocked by plugins.block." in caught.value.hint


@pytest.mark.parametrize("setting", ["only", "block"])
def test_a_list_that_names_no_plugin_is_an_error(install, setting):
    install("acme", STORE.format(name="acme"))
    with pytest.raises(SettingsError) as caught:
        Registry(**{setting: ["acne"]})
    assert str(caught.value) == (
        f"Settings: plugins.{setting} names 'acne', which is not an installed plugin; did you mean 'acme'?"
    )
    assert "acme" in caught.value.hint


def test_a_plugin_that_fails_to_import_is_named_when_somebody_misses_it(install):
    install("acme", STORE.format(name="acme"))
    install("broken", "import no_such_driver")
    registry = Registry(only={"acme", "broken"})
    assert registry.stores.get("acme")
    with pytest.raises(UnknownName) as caught:
        registry.stores.get("postgres")
    assert (
        "Plugin 'broken' (broken-dist 1.0) is not loaded: ModuleNotFoundError: No module named 'no_such_driver'."
        in caught.value.hint
    )


def test_a_plugin_without_its_extra_says_how_to_install_it(install):
    install("broken", "import no_such_driver", extras="[pg]")
    (broken,) = [plugin for plugin in Registry(only={"broken"}).plugins if plugin.name == "broken"]
    assert broken.problem.endswith("Install what it needs: pip install 'broken-dist[pg]'.")


def test_a_plugin_that_fails_in_its_hook_is_recorded_too(install):
    install("broken", STORE.format(name="x") + "    raise ValueError('no socket')\n")
    (broken,) = [plugin for plugin in Registry(only={"broken"}).plugins if plugin.name == "broken"]
    assert broken.problem == "ValueError: no socket."
    assert broken.provides == ()


def test_strict_makes_a_plugin_that_does_not_load_an_error_at_start(install):
    install("broken", "import no_such_driver")
    with pytest.raises(PluginError, match=r"Plugin 'broken' \(broken-dist 1\.0\) cannot be used: ModuleNotFound") as it:
        Registry(only={"broken"}, strict=True)
    assert isinstance(it.value.__cause__, ModuleNotFoundError)


def test_strict_does_not_mind_an_extra_that_nobody_installed(install):
    install("broken", "import no_such_driver", extras="[pg]")
    registry = Registry(only={"broken"}, strict=True)
    assert [plugin.problem[:19] for plugin in registry.plugins if plugin.name == "broken"] == ["ModuleNotFoundError"]


def test_strict_does_not_mind_what_was_excluded_on_purpose(install):
    install("broken", "import no_such_driver")
    install("acme", STORE.format(name="acme"))
    assert Registry(only={"acme"}, strict=True).stores.get("acme")


def test_a_plugin_that_ends_the_program_when_it_is_imported_ends_nothing(install):
    install("broken", "raise SystemExit(1)")
    (broken,) = [plugin for plugin in Registry(only={"broken"}).plugins if plugin.name == "broken"]
    assert broken.problem == "SystemExit: 1."


@pytest.mark.parametrize(
    "requires",
    [
        *("", "kiro-core", "kiro-core>=0.1,<0.2", "Kiro_Core[testing] (>=0.1)", "kiro-core>=9; extra == 'later'"),
        *("kiro-core-theme>=9", "kirocore>=9", "kiro-core @ https://example.org/kiro_core.whl", "kiro-core is fine"),
    ],
)
def test_a_plugin_for_this_core_or_for_any_is_told_of_nothing(install, requires):
    install("acme", STORE.format(name="acme"), requires=requires)
    assert notices_of(Registry(only={"acme"}).stores.get("acme").plugin) == []


@pytest.mark.parametrize("requires", ["kiro-core>=9", "kiro_core (>=9)", "kiro.core[testing]>=9; python_version > '3'"])
def test_a_plugin_for_another_core_is_told(install, requires):
    install("acme", STORE.format(name="acme"), requires=requires)
    told = f"It is for kiro-core >=9, and this is kiro-core {version('kiro-core')}."
    assert notices_of(Registry(only={"acme"}).stores.get("acme").plugin) == [told]
    install("broken", "from kiro_core import Orchestra", requires=requires)
    with pytest.raises(PluginError, match="cannot import name 'Orchestra'") as caught:
        Registry(only={"broken"}, strict=True)
    assert caught.value.hint == told


def test_a_plugin_with_a_hook_that_goes_away_works_and_everybody_is_told_once(monkeypatch):
    gone = KiroDeprecation("The hook kiro_gates", removed_in="2.0", instead="Yield doors from kiro_doors.")
    monkeypatch.setattr(KiroSpecs, "kiro_gates", hookspec(warn_on_impl=gone)(lambda self: ()), raising=False)
    plugin = SimpleNamespace(__name__="old", kiro_gates=hookimpl(lambda: ()), kiro_stores=hookimpl(lambda: [MEMORY]))
    with pytest.warns(KiroDeprecation) as warned:
        registry = Registry(plugin, installed=False)
    told = "The hook kiro_gates goes away with kiro-core 2.0. Yield doors from kiro_doors."
    assert [str(one.message) for one in warned] == [told]
    (info,) = registry.plugins
    assert (info.problem, info.provides, notices_of(info)) == ("", ("store memory",), [told])


def test_two_plugins_with_one_name_are_an_error_that_names_both(install):
    install("acme", STORE.format(name="sql"), version="1.1")
    install("other", STORE.format(name="sql"), version="2.2")
    with pytest.raises(PluginError) as caught:
        Registry(only={"acme", "other"})
    assert str(caught.value) == "Store 'sql' comes from both 'acme' (acme-dist 1.1) and 'other' (other-dist 2.2)."
    assert 'plugins.block = ["other"]' in caught.value.hint


def test_one_object_is_one_plugin():
    plugin = Memory()
    with pytest.raises(PluginError, match="loaded already"):
        Registry(plugin, plugin, installed=False)


async def asynchronous():
    """An `async def` where a hook belongs."""


def partly():
    return asynchronous()


async def asynchronous_generator():
    yield Provider("x", opened)


async def bare_open(_options):
    """An `open` that lacks its decorator."""


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        (hookimpl(asynchronous), "kiro_stores is an `async def`"),
        (hookimpl(asynchronous_generator), "kiro_stores is an `async def`"),
        (hookimpl(partly), "gave a coroutine where an iterable of Providers belongs"),
        (hookimpl(lambda: None), "gave a NoneType where"),
        (hookimpl(lambda: Provider("x", opened)), "gave a Provider where an iterable"),
        (hookimpl(lambda: ["files"]), "yields a str where a Provider belongs"),
        (hookimpl(lambda: [Provider("", opened)]), "yields a Provider without a name"),
        (hookimpl(lambda: [Provider("x", opened), Provider("x", opened)]), "yields 'x' twice"),
        (hookimpl(lambda: [Provider("a b", opened)]), "yields a Provider called 'a b'"),
        (hookimpl(lambda: [Provider("a\x1b", opened)]), r"yields a Provider called 'a\x1b'"),
        (hookimpl(lambda: [Provider("x", 5)]), "`open` of 'x' is no function"),
        (hookimpl(lambda: [Provider("x", opened, summary=7)]), "the summary of 'x' is no text"),
        (hookimpl(lambda: [Provider("x", opened, backends=frozenset())]), "backends of 'x' are no set of event loops"),
        (hookimpl(lambda: [Provider("x", opened, backends="asyncio")]), "backends of 'x' are no set of event loops"),
        (hookimpl(lambda: [Provider("x", opened, backends={"curio"})]), "backends of 'x' are no set of event loops"),
        (hookimpl(lambda: [Provider("x", bare_open)]), "`open` of 'x' is a bare `async def`"),
        (hookimpl(lambda: [Provider("x", opened, dict)]), "the options of 'x' are no pydantic model"),
        (hookimpl(lambda config: [config]), "config"),
        (hookimpl(wrapper=True)(lambda: (yield)), "kiro_stores is a wrapper"),
        (hookimpl(hookwrapper=True)(lambda: (yield)), "kiro_stores is a wrapper"),
    ],
)
def test_a_hook_that_declares_something_else_is_refused_in_a_sentence(hook, reason):
    with pytest.raises(PluginError) as caught:
        Registry(SimpleNamespace(__name__="odd", kiro_stores=hook), installed=False)
    assert str(caught.value).startswith("Plugin 'odd' cannot be used: ")
    assert reason in str(caught.value)
    assert caught.value.hint


def test_an_unknown_hook_is_refused_with_the_near_miss():
    plugin = SimpleNamespace(__name__="odd", kiro_store=hookimpl(lambda: ()))
    with pytest.raises(PluginError) as caught:
        Registry(plugin, installed=False)
    assert str(caught.value) == (
        "Plugin 'odd' cannot be used: there is no hook 'kiro_store'; did you mean 'kiro_stores'?"
    )


def test_a_hook_of_a_newer_core_may_be_optional():
    plugin = SimpleNamespace(__name__="new", kiro_gates=hookimpl(optionalhook=True)(lambda: ()))
    assert Registry(plugin, installed=False).plugins[0].problem == ""


def test_a_plugin_without_any_hook_is_refused():
    with pytest.raises(PluginError, match=r"it declares nothing\."):
        Registry(SimpleNamespace(__name__="odd"), installed=False)


def test_answering_an_editor_imports_neither_pydantic_nor_other_plugins():
    code = """
import sys
from kiro_core.registry import Registry
(acp,) = [plugin for plugin in Registry(only={"acp"}).plugins if plugin.name == "acp"]
heavy = {"pydantic", "pydantic_settings", "click", "rich", "kiro_agents", "kiro_files", "kiro_local"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
