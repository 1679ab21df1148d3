"""The metrics folder: one per running server, without those of killed servers."""

import os
import subprocess
import sys
import time

from deploy import runtime_folder
from tests.imports import ROOT


def create_in_another_process(base, end):
    """Return a folder that another process created, and the process, which has ended if `end`."""
    code = (
        "import sys; from pathlib import Path; from deploy import runtime_folder\n"
        "print(runtime_folder.create(Path(sys.argv[1])), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(base)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=-1, stdout=-1)
    folder = process.stdout.readline().strip()
    if end:
        process.kill()
        process.communicate()
    return folder, process


def test_folders_of_killed_servers_are_swept_and_of_living_ones_kept(tmp_path):
    living, process = create_in_another_process(tmp_path, end=False)
    killed, _ = create_in_another_process(tmp_path, end=True)
    own = runtime_folder.create(tmp_path)
    try:
        runtime_folder.sweep(tmp_path)
        assert {str(path) for path in tmp_path.iterdir()} == {living, str(own)}
    finally:
        process.communicate("")
    assert not os.path.exists(killed)


def test_links_and_other_folders_are_kept(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"{runtime_folder.PREFIX}link").symlink_to(tmp_path / "elsewhere")
    runtime_folder.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_old_uploads_are_swept(tmp_path):
    for name in ("tmpold1.upload", "tmpold2.upload.csv", "tmpnew.upload", "tmpold.csv"):
        (tmp_path / name).touch()
        if "old" in name:
            os.utime(tmp_path / name, times=(0, time.time() - 3601))
    runtime_folder.sweep_uploads(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"tmpnew.upload", "tmpold.csv"}


def test_folder_is_on_another_file_system_than_uploads():
    assert str(runtime_folder.shared_memory()) == "/dev/shm"
