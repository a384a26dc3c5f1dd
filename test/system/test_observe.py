"""Looking into a running application: on this machine, where `sinew run` started it."""

import os
import signal
import subprocess
import time

import pytest

from support.tool import TOOL, Project


class Running:
    """A project that runs on this machine, and what `sinew observe` and `sinew top` say of it."""

    def __init__(self, project: Project, folder) -> None:
        self.project = project
        self.socket = folder / "observe.sock"
        self.process = subprocess.Popen(
            [str(TOOL), "run"],
            cwd=project.folder,
            env=project.tool.environment() | {"SINEW_OBSERVE": str(self.socket)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while not self.socket.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    def end(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)

    def ask(self, *arguments: str) -> str:
        return self.project.tool.run(*arguments, "--socket", str(self.socket))

    def ask_json(self, *arguments: str):
        return self.project.tool.run_json(*arguments, "--socket", str(self.socket))


@pytest.fixture(scope="module")
def running(tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("observe")
    project = Project.create(tool, folder, "watched")
    project.tool.run("run", "--build-only", folder=project.folder)
    started = Running(project, folder)
    yield started
    assert started.end() == 0


def test_the_tree_shows_who_supervises_whom(running):
    lines = running.ask("observe", "--once").splitlines()
    assert lines[0].startswith("Watched 0.1.0")
    led = next(line for line in lines if "Led <" in line)
    button = next(line for line in lines if "Button <" in line)
    assert led[0] in "├└│ " and button[0] in "├└│ "


def test_the_tree_is_drawn_for_graphviz(running):
    graph = running.ask("observe", "--format", "dot")
    assert graph.lstrip().startswith("digraph") and "Led" in graph


def test_a_script_sees_the_led_at_work(running):
    seen = running.ask_json("top", "--interval", "1500")
    handled = [
        next(
            process["messages_handled"] for process in seen[moment]["processes"] if "Led" in process["label"]
        )
        for moment in ("before", "now")
    ]
    assert handled[1] > handled[0]


def test_the_log_can_be_searched(running):
    time.sleep(1)
    assert "LED0 on" in running.ask("observe", "--log", "LED0")


def test_two_who_look_at_once_don_t_disturb_each_other(running):
    pair = [
        subprocess.Popen(
            [str(TOOL), "top", "--interval", "1000", "--json", "--socket", str(running.socket)],
            env=running.project.tool.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert all("Led" in one.communicate(timeout=30)[0] for one in pair)
    assert [one.returncode for one in pair] == [0, 0]


def test_no_application_and_no_process_are_named(running, tmp_path):
    missing = running.project.tool.try_run("observe", "--once", "--socket", str(tmp_path / "none.sock"))
    assert missing.returncode == 1 and missing.stderr.startswith("error: ")
    nobody = running.project.tool.try_run("observe", "--state", "nobody", "--socket", str(running.socket))
    assert nobody.returncode == 1 and "nobody" in nobody.stderr
