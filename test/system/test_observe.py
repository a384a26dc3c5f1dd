"""Looking into a running application: on this machine, where `sinew run` started it."""

import subprocess

import pytest

from support.host_project import HostProject, Running
from support.tool import TOOL
from support.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.xdist_group("host_project")


class Observed:
    """A project that runs on this machine, and what `sinew observe` and `sinew top` say of it."""

    def __init__(self, project: HostProject, folder) -> None:
        self.project = project
        self.socket = folder / "observe.sock"
        self.running = Running(project, SINEW_OBSERVE=str(self.socket))

    def ask(self, *arguments: str) -> str:
        return self.project.tool.run(*arguments, "--socket", str(self.socket))

    def ask_json(self, *arguments: str):
        return self.project.tool.run_json(*arguments, "--socket", str(self.socket))


@pytest.fixture(scope="module")
def running(host_project, tmp_path_factory):
    started = Observed(host_project, tmp_path_factory.mktemp("observe"))
    yield started
    assert started.running.interrupt() == 0


def test_the_tree_shows_who_supervises_whom(running):
    lines = running.ask("observe", "--once").splitlines()
    assert lines[0].startswith("ErrnoApplication 0.1.0")
    led = next(line for line in lines if "Led <" in line)
    button = next(line for line in lines if "Button <" in line)
    assert led[0] in "├└│ " and button[0] in "├└│ "


def test_the_tree_is_drawn_for_graphviz(running):
    graph = running.ask("observe", "--format", "dot")
    assert graph.lstrip().startswith("digraph") and "Led" in graph


def test_a_script_sees_the_led_at_work(running):
    def has_handled_more() -> bool:
        seen = running.ask_json("top", "--interval", "500")
        before, now = (
            next(
                process["messages_handled"]
                for process in seen[moment]["processes"]
                if "Led" in process["label"]
            )
            for moment in ("before", "now")
        )
        return now > before

    assert eventually("the LED to handle a message between two looks", has_handled_more)


def test_the_log_can_be_searched(running):
    assert "LED0 on" in running.ask("observe", "--log", "LED0")


def test_two_who_look_at_once_don_t_disturb_each_other(running):
    pair = [
        subprocess.Popen(
            [str(TOOL), "top", "--interval", "100", "--json", "--socket", str(running.socket)],
            env=running.project.tool.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert all("Led" in one.communicate(timeout=PATIENCE_S)[0] for one in pair)
    assert [one.returncode for one in pair] == [0, 0]


def test_no_application_and_no_process_are_named(running, tmp_path):
    missing = running.project.tool.try_run("observe", "--once", "--socket", str(tmp_path / "none.sock"))
    assert missing.returncode == 1 and missing.stderr.startswith("error: ")
    nobody = running.project.tool.try_run("observe", "--state", "nobody", "--socket", str(running.socket))
    assert nobody.returncode == 1 and "nobody" in nobody.stderr
