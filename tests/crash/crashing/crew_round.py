"""One crew of stages that chance decides, whose command and agents are killed, until it has ended all the same.

Each stage says its name and the results of those before it, so that its result tells all that went into it. Now and
then an agent refuses, dies or hangs by itself, and its stage is tried again. In the folder is a ledger, to which agents
write when they begin and end a stage.
"""

import json
import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import warm

BOUND_S = 90
MOST_LIVES = 20
TRY_S = 10
"""How long an attempt may take; one that hangs takes as long."""

SCRIPTED = Path(__file__).parents[2] / "desk" / "scripted_agent.py"
PROMPT = """
import pathlib, random
text = got['session/prompt']['prompt'][-1]['text']
ledger = open(pathlib.Path(opening['cwd']) / 'ledger', 'a')
ledger.write(f"begun {text.partition('(')[0]} {os.getpid()}\\n")
ledger.flush()
time.sleep(random.choice([0, 0.02, 0.2]))
fault = random.choice(['refuses', 'dies', 'hangs', *[''] * 27])
if fault == 'refuses':
    answers['session/prompt']['stopReason'] = 'refusal'
if fault == 'dies':
    os.kill(os.getpid(), signal.SIGKILL)
if fault == 'hangs':
    time.sleep(600)
answers['session/prompt']['usage'] = {'inputTokens': 2, 'outputTokens': 1, 'totalTokens': 3}
tell(text)
ledger.write(f"ended {text.partition('(')[0]} {os.getpid()}\\n")
ledger.flush()
"""


class CrewRound:
    """A crew by the name of its round, such as `random 7`; its first `lives` are cut short. `faults` are sentences."""

    def __init__(self, root, name, lives):
        self.lives = lives
        self.random = random.Random(name)
        self.cwd = root / name.replace(" ", "-")
        self.cwd.mkdir()
        self.faults, self.kills, self.killed_agents = [], 0, 0
        self.stages = self._stages()
        self.run = ""
        home = self.cwd / "home" / ".kiro"
        home.mkdir(parents=True)
        self.environment = {**os.environ, "HOME": str(home.parent), "KIRO_HOME": str(home)}
        command = json.dumps([sys.executable, "-P", str(SCRIPTED), json.dumps({"prompt": PROMPT})])
        (home / "kiro.toml").write_text(
            f'engine = "x"\n[crew]\nunknown_stages = "retry"\n[engines.x]\ncommand = {command}\n'
        )
        (self.cwd / "crew.json").write_text(json.dumps({"name": name, "max_parallel": 3, "stages": self.stages}))

    def play(self):
        """Run it, kill what there is, and go on until it has ended; then look."""
        report, lives = None, 0
        while report is None or not report["ended"]:
            arguments = ["resume", self.run, *_choices(report)] if self.run else ["run", "crew.json"]
            report = self._live(arguments, die=lives < self.lives)
            lives += 1
            assert lives < MOST_LIVES, "it does not end"
        self._look(report)

    def _stages(self):
        stages = []
        for number in range(self.random.randint(4, 9)):
            before = self.random.sample([one["id"] for one in stages[-3:]], self.random.randint(0, min(2, number)))
            places = ",".join(f"{{stages.{one}.result}}" for one in before)
            stage = {"id": f"s{number}", "prompt": f"s{number}({places})", "depends_on": before}
            stages.append({**stage, "retry": {"times": 10, "backoff_s": 0}, "timeout_s": TRY_S})
        return stages

    def _live(self, arguments, *, die):
        """One process of the command; its report, or None when it was killed."""
        command = [warm.PROGRAM, "crew", *arguments, "--output", "json"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0}
        with warm.start(command, cwd=self.cwd, env=self.environment, **pipes) as process:
            try:
                last = self.random.randint(1, 2 * len(self.stages)) if die else None
                heard = self._listen(process, last)
                if last is not None and process.poll() is None:
                    process.kill()
                    self.kills += 1
                told, rest = process.communicate(timeout=BOUND_S)
            finally:
                process.kill()
        if process.returncode == -signal.SIGKILL:
            return None
        return json.loads(told) if told else self._ended(process.returncode, heard + rest.decode())

    def _ended(self, code, complaints):
        """The report of a run that was killed behind its end, so that it cannot go on."""
        report = self._shown()
        assert report["ended"], f"it exited with {code} before the run had ended: {complaints}"
        return report

    def _shown(self):
        show = warm.run([warm.PROGRAM, "crew", "show", self.run, "--json"], cwd=self.cwd, env=self.environment)
        return json.loads(show.stdout)

    def _listen(self, process, last):
        """Read what it tells, up to so many lines or its end; now and then kill an agent. What it told."""
        heard = []
        while last is None or len(heard) < last:
            assert select.select([process.stderr], [], [], BOUND_S)[0], "it says nothing any more"
            line = process.stderr.readline().decode()
            if not line:
                break
            heard.append(line)
            if line.startswith("run: "):
                self.run = line.split()[1]
            elif self.random.random() < 0.4:
                self._kill_an_agent()
        return "".join(heard)

    def _kill_an_agent(self):
        at_work = [pid for (_, pid), kinds in self._ledger().items() if "ended" not in kinds]
        for pid in at_work[:1]:
            if b"scripted_agent" in _command_line(pid):
                os.kill(int(pid), signal.SIGKILL)
                self.killed_agents += 1

    def _ledger(self):
        path, found = self.cwd / "ledger", {}
        for line in path.read_text().splitlines() if path.exists() else ():
            kind, stage, pid = line.split()
            found.setdefault((stage, pid), []).append(kind)
        return found

    def _look(self, report):
        if report["outcome"] != "succeeded":
            self.faults.append(f"it came to {report['outcome']}: {report}")
        results, begun = {}, Counter(stage for stage, _ in self._ledger())
        for written in self.stages:
            stage = written["id"]
            results[stage] = f"{stage}({','.join(results[one] for one in written['depends_on'])})"
            told = next(one for one in report["stages"] if one["id"] == stage)
            succeeded = [one["outcome"] for one in told["attempts"]].count("succeeded")
            if told["result"] != results[stage] or succeeded != 1:
                self.faults.append(f"{stage} succeeded {succeeded} times, with {told['result']!r}")
            if begun[stage] > len(told["attempts"]):
                self.faults.append(f"{stage} was begun {begun[stage]} times, of which the report tells less")
            if told["attempts"][-1]["outcome"] != "succeeded":
                self.faults.append(f"{stage} ran again behind its success")
        if report["usage"]["total_tokens"] < 3 * len(self.stages):
            self.faults.append(f"it used more than it tells: {report['usage']}")
        left = [pid for _, pid in self._ledger() if b"scripted_agent" in _command_line(pid)]
        if left:
            self.faults.append(f"agents are left: {left}")


def _choices(report):
    """What was cut off three times in a row is not run again by a setting, and its run waits.

    Only a run that was taken up knows what was cut off: a turn may have ended without having been told.
    """
    stages = report["stages"] if report else ()
    return [word for one in stages if one["phase"] == "unknown" for word in ("--rerun", one["id"])]


def _command_line(pid):
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""
