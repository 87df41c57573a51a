"""What a shell command is, held against what a real shell makes of it."""

import re
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.policy.shell import read


def told_by_sh(command):
    """The words of a simple command as a real shell sees them."""
    script = f"printf '%s\\0' {command}"
    done = subprocess.run(["/bin/sh", "-c", script], check=False, capture_output=True, timeout=10, env={}, cwd="/")
    return tuple(done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1])


@pytest.mark.parametrize(
    "command",
    [
        "git status",
        "ls -l src",
        "'git' status",
        'echo "a b"',
        "echo a\\ b",
        "echo '$HOME'",
        'echo "\\$HOME"',
        "echo a#b",
        "ls *",
    ],
)
def test_one_program_with_its_arguments_is_simple(command):
    assert read(command).simple


COMPOUND = """
a && b; a || b; a | b; a & b; a &; (a); { a; }; a > f; a < f; a 2>&1; a >> f; a >| f; a <<< f; a $(b); a `b`; a "$(b)"
a "`b`"; a $b; a "$b"; a ${b}; a <(b); A=1 b; A+=1 b; if a; ! a; a # b; a 'b; a "b; a \\; r? x; $a; {a,b}; [[ a ]]
function a
"""


@pytest.mark.parametrize("command", re.split(r"; |\n", COMPOUND.strip()))
def test_all_else_is_not(command):
    assert not read(command).simple


@pytest.mark.parametrize(
    "command", ["", " ", "a; b", "a\nb", "a <<E\nx\nE", "a \\\n b", "a\rb", "a\0b", "a 'b\nc'", "x" * 30_000]
)
def test_neither_is_what_has_more_than_one_line_or_none(command):
    assert not read(command).simple


HERE = """
RM
RM > f
2>f RM
/bin/RM
'rm' -rf /
r''m -rf /
\\rm -rf /
rm  -rf\t/
rm "-rf" /
! RM
X=1 RM
a; RM
a && RM
a|RM
a & RM
(RM)
{ RM; }
function f { RM; }
f() { RM; }
if a; then RM; fi
while RM; do a; done
case a in b) RM;; esac
echo $(RM)
echo `RM`
echo "$(RM)"
echo "a `RM` b"
echo "$(echo \\"$(RM)\\")"
x=$(RM)
a > $(RM)
diff <(RM) b
eval RM
eval 'RM'
exec RM
sudo RM
sudo -u x RM
env A=b RM
xargs RM
timeout 5 RM
nohup nice -n 5 RM
find / -exec RM ';'
sh -c 'RM'
bash -lc 'cd /; RM'
sudo sh -c 'RM'
sh -c "sh -c 'RM'"
"""


@pytest.mark.parametrize("line", HERE.strip().splitlines())
def test_a_program_is_seen_wherever_it_stands(line):
    command = line.replace("RM", "rm -rf /")
    assert any(spelling.startswith("rm -rf /") for spellings in read(command).parts for spelling in spellings)


def test_a_program_is_seen_on_every_line():
    for command in ("a\nrm -rf /", "a <<E\n$(rm -rf /)\nE", "a \\\n; rm -rf /", "rm \\\n -rf /"):
        assert any("rm -rf /" in spellings for spellings in read(command).parts)


@pytest.mark.parametrize("command", ["a; b", "a && b | c > f", "if a; then b; fi", "(a; b) 2>&1", "a 'b' \"c\" *"])
def test_plain_commands_are_seen_whole(command):
    assert read(command).whole


@pytest.mark.parametrize(
    "command",
    ["$a", "a $(b)", "a $b", "a `b`", "eval a", "sh x", ". x", "sudo a", "r? x", "{a,b} x", "a 'b", "alias a=b"],
)
def test_what_may_hide_a_program_is_not_seen_whole(command):
    assert not read(command).whole


def test_a_word_in_quotes_is_no_program():
    assert not any("rm x" in spellings for spellings in read("git commit -m 'rm x'").parts)
    assert not any("rm x" in spellings for spellings in read('git commit -m "a; rm x"').parts)


ODD = st.sampled_from("ab \"'\\$`;&|<>()#\n=*")
plain = st.text(st.sampled_from("ab-/.=:,@%+_é"), min_size=1, max_size=6)
quoted = st.text(st.sampled_from("ab $`;&|<>(){}*?!#\\~"), max_size=6)


@given(st.lists(st.one_of(plain, quoted.map(shlex.quote), quoted.map(lambda s: "'" + s + "'")), min_size=1, max_size=4))
def test_the_words_of_a_simple_command_are_those_of_a_real_shell(words):
    seen = read(" ".join(words))
    assert not seen.simple or seen.argv == told_by_sh(" ".join(words))


@given(st.text(ODD, max_size=14))
def test_what_is_called_simple_starts_one_program_in_a_real_shell_too(text):
    command = f"echo {text}"
    seen = read(command)
    if seen.simple and "*" not in text and text.strip():
        assert seen.argv[1:] == told_by_sh(text)


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    seen = read(text)
    assert not (seen.simple and len(seen.parts) < 1)


@given(st.text(ODD, max_size=30), st.sampled_from([";", "&&", "|", "\n", "&", "||"]))
def test_what_stands_behind_an_operator_is_seen_unless_a_quote_before_it_is_open(text, operator):
    seen = read(f"{text} {operator} rm x")
    assert any("rm x" in spellings for spellings in seen.parts) or not read(text).whole


BOMBS = [
    "{ ",
    "sudo { ",
    "sudo ",
    "eval ",
    "sh -c '",
    "(",
    '"$(',
    "`",
    "a;",
    "if ",
    "x=1 ",
    "a {",
    "\\",
    "'",
    '"',
    "<<",
    "*",
    "$",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_command_that_is_made_to_be_hard_is_not_understood_and_does_no_harm(bomb):
    for times in (100, 100_000):
        seen = read(bomb * times + "rm x")
        assert len(seen.parts) <= 200
    assert not seen.simple
    assert not seen.whole
