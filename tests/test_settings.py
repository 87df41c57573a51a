"""Where a setting comes from, which source wins, and what is said when one is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from kiro_core.catalog import Choice
from kiro_core.errors import SettingsError
from kiro_core.settings import Limits, Settings, load_settings


@pytest.fixture
def load(tmp_path):
    """Load with a file of that text in Kiro's folder, and those variables."""

    def loading(toml="", environ=None, arguments=None):
        (tmp_path / "kiro.toml").write_text(toml)
        return load_settings(arguments or {}, environ={"KIRO_HOME": str(tmp_path), **(environ or {})})

    return loading


def refused(load, *sources):
    with pytest.raises(SettingsError) as caught:
        load(*sources)
    return caught.value


def test_without_any_source_the_defaults_stand(tmp_path):
    settings = load_settings(environ={"HOME": str(tmp_path)})
    assert settings == Settings()
    assert (settings.store, settings.launcher) == (Choice("files"), Choice("local"))
    assert settings.agent_sources == [Choice("kiro")]
    assert settings.origins == {}


def test_an_instance_reads_no_environment_by_itself(monkeypatch):
    monkeypatch.setenv("KIRO_CORE_AGENT", "reviewer")
    assert Settings().agent == ""


def test_the_process_environment_is_read_where_none_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("KIRO_HOME", str(tmp_path))
    monkeypatch.setenv("KIRO_CORE_AGENT", "reviewer")
    assert load_settings().agent == "reviewer"


def test_arguments_win_over_environment_over_file(load, tmp_path):
    toml = 'agent = "a"\nengine = "a"\n[limits]\nstart_s = 1\nclose_s = 1\n'
    environ = {"KIRO_CORE_ENGINE": "b", "KIRO_CORE_LIMITS__START_S": "2"}
    settings = load(toml, environ, {"engine": "c", "agent": None})
    assert (settings.agent, settings.engine) == ("a", "c")
    assert (settings.limits.start_s, settings.limits.close_s) == (2, 1)
    assert settings.limits.control_s == Limits().control_s
    assert settings.origins == {
        "agent": str(tmp_path / "kiro.toml"),
        "engine": "argument --set",
        "limits.start_s": "environment variable KIRO_CORE_LIMITS__START_S",
        "limits.close_s": str(tmp_path / "kiro.toml"),
    }


def test_a_choice_and_its_options_stand_together_in_the_environment(load):
    store = load("", {"KIRO_CORE_STORE": "files", "KIRO_CORE_STORE__ROOT": "/x"}).store
    assert store == Choice("files", {"root": "/x"})
    assert store.origins == {
        ("use",): "environment variable KIRO_CORE_STORE",
        ("root",): "environment variable KIRO_CORE_STORE__ROOT",
    }


def test_naming_a_backend_drops_the_options_of_a_lower_source(load):
    toml = 'store = { use = "postgres", dsn = "x", root = "/old" }'
    assert load(toml, {"KIRO_CORE_STORE": "files"}).store == Choice("files")
    assert load(toml, {"KIRO_CORE_STORE__USE": "files"}).store == Choice("files")
    assert load(toml, {}, {"store": "files"}).store == Choice("files")
    again = {"KIRO_CORE_STORE__USE": "files", "KIRO_CORE_STORE__ROOT": "/x"}
    assert load(toml, again).store == Choice("files", {"root": "/x"})


def test_an_option_alone_changes_the_choice_of_a_lower_source(load):
    toml = 'store = { use = "postgres", dsn = "x", pool = { size = 1, wait_s = 2 } }'
    environ = {"KIRO_CORE_STORE__DSN": "y", "KIRO_CORE_STORE__POOL__SIZE": "3"}
    assert load(toml, environ).store == Choice("postgres", {"dsn": "y", "pool": {"size": "3", "wait_s": 2}})
    assert load("", {"KIRO_CORE_STORE__ROOT": "/x"}).store == Choice("files", {"root": "/x"})


def test_a_choice_object_is_an_argument_like_any_other(load):
    assert load('store = "a"', {}, {"store": Choice("b", {"c": 1})}).store == Choice("b", {"c": 1})


@pytest.mark.parametrize("text", ['["kiro", {"use": "folder", "path": "/x"}]', " kiro, folder,"])
def test_a_list_in_the_environment_is_json_or_separated_by_commas(load, text):
    sources = load("", {"KIRO_CORE_AGENT_SOURCES": text}).agent_sources
    assert [source.use for source in sources] == ["kiro", "folder"]
    assert sources[0].origins == {(): "environment variable KIRO_CORE_AGENT_SOURCES"}


def test_what_is_served_is_a_list_of_choices_each_with_its_options(load, tmp_path):
    toml = '[[serve]]\nuse = "acp"\nsocket = "/x"\n\n[[serve]]\nuse = "http"\n'
    serve = load(toml).serve
    assert serve == [Choice("acp", {"socket": "/x"}), Choice("http")]
    assert serve[0].origins == {(): str(tmp_path / "kiro.toml")}
    assert load(toml, {"KIRO_CORE_SERVE": '[{"use": "http", "port": 1}]'}).serve == [Choice("http", {"port": 1})]
    assert load("", {"KIRO_CORE_SERVE": "http"}).serve == [Choice("http")]
    assert "serve.0 should be a name or a table" in str(refused(load, "[[serve]]\nport = 1\n"))


def test_tables_in_the_environment_are_json_and_join_the_lower_ones(load):
    environ = {"KIRO_CORE_AGENT_ENGINES": '{"Reviewer": "codex"}', "KIRO_CORE_PLUGINS__ONLY": "acp,files"}
    settings = load('[agent_engines]\nwriter = "claude"\n', environ)
    assert settings.agent_engines == {"writer": "claude", "Reviewer": "codex"}
    assert settings.plugins.only == ["acp", "files"]


def test_an_option_whose_type_only_a_plugin_knows_is_json_where_it_is_json(load):
    environ = {"KIRO_CORE_STORE__HOSTS": '["a", "b"]', "KIRO_CORE_STORE__PATTERN": "[a-z]"}
    assert load("", environ).store.options == {"hosts": ["a", "b"], "pattern": "[a-z]"}


def test_an_engine_can_be_set_in_the_environment(load):
    environ = {
        "KIRO_CORE_ENGINES__MINE__COMMAND": '["python", "a.py"]',
        "KIRO_CORE_ENGINES__MINE__ENV__Api__Key": "x",
        "KIRO_CORE_ENGINES__MINE__REPORTS_MCP": "true",
    }
    mine = load("", environ).engines["mine"]
    assert (mine.command, mine.env, mine.reports_mcp) == (["python", "a.py"], {"Api__Key": "x"}, True)


def test_the_more_specific_variable_wins(load):
    environ = {"KIRO_CORE_LIMITS": '{"start_s": 1, "close_s": 2}', "KIRO_CORE_LIMITS__START_S": "3"}
    limits = load("", environ).limits
    assert (limits.start_s, limits.close_s) == (3, 2)


def test_an_unknown_variable_is_an_error_with_the_near_miss(load):
    error = refused(load, "", {"KIRO_CORE_STOER": "files"})
    assert str(error) == (
        "Settings: there is no key 'stoer' (environment variable KIRO_CORE_STOER); did you mean 'store'?"
    )
    assert error.hint.startswith("Available: agent, engine, ")


@pytest.mark.parametrize("key", ["_env_file", "self", "Agent", "storage"])
def test_an_unknown_key_of_the_file_is_an_error_with_the_file(load, tmp_path, key):
    error = refused(load, f"{key} = {{ a = 1, b = 2 }}")
    assert str(error).startswith(f"Settings: there is no key '{key}' ({tmp_path / 'kiro.toml'})")
    assert len(error.details["problems"]) == 1


def test_a_key_that_is_like_no_other_has_no_near_miss(load):
    error = refused(load, "", {"KIRO_CORE_ENGINES__MINE__ZZZ": "x"})
    assert str(error).endswith("(environment variable KIRO_CORE_ENGINES__MINE__ZZZ).")


def test_an_unknown_key_inside_a_table_is_told_by_its_path(load):
    error = refused(load, "", {"KIRO_CORE_ENGINES__MINE__COMAND": "x"})
    assert str(error) == (
        "Settings: there is no key 'engines.mine.comand' (environment variable KIRO_CORE_ENGINES__MINE__COMAND)"
        "; did you mean 'engines.mine.command'?"
    )
    assert "Available: command, env, unset" in error.hint


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("agent = 5", "Settings: agent should be a valid string"),
        ("agent = {}", "Settings: agent should be a valid string"),
        ("limits = 5", "Settings: limits should be a table"),
        ("limits.start_s = 0", "Settings: limits.start_s should be greater than 0"),
        ("limits.start_s = inf", "Settings: limits.start_s should be a finite number"),
        ("limits.start_s = true", "Settings: limits.start_s should be a number"),
        ("limits.max_sessions = true", "Settings: limits.max_sessions should be a number"),
        ("agent_sources = 'kiro'", 'Settings: agent_sources should be a list, such as ["one", "two"]'),
        ("agent_sources = [5]", "Settings: agent_sources.0 should be a name or a table"),
        ("store = 5", "Settings: store should be a name or a table"),
        ("store.use = ''", "Settings: store should be a name or a table"),
        ("engines.'my agent'.command = []", 'Settings: engines."my agent".command: List should have at least 1 item'),
        ("engines.x.agents = 'flag'", "Settings: engines.x.agents should be '' or 'mode'"),
    ],
)
def test_a_wrong_value_is_told_by_its_key_and_origin(load, tmp_path, toml, sentence):
    error = refused(load, toml)
    assert str(error).startswith(sentence)
    assert str(error).endswith(f"({tmp_path / 'kiro.toml'}).")


def test_all_problems_are_in_one_error(load):
    error = refused(load, "agent = 5", {"KIRO_CORE_STOER": "x", "KIRO_CORE_LIMITS__CLOSE_S": "soon"}, {"engine": 7})
    told = f"{error}\n{error.hint}"
    for key in ("'stoer'", "agent should", "limits.close_s should", "(argument --set)"):
        assert key in told
    assert {problem["key"] for problem in error.details["problems"]} == {"stoer", "agent", "limits.close_s", "engine"}


@pytest.mark.parametrize(
    "environ",
    [
        {"KIRO_CORE_ENGINES__MINE__ENV": "TOKEN=hunter2"},
        {"KIRO_CORE_ENGINES__MINE__ENV": '{"TOKEN": "hunter2"'},
        {"KIRO_CORE_ENGINES__MINE__ENV__TOKEN": "hunter2", "KIRO_CORE_ENGINES__MINE__AGENTS": "hunter2"},
        {"KIRO_CORE_STORE": '{"use": "postgres", "password": "hunter2"'},
    ],
)
def test_no_error_shows_a_value(load, environ):
    error = refused(load, "engines.mine.env = { OTHER = ['hunter2'] }", environ)
    assert "hunter2" not in f"{error} {error.hint} {error.details} {error.__cause__!s}"


def test_no_value_of_a_variable_is_printed_with_the_settings(load):
    assert "hunter2" not in repr(load("engines.mine.env = { TOKEN = 'hunter2' }\nstore.password = 'hunter2'"))


def test_broken_json_is_told_as_such(load):
    error = refused(load, "", {"KIRO_CORE_ENGINES__MINE__COMMAND": '["python"'})
    assert str(error) == (
        "Settings: engines.mine.command is not valid JSON (environment variable KIRO_CORE_ENGINES__MINE__COMMAND)."
    )


def test_the_file_is_named_by_argument_over_variable_over_default(tmp_path):
    for name in ("argument", "variable", "kiro"):
        (tmp_path / f"{name}.toml").write_text(f'agent = "{name}"')
    environ = {"KIRO_HOME": str(tmp_path)}
    assert load_settings(environ=environ).agent == "kiro"
    environ["KIRO_CORE_CONFIG"] = str(tmp_path / "variable.toml")
    assert load_settings(environ=environ).agent == "variable"
    assert load_settings(environ=environ, config=tmp_path / "argument.toml").agent == "argument"


def test_the_working_directory_is_never_read(tmp_path, monkeypatch):
    work = tmp_path / "work"
    (work / ".kiro").mkdir(parents=True)
    for path in (work / "kiro.toml", work / ".kiro" / "kiro.toml"):
        path.write_text('agent = "somebody else"')
    monkeypatch.chdir(work)
    assert load_settings(environ={"HOME": str(tmp_path)}).agent == ""


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    missing = tmp_path / "none.toml"
    environ = {"HOME": str(tmp_path)}
    with pytest.raises(SettingsError, match=r"none\.toml \(argument --config\) does not exist\."):
        load_settings(config=missing, environ=environ)
    with pytest.raises(SettingsError, match=r"\(environment variable KIRO_CORE_CONFIG\) does not exist\."):
        load_settings(environ={**environ, "KIRO_CORE_CONFIG": str(missing)})


@pytest.mark.parametrize("content", [b"agent = 'a'\nengine = \n", b"agent = 'a'\n\xff"])
def test_a_file_that_is_no_toml_is_an_error_with_file(tmp_path, content):
    path = tmp_path / "kiro.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"kiro\.toml is not valid TOML: .*(line 2|position 12)"):
        load_settings(config=path, environ={})


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_settings(config=tmp_path, environ={})


VALUES = st.fixed_dictionaries(
    {},
    optional={
        ("agent",): st.sampled_from(["a", "b", "c"]),
        ("limits", "start_s"): st.integers(1, 9),
        ("limits", "close_s"): st.integers(1, 9),
        ("plugins", "block"): st.lists(st.sampled_from(["a", "b"])),
        ("engines", "mine", "command"): st.lists(st.sampled_from(["a", "b"]), min_size=1),
        ("engines", "mine", "env", "TOKEN"): st.sampled_from(["x", "y"]),
        ("agent_engines", "writer"): st.sampled_from(["kiro", "codex"]),
        ("launcher", "environment"): st.sampled_from(["minimal", "inherited"]),
    },
)


def nested(flat):
    tree = {}
    for path, value in flat.items():
        table = tree
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return tree


def variables(flat):
    # All parts in capitals: only the name of an engine's variable keeps them, and TOKEN has them anyway.
    return {
        "KIRO_CORE_" + "__".join(path).upper(): value if isinstance(value, str) else json.dumps(value)
        for path, value in flat.items()
    }


def toml(flat):
    return "\n".join(f"{'.'.join(path)} = {json.dumps(value)}" for path, value in flat.items())


def at(settings, path):
    value = settings
    for key in path:
        value = value.options if isinstance(value, Choice) else value
        value = value[key] if isinstance(value, dict) else getattr(value, key)
    return value


@how(deadline=None)  # a loaded machine is slow, not wrong
@given(file=VALUES, environ=VALUES, arguments=VALUES)
def test_for_any_split_over_the_sources_the_highest_wins_per_key(tmp_path_factory, file, environ, arguments):
    home = tmp_path_factory.getbasetemp() / "any-split"
    home.mkdir(exist_ok=True)
    config = home / "kiro.toml"
    config.write_text(toml(file))
    settings = load_settings(nested(arguments), environ={"KIRO_HOME": str(home), **variables(environ)})
    expected = {path: str(config) for path in file}
    expected |= {path: f"environment variable KIRO_CORE_{'__'.join(path).upper()}" for path in environ}
    expected |= dict.fromkeys(arguments, "argument --set")
    assert settings.origins == {".".join(path): origin for path, origin in expected.items()}
    for path, value in (file | environ | arguments).items():
        assert at(settings, path) == value


def test_what_an_engine_tells_is_found_by_expressions_that_can_be_read(load):
    told = refused(load, '[engines.claude.told]\nname = ["title ("]\n')
    assert "engines.claude.told.name" in str(told)
