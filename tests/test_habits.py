"""The public workflows, the versions and the templates agree with the Makefile and the package."""

import ast
import os
import re
import subprocess
import tomllib

import yaml

from tests.imports import ROOT

WORKFLOW = ROOT / ".github/workflows/ci.yml"
TEXT = WORKFLOW.read_text(encoding="utf-8")
RELEASE = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
JOBS = yaml.safe_load(TEXT)["jobs"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def supported():
    """Return the versions of Python by version of Django that noxfile.py tests."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    [value] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SUPPORTED"
    ]
    return ast.literal_eval(value)


def classifiers(name):
    pattern = re.compile(rf"{re.escape(name)} :: (\d+\.\d+)")
    return {match[1] for text in PROJECT["classifiers"] if (match := pattern.fullmatch(text))}


def test_workflow_runs_what_ci_runs_and_more():
    local = set(re.findall(r"^ *make ([a-z-]+)$", (ROOT / ".ci/run").read_text(), re.M))
    public = set(JOBS["make"]["strategy"]["matrix"]["target"])
    public |= set(re.findall(r"make ([a-z-]+)", "\n".join(
        step.get("run", "") for job in JOBS.values() for step in job["steps"])))  # fmt: skip
    assert local
    assert local <= public
    assert {"test-js", "test-versions"} <= public
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert public <= targets


def test_actions_are_pinned_by_commit():
    uses = re.findall(r"uses: (\S+)(.*)", TEXT + RELEASE)
    assert len(uses) > 3
    for action, comment in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


def test_release_has_the_notes_of_its_version(tmp_path):
    steps = yaml.safe_load(RELEASE)["jobs"]["release"]["steps"]
    [command] = [step["run"] for step in steps if "awk" in step.get("run", "")]
    (tmp_path / "CHANGELOG.md").write_bytes((ROOT / "CHANGELOG.md").read_bytes())
    environ = {"PATH": os.environ["PATH"], "TAG": "v0.2.0"}
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, env=environ, check=True)
    notes = (tmp_path / "notes.md").read_text(encoding="utf-8")
    assert "### Added" in notes
    assert not re.search("^## ", notes, re.MULTILINE)


def test_versions_agree():
    versions = supported()
    pythons = {python for pythons in versions.values() for python in pythons}
    assert classifiers("Framework :: Django") == set(versions)
    assert classifiers("Programming Language :: Python") <= pythons
    assert set(JOBS["versions"]["strategy"]["matrix"]["python"]) == pythons


def test_every_folder_with_pinned_versions_is_updated():
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    listed = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    for ecosystem, pattern, folders in (
        ("pip", "requirements*.txt", ("examples", "infra", "tests", "tools")),
        ("npm", "package.json", ("examples", "tests")),
        ("docker", "Dockerfile", ("infra", "local_pool")),
    ):
        files = [
            file.relative_to(ROOT).parent.as_posix()
            for folder in folders
            for file in (*ROOT.glob(pattern), *(ROOT / folder).rglob(pattern))
            if "node_modules" not in file.parts
        ]
        assert {folder for name, folder in listed if name == ecosystem} == {
            "/" if folder == "." else f"/{folder}" for folder in files
        }


def test_hooks_are_checks_of_make_check():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    makefile = (ROOT / "Makefile").read_text()
    for repository in hooks:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            module = re.search(r"-m (\w+)", hook["entry"])[1]
            assert f"-m {module}" in makefile
