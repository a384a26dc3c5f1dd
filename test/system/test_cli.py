"""The tool on this machine: projects made, run and tested, and everything that is said when something is wrong."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

from support.host_project import Running
from support.programs import ROOT
from support.tool import Project

uses_the_host_project = pytest.mark.xdist_group("host_project")


def refusal(tool, *arguments: str, folder: pathlib.Path, status: int = 1) -> str:
    done = tool.try_run(*arguments, folder=folder)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr.startswith("error: ") and len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


@uses_the_host_project
def test_a_new_project_is_laid_out_as_ours(host_project):
    """What `sinew new` generates keeps the layout rules of this tree."""
    sources = [*host_project.folder.rglob("src/*.?pp"), *host_project.folder.rglob("test/*.?pp")]
    assert len(sources) >= 6
    subprocess.run(
        ["clang-format-19", f"--style=file:{ROOT}/.clang-format", "--dry-run", "--Werror", *sources],
        check=True,
    )


@uses_the_host_project
def test_its_unit_tests_pass_in_virtual_time(host_project):
    said = host_project.tool.run("test", folder=host_project.folder)
    assert "100% tests passed" in said
    assert "toggles_every_500_ms" in said


@uses_the_host_project
def test_a_failing_test_fails_the_command(host_project):
    with host_project.changed("src/led.cpp", r"m_on = !m_on;", "m_on = false;"):
        done = host_project.tool.try_run("test", folder=host_project.folder)
    assert done.returncode == 1
    assert "toggles_every_500_ms" in done.stdout
    # ctest has its word first.
    assert done.stderr.splitlines()[-1].startswith("error: tests failed")


@uses_the_host_project
def test_a_compile_error_shows_the_compilers_words_once(host_project):
    with host_project.changed("src/led.cpp", r"m_on = !m_on;", "m_on = !m_onn;"):
        done = host_project.tool.try_run("run", folder=host_project.folder)
    assert done.returncode == 1
    assert "led.cpp" in done.stdout and "m_onn" in done.stdout
    assert "the messages are above" in done.stderr


@uses_the_host_project
def test_it_runs_on_this_machine_and_ends_in_order_at_an_interrupt(host_project):
    """Ctrl-C at a terminal goes to the whole foreground group: the application still stops in order, with status 0."""
    running = Running(host_project)
    assert running.interrupt() == 0, "\n".join(running.lines)


@uses_the_host_project
def test_a_program_that_crashes_says_where_and_the_tool_how_it_ended(host_project):
    with host_project.changed("src/led.cpp", r"m_on = !m_on;", "*reinterpret_cast<int volatile*>(16) = 1;"):
        done = host_project.tool.try_run("run", folder=host_project.folder)
    assert done.returncode == 128 + signal.SIGSEGV
    assert "crashed: SIGSEGV at address 0x10 (nothing is there), in " in done.stderr
    assert "Led <" in done.stderr and " handling " in done.stderr
    name = host_project.folder.name
    assert f"{name} was ended by signal 11 (Segmentation fault)" in done.stderr
    assert "addr2line" in done.stderr


@pytest.mark.parametrize("name", ["Blinky", "../evil", "a__b", "node_", "3d", "x" * 41])
def test_bad_names_are_refused_and_leave_nothing(tool, tmp_path, name):
    assert "can't name a project" in refusal(tool, "new", name, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_and_kept(tool, tmp_path):
    (tmp_path / "blinky").mkdir()
    (tmp_path / "blinky" / "precious").write_text("mine")
    assert "exists already" in refusal(tool, "new", "blinky", folder=tmp_path)
    assert (tmp_path / "blinky" / "precious").read_text() == "mine"


def test_an_unknown_target_lists_the_known_ones(tool, tmp_path):
    project = Project.create(tool, tmp_path, "known")
    for arguments, folder in [
        (("new", "blinky", "--target", "toaster"), tmp_path),
        (("firmware", "--target", "toaster"), project.folder),
        (("system", "layout", "toaster"), tmp_path),
        (("emulate", "--target", "toaster"), project.folder),
    ]:
        said = refusal(tool, *arguments, folder=folder)
        assert "unknown target 'toaster'" in said and "x86_64" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('nmae = "x"', "sinew.toml:1: unknown key 'nmae'"),
        ('name = "x"\nversion = 3', "sinew.toml:2: version: expected a string"),
        ('name = "x"\n\nversion = "3"', "sinew.toml:3: version: '3' is not a version"),
        ('name = "x"\ntarget = "toaster"', "sinew.toml:2: target: unknown target 'toaster'"),
        ('name = "x\n', "sinew.toml:1"),
    ],
)
def test_a_broken_sinew_toml_names_file_line_key_and_reason(tool, tmp_path, text, expected):
    (tmp_path / "sinew.toml").write_text(text)
    assert expected in refusal(tool, "firmware", folder=tmp_path)


def test_a_place_without_a_project_says_what_to_do(tool, tmp_path):
    for command in ("run", "test", "firmware", "burn", "emulate"):
        assert "sinew new NAME" in refusal(tool, command, folder=tmp_path)


def test_wrong_usage_is_a_sentence_and_status_2(tool, tmp_path):
    assert "no command 'fly'" in refusal(tool, "fly", folder=tmp_path, status=2)
    assert "--sideways" in refusal(tool, "new", "blinky", "--sideways", folder=tmp_path, status=2)
    assert "NAME is required" in refusal(tool, "new", folder=tmp_path, status=2)
    assert "see `sinew emulate --help`" in refusal(
        tool, "emulate", "--accel", "warp", folder=tmp_path, status=2
    )
    assert "name a command" in refusal(tool, folder=tmp_path, status=2)


def test_a_damaged_archive_is_refused_before_anything_is_written(tool, tmp_path):
    (tmp_path / "bad.fw").write_bytes(b"this is no firmware\n" * 100)
    refusal(tool, "burn", "--firmware", "bad.fw", "--image", "disk.img", folder=tmp_path)
    assert not (tmp_path / "disk.img").exists()


def test_errors_and_results_are_json_for_scripts(tool, tmp_path):
    done = tool.try_run("new", "Bad", "--json", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "invalid_argument"
    assert tool.run_json("new", "good", folder=tmp_path)["project"] == "good"
    assert tool.run_json("key", "list", folder=tmp_path).keys() == {"keys"}


def test_keys_are_private_and_never_overwritten(tool, tmp_path):
    made = tool.run_json("key", "generate", "test_cli", folder=tmp_path)
    assert os.stat(made["private_path"]).st_mode & 0o777 == 0o600
    assert "never overwritten" in refusal(tool, "key", "generate", "test_cli", folder=tmp_path)
    assert tool.run("key", "show", "test_cli").strip() == made["public_key"]


def test_every_command_explains_itself_with_examples(tool):
    listed = tool.run("--help")
    for command in (
        "new",
        "run",
        "test",
        "firmware",
        "burn",
        "emulate",
        "upload",
        "key",
        "fw",
        "system",
        "doctor",
    ):
        assert command in listed
        assert "Examples:" in tool.run(command, "--help")


def test_output_for_a_file_has_no_escape_sequences(tool, tmp_path):
    assert "\033" not in tool.run("new", "plain", folder=tmp_path) + tool.try_run("doctor").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_commands(tool, tmp_path, shell):
    script = tmp_path / "completion"
    script.write_text(tool.run("completion", shell))
    assert "emulate" in script.read_text()
    if shell == "bash":
        subprocess.run(["bash", "-n", str(script)], check=True)
        subprocess.run(["shellcheck", "-s", "bash", str(script)], check=True)
