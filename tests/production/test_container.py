"""Dockerfiles and compose.yaml against their linters, and the rules that no linter knows."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose

from tests.imports import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ON_LAMBDA = (ROOT / "infra/Dockerfile").read_text(encoding="utf-8")
COMPOSE_FILE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_FILE)
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["Dockerfile", "infra/Dockerfile"])
def test_dockerfile_passes_hadolint(name):
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--format", "json", ROOT / name], capture_output=True, text=True
    )
    assert json.loads(done.stdout) == []
    assert done.returncode == 0


def test_linter_notices_a_mistake(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /x\n")
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "DL3006" in done.stdout


def test_final_stage_is_nobody_and_builds_nothing():
    assert re.search(r"^USER 10001:10001$", FINAL, re.MULTILINE)
    assert "HEALTHCHECK" in FINAL
    assert "/healthz" in FINAL
    assert "apt-get" not in FINAL
    assert "pip install" not in FINAL
    assert "COPY . " not in FINAL
    assert "pip uninstall" in FINAL
    assert "--without-pip" in DOCKERFILE


def test_both_stages_are_the_same_pinned_python():
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(images)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", images[0])


def test_image_for_lambda_leaves_the_user_to_lambda():
    """https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, requirements."""
    template = (ROOT / "infra/2-api-lambda.yaml").read_text(encoding="utf-8")
    runtimes = set(re.findall(r"^      Runtime: .*\bpython(3\.\d+)\]$", template, re.MULTILINE))
    [image] = re.findall(r"^FROM (\S+)", ON_LAMBDA, re.MULTILINE)
    version = re.fullmatch(r"public\.ecr\.aws/lambda/python:(3\.\d+)\.\d{4}(\.\d\d){3}", image)
    assert {version[1]} == runtimes
    assert not re.search(r"^(USER|ENTRYPOINT)", ON_LAMBDA, re.MULTILINE)
    assert "chmod -R a+rX ." in ON_LAMBDA
    assert "WORKDIR /var/task" in ON_LAMBDA


def test_image_holds_only_what_is_named():
    assert IGNORED[1] == "*"
    kept = {line[1:] for line in IGNORED if line.startswith("!")}
    assert all((ROOT / path).exists() for path in kept)
    assert not kept & {"local_pool", "tests", ".env", ".git", "infra"}


def test_compose_file_fits_the_specification():
    # Variables are put in before a compose file is parsed.
    text = json.dumps(COMPOSE)
    for variable in re.findall(r"\$\{[^}]+\}", text):
        text = text.replace(variable, "8000")
    PyCompose.from_yaml(text).validate()


def test_misspelt_compose_file_is_noticed():
    spoilt = {**COMPOSE, "services": {"app": {"image": "x", "read_onyl": True}}}
    with pytest.raises(ValueError, match="read_onyl"):
        PyCompose.from_yaml(json.dumps(spoilt))


def test_every_image_is_pinned_to_a_version():
    images = [each["image"] for each in COMPOSE["services"].values() if "build" not in each]
    assert len(images) == 2
    assert all(re.search(r":\d+\.\d+", image) for image in images)


def test_site_runs_read_only_without_capabilities():
    for name in ("app", "migrate", "housekeeping"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service


def test_cache_needs_no_capability_and_may_write_where_it_starts():
    """As root, the image's entry point begins with `chown`, and ends there without CAP_CHOWN."""
    cache = COMPOSE["services"]["cache"]
    assert cache["user"] == "valkey"
    assert cache["cap_drop"] == ["ALL"]
    assert "cap_add" not in cache
    assert cache["tmpfs"] == ["/data:mode=1777"]


def test_stopping_leaves_time_to_finish(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nonexistent")
    settings = {}
    exec((ROOT / "deploy/gunicorn_config.py").read_text(encoding="utf-8"), settings)
    grace = int(COMPOSE["services"]["app"]["stop_grace_period"].rstrip("s"))
    assert grace > settings["graceful_timeout"] > 15  # the longest call to Cognito
    proxy = (ROOT / "deploy/nginx.conf.template").read_text(encoding="utf-8")
    assert int(re.search(r"keepalive_timeout (\d+)s", proxy)[1]) < settings["keepalive"]
    assert settings["graceful_timeout"] < int(re.search(r"read_timeout (\d+)s", proxy)[1])
