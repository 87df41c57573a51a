"""A crew that cannot run is told before anything starts: all of it at once, each with its line."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_core.crew import Known, Schedule, load_crew, load_kiro, read_crew
from kiro_core.crew.stages import Crew, Loop, Retry, Stage

TOML = """\
name = "paper"
max_paralel = 3  # three
timeout_s = inf

[[stages]]
id = "research"
prompt = '''
id = "not a key"
[[stages]]
{task} '''
depends_on = [
  "review", "nobody",
]

[[stages]]
id = "write"
agent = "writr"
engine = "claud"
prompt = "{stages.review.result} {stages.q.result} {x} }"
[stages.retry]
time = 3

[[stages]]
id = "review"
prompt = "Look."
when = "any"
depends_on = ["write"]
loop = { target = "wrote", trigger = "no" }

[[stages]]
id = "write"
timeout_s = 0
"""

PROBLEMS = [
    (2, "max_paralel", "is a key that nobody knows here; did you mean 'max_parallel'?"),
    (3, "timeout_s", "should be a finite number"),
    (7, "stages.0.prompt", "has {task}, and there is no task"),
    (11, "stages.0.depends_on", "names no stage that is known: 'nobody'"),
    (17, "stages.1.agent", "names no agent configuration that is known: 'writr'; did you mean 'writer'?"),
    (18, "stages.1.engine", "names no engine that is known: 'claud'; did you mean 'claude'?"),
    (19, "stages.1.prompt", "wants the result of 'review', which it does not depend on"),
    (19, "stages.1.prompt", "wants the result of a stage that is not known: 'q'"),
    (19, "stages.1.prompt", "has '{x}'; there are {task}, {stages.ID.result}, and {{ }} for braces"),
    (19, "stages.1.prompt", "has '}'; there are {task}, {stages.ID.result}, and {{ }} for braces"),
    (20, "stages.1.retry.times", "is missing"),
    (21, "stages.1.retry.time", "is a key that nobody knows here; did you mean 'times'?"),
    (26, "stages.2.when", "should be 'all_succeeded', 'all_done' or 'any_failed'"),
    (28, "stages.2.loop.trigger", "should have at least 4 characters"),
    (28, "stages.2.loop.target", "names no stage that is known: 'wrote'; did you mean 'write'?"),
    (30, "stages.3.prompt", "is missing"),
    (31, "stages.3.id", "is the id of stages.1 already"),
    (32, "stages.3.timeout_s", "should be greater than 0"),
]


def told(loaded):
    return [(problem.line, problem.field, problem.reason) for problem in loaded.problems]


def reasons(*stages, known=None, **fields):
    loaded = load_crew({"name": "x", "stages": list(stages), **fields}, known=known or Known())
    assert (loaded.crew is None) == bool(loaded.problems)
    return [f"{problem.field} {problem.reason}" for problem in loaded.problems]


def stage(name, *depends_on, prompt="work", **fields):
    return {"id": name, "prompt": prompt, "depends_on": list(depends_on), **fields}


def back_to(target):
    return {"target": target, "trigger": "AGAIN"}


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path):
    path = tmp_path / "paper.toml"
    path.write_text(TOML)
    loaded = read_crew(path, known=Known(agents=["writer"], engines=["claude"]))
    assert loaded.crew is None
    assert told(loaded) == PROBLEMS


def test_the_same_in_json_has_the_lines_of_json(tmp_path):
    path = tmp_path / "paper.json"
    path.write_text(json.dumps({"name": "x", "stages": [{"id": "a b", "prompt": "p"}, {"id": "b"}]}, indent=1))
    assert told(read_crew(path)) == [
        (5, "stages.0.id", "should be 1 to 64 letters, digits, - and _"),
        (8, "stages.1.prompt", "is missing"),
    ]


def test_toml_and_json_say_the_same(tmp_path):
    fields = {"name": "x", "task": "t", "stages": [stage("a"), stage("b", "a", retry={"times": 2}, loop=back_to("a"))]}
    (tmp_path / "a.json").write_text(json.dumps(fields))
    (tmp_path / "a.toml").write_text(
        'name = "x"\ntask = "t"\nstages = [{id = "a", prompt = "work"}, {id = "b", prompt = "work", depends_on = "a",'
        ' retry.times = 2, loop = {target = "a", trigger = "AGAIN"}}]'
    )
    read = [read_crew(tmp_path / name).crew for name in ("a.json", "a.toml")]
    assert read[0] == read[1] == load_crew(fields).crew
    assert read[0].stages[1].loop.max_iterations == 3


def test_a_task_that_is_given_counts_instead_of_the_one_in_the_file(tmp_path):
    (tmp_path / "a.toml").write_text('name = "x"\n[[stages]]\nid = "a"\nprompt = "{task}"\n')
    assert read_crew(tmp_path / "a.toml").crew is None
    assert read_crew(tmp_path / "a.toml", task="this").crew.task == "this"


def test_a_task_for_which_no_prompt_has_a_place_would_be_done_by_nobody(tmp_path):
    (tmp_path / "a.toml").write_text('name = "x"\ntask = "t"\n[[stages]]\nid = "a"\nprompt = "{{task}}"\n')
    assert read_crew(tmp_path / "a.toml").problems == []
    (problem,) = read_crew(tmp_path / "a.toml", task="this").problems
    assert (problem.field, "no prompt has {task}" in problem.reason) == ("task", True)


@pytest.mark.parametrize(
    ("name", "text", "line", "reason"),
    [
        ("a.toml", "name = 'x'\nname = 'y'\n", 2, "is not TOML"),
        ("a.toml", "a = [\n", 0, "is not TOML"),
        ("a.toml", "a = " + "[" * 5000, 0, "is nested too deep"),
        ("a.toml", "a = " + "1" * 5000, 0, "is not TOML"),
        ("a.toml", "\udcff", 0, "is not UTF-8 at byte 0"),
        ("a.json", '{"name": NaN}', 0, "holds a value that JSON cannot"),
        ("a.json", '{\n"name": 1,\n"name": 2}', 3, "stands there twice"),
        ("a.yaml", "name: x", 0, "is no crew file: its name ends neither in .toml nor in .json"),
    ],
)
def test_what_cannot_be_read_is_one_problem(tmp_path, name, text, line, reason):
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    (problem,) = read_crew(tmp_path / name).problems
    assert problem.reason.startswith(reason)
    assert problem.line == line


def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    (problem,) = read_crew(tmp_path / "a.toml").problems
    assert "No such file" in problem.reason


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([stage("a", "a")], ["stages.0.depends_on leads back to itself: a -> a"]),
        (
            [stage("x"), stage("c", "b", "x"), stage("a", "c"), stage("b", "a"), stage("d", "e"), stage("e", "d", "a")],
            [
                "stages.1.depends_on leads back to itself: c -> b -> a -> c",
                "stages.4.depends_on leads back to itself: d -> e -> d",
            ],
        ),
        ([stage("a", "")], ["stages.0.depends_on names no stage that is known: ''"]),
        ([stage("a", when="any_failed")], ["stages.0.when is any_failed, and it depends on no stage that could fail"]),
        (
            [stage("a"), stage("b", "a"), stage("c", loop=back_to("b"))],
            ["stages.2.loop.target is no stage before this one: 'b'"],
        ),
        ([stage("a", loop=back_to("a"))], ["stages.0.loop.target is no stage before this one: 'a'"]),
        (
            [stage("aa"), stage("b", "aa", loop=back_to("aaa"))],
            ["stages.1.loop.target names no stage that is known: 'aaa'; did you mean 'aa'?"],
        ),
        (
            [stage("a"), stage("b", "a", loop=back_to("a")), stage("c", "a", loop=back_to("a"))],
            ["stages.2.loop crosses the loop of 'b'; let one of the two stages depend on the other"],
        ),
        (
            [
                *[stage("t"), stage("d", "t"), stage("e", "t", "z"), stage("l", "d", "e", loop=back_to("t"))],
                *[stage("u"), stage("y", "u", "d"), stage("z", "u"), stage("m", "y", "z", loop=back_to("u"))],
            ],
            ["stages.2.depends_on waits for the end of a loop that waits for it: e -> m -> y -> l -> e"],
        ),
        ([], ["stages should have at least 1 item"]),
        (
            [stage(f"s{number}") for number in range(101)],
            ["stages should have at most 100 items"],
        ),
        ([stage("a", prompt="x" * 16_001)], ["stages.0.prompt should have at most 16000 characters"]),
        ([stage("a", prompt="")], ["stages.0.prompt should have at least 1 character"]),
        ([stage("a", agent="a\nb")], ["stages.0.agent should be one line of text that can be shown"]),
        ([stage("a", retry={"times": 11})], ["stages.0.retry.times should be less than or equal to 10"]),
        (["a"], ["stages.0 should be an object"]),
        ([stage("a", retry=3)], ["stages.0.retry should be an object"]),
    ],
)
def test_what_does_not_fit_together_is_named(stages, expected):
    assert reasons(*stages) == expected


def test_limits_are_numbers_above_0_and_an_unknown_one_is_told():
    assert reasons(stage("a"), limits={"tokens": 1, "cost": 0.5, "credits": 2}) == []
    assert reasons(stage("a"), limits={"tokens": 0}) == ["limits.tokens should be greater than 0"]
    assert reasons(stage("a"), limits={"token": 1}) == [
        "limits.token is a key that nobody knows here; did you mean 'tokens'?"
    ]


def test_a_stage_that_is_wrong_does_not_make_others_wrong():
    assert reasons(stage("a", timeout_s="x"), stage("b", "a", prompt="{stages.a.result}")) == [
        "stages.0.timeout_s should be a valid number"
    ]


def test_null_is_as_good_as_absent():
    assert reasons(stage("a", agent=None, retry={"times": 1, "factor": None}, loop=None), timeout_s=None) == []


def test_so_many_mistakes_are_told_and_how_many_more_there_are():
    told = reasons(*[stage("a", agent="x") for _ in range(100)], known=Known(agents=()))
    assert (len(told), told[-1]) == (51, " and 149 more")


fields = st.sampled_from([*Crew.model_fields, *Stage.model_fields, *Retry.model_fields, *Loop.model_fields])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "a", "b", "{task}", "AGAIN"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields | st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)
names = st.sampled_from(["a", "b", "c", ""])
halves = st.fixed_dictionaries(
    {"id": names, "prompt": st.sampled_from(["work", "{stages.a.result}"])},
    optional={
        "depends_on": names | st.lists(names, max_size=2),
        "loop": st.fixed_dictionaries({"target": names, "trigger": st.just("AGAIN")}),
        "when": values,
    },
)
crews = st.fixed_dictionaries({"name": st.just("x"), "stages": st.lists(halves | values, max_size=5)})


@settings(max_examples=max(200, settings().max_examples))
@given(crews | st.dictionaries(fields | st.text(max_size=5), values, max_size=5))
def test_any_value_is_a_crew_that_can_begin_or_problems(given_fields):
    for load in (load_crew, load_kiro):
        loaded = load(given_fields)
        assert (loaded.crew is None) == bool(loaded.problems)
        if loaded.crew is not None:
            assert Schedule(loaded.crew, 0).ready(0)


lines = st.sampled_from(
    [
        "[[stages]]",
        "[stages.retry]",
        "[a.b]",
        "id = 'a'",
        "a.b = 1",
        'prompt = """',
        '"""',
        "'''",
        "x = [",
        "]",
        "# [",
        "",
    ]
)


@given(st.lists(lines | st.text(max_size=10), max_size=12).map("\n".join))
def test_any_text_is_a_crew_or_problems_with_lines_that_it_has(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    with suppress(UnicodeEncodeError):
        path.write_text(text)
        for problem in read_crew(path).problems:
            assert 0 <= problem.line <= text.count("\n") + 1


KIRO = {
    "task": "Write {about} it\nand more",
    "mode": "blocking",
    "stages": [
        {"name": "research", "role": "reader", "prompt_template": 'Find {task}, as {"json": 1}'},
        {"name": "write", "role": "writer", "prompt_template": "Write.", "depends_on": ["research"], "model": "m"},
    ],
}


def test_what_kiro_tells_its_own_tool_is_a_crew():
    crew = load_kiro(KIRO).crew
    assert (crew.name, crew.task) == ("Write {about} it", KIRO["task"])
    assert [(one.id, one.agent, one.model) for one in crew.stages] == [
        ("research", "reader", ""),
        ("write", "writer", "m"),
    ]
    assert crew.stages[0].prompt == 'Find {task}, as {{"json": 1}}'
    assert crew.stages[1].prompt == "Write.\n\nResult of research:\n{stages.research.result}"


def test_what_is_wrong_with_it_is_told_in_its_own_words():
    stages = [
        {"name": "a b", "role": "riter", "prompt_template": 3},
        {"name": "c", "depends_on": "d", "prompt_template": "x"},
        "e",
        {"name": "f"},
    ]
    loaded = load_kiro({"task": "t", "stages": stages}, Known(agents=["writer"]))
    assert [(problem.field, problem.reason) for problem in loaded.problems] == [
        ("stages.0.name", "should be 1 to 64 letters, digits, - and _"),
        ("stages.0.prompt_template", "should be a valid string"),
        ("stages.2", "should be an object"),
        ("stages.3.prompt_template", "is missing"),
        ("stages.0.role", "names no agent configuration that is known: 'riter'; did you mean 'writer'?"),
        ("stages.1.depends_on", "names no stage that is known: 'd'"),
    ]
