"""`tools/install` as a program, with a Python, a uv and a pip that record how they were called."""

import os
import shutil
import subprocess

import pytest

from tests.imports import ROOT

PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"-m pip install"*) exit "${PIP_STATUS:-0}" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >>"$CALLS"
case "$*" in
    venv*) mkdir -p .venv/bin && cp "$PYTHON" .venv/bin/python ;;
    pip*) exit "${UV_STATUS:-0}" ;;
esac
"""


@pytest.fixture
def install(tmp_path):
    """A function that runs the program in a new checkout. It returns the status and the calls."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/install", tmp_path / "tools/install")
    for name in ("requirements-runtime.txt", "requirements-run.txt"):
        (tmp_path / name).write_text("package==1\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    calls = tmp_path / "calls"

    def write(name, text):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    def run(*, with_uv, lock=None, while_waiting=None, **variables):
        (tmp_path / ".local").mkdir(exist_ok=True)
        if lock is not None:
            (tmp_path / ".local/installing").symlink_to(str(lock))
        write("python", PYTHON)
        write("uv", UV if with_uv else "#!/bin/sh\nexit 1\n")
        calls.write_text("")
        with subprocess.Popen(
            ["/bin/sh", "tools/install", "requirements-run.txt", ".venv/installed-run"],
            cwd=tmp_path,
            env={
                "PATH": f"{programs}:{os.defpath}",
                "PYTHON": str(programs / "python"),
                "CALLS": str(calls),
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            if while_waiting is not None:
                while_waiting(process.stdout.readline())
            output, errors = process.communicate()
        done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
        assert not (tmp_path / ".local/installing").is_symlink()
        is_stamped = (tmp_path / ".venv/installed-run").exists()
        assert is_stamped == (done.returncode == 0), done.stderr
        return done, calls.read_text()

    return run


def test_packages_are_installed_with_uv_where_it_is_present(install):
    done, calls = install(with_uv=True)
    assert done.returncode == 0, done.stderr
    assert "uv venv" in calls
    assert "uv pip install --quiet --python .venv/bin/python -r requirements-run.txt" in calls
    assert "-m pip install" not in calls


@pytest.mark.parametrize("with_uv", [False, True])
def test_packages_are_installed_with_pip_otherwise(install, with_uv):
    done, calls = install(with_uv=with_uv, UV_STATUS="2")
    assert done.returncode == 0, done.stderr
    assert "-m pip install" in calls
    assert calls.rstrip().endswith("-r requirements-run.txt")


def test_failure_is_reported_and_repeated_by_the_next_run(install):
    done, _ = install(with_uv=False, PIP_STATUS="1")
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    done, calls = install(with_uv=False)
    assert done.returncode == 0, done.stderr
    assert "-m venv" not in calls


def test_second_installation_waits_for_the_first(install):
    first = subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE)
    said = []

    def end_the_first(line):
        said.append(line)
        first.communicate()

    done, _ = install(with_uv=False, lock=first.pid, while_waiting=end_the_first)
    assert said == ["Waiting for another installation in this checkout …\n"]
    assert done.returncode == 0, done.stderr


def test_lock_of_a_killed_installation_is_ignored(install):
    killed = subprocess.Popen(["/bin/sh", "-c", "exit 0"])
    killed.wait()
    done, _ = install(with_uv=False, lock=killed.pid)
    assert done.returncode == 0, done.stderr
    assert "Waiting" not in done.stdout


def test_python_that_is_too_old_is_named(install):
    done, _ = install(with_uv=False, PYTHON="/bin/false")
    assert done.stderr.startswith("This project requires Python 3.11 or newer")
    assert "/bin/false" in done.stderr
