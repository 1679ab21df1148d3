"""Dockerfiles and compose.yaml: linters, and rules beyond them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose
from django.conf import settings

from local_pool.config import load_config
from tests import image_files
from tests.imports import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ON_LAMBDA = (ROOT / "infra/Dockerfile").read_text(encoding="utf-8")
OF_THE_POOL = (ROOT / "local_pool/Dockerfile").read_text(encoding="utf-8")
COMPOSE_FILE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_FILE)
TEMPLATE = (ROOT / "deploy/nginx.conf.template").read_text(encoding="utf-8")
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]
LOCAL = COMPOSE["services"]["local"]


@pytest.mark.parametrize("name", ["Dockerfile", "infra/Dockerfile", "local_pool/Dockerfile"])
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


def test_final_stage_is_unprivileged_and_has_no_build_tools():
    assert re.search(r"^USER 10001:10001$", FINAL, re.MULTILINE)
    assert "HEALTHCHECK" in FINAL
    assert "/healthz" in FINAL
    assert "apt-get" not in FINAL
    assert "pip install" not in FINAL
    assert "COPY . " not in FINAL
    assert "pip uninstall" in FINAL
    assert "--without-pip" in DOCKERFILE


def test_all_stages_are_the_same_pinned_python():
    images = re.findall(r"^FROM (\S+)", DOCKERFILE + OF_THE_POOL, re.MULTILINE)
    assert len(set(images)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", images[0])


def test_image_for_lambda_sets_no_user():
    """https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, requirements."""
    template = (ROOT / "infra/2-api-lambda.yaml").read_text(encoding="utf-8")
    runtimes = set(re.findall(r"^      Runtime: .*\bpython(3\.\d+)\]$", template, re.MULTILINE))
    [image] = re.findall(r"^FROM (\S+)", ON_LAMBDA, re.MULTILINE)
    version = re.fullmatch(r"public\.ecr\.aws/lambda/python:(3\.\d+)\.\d{4}(\.\d\d){3}", image)
    assert {version[1]} == runtimes
    assert not re.search(r"^(USER|ENTRYPOINT)", ON_LAMBDA, re.MULTILINE)
    assert "chmod -R a+rX ." in ON_LAMBDA
    assert "WORKDIR /var/task" in ON_LAMBDA


def test_image_contains_applications_and_no_other_file(tmp_path):
    """An application is found. A file of the operator is not in the image, whatever its name is."""
    project = tmp_path / "project"
    names = (
        *("accounts/apps.py", "accounts/__init__.py", "accounts/tests.py", "invoices/__init__.py"),
        *("invoices/tests/__init__.py", "invoices/templates/x.html", "local_pool/__init__.py"),
        *("tests/__init__.py", "tools/__init__.py", "manage.py", "requirements-runtime.txt"),
        *("static/a.css", "templates/base.html", "deploy/__init__.py", "secrets/password"),
        *(".env", "live.env", "dump", "db.sqlite3", "docs/index.md", ".git/config"),
    )
    for name in names:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    shutil.copy(ROOT / ".dockerignore", project)
    app = image_files.build(project, tmp_path / "image")
    files = {file.relative_to(app).as_posix() for file in app.rglob("*") if file.is_file()}
    assert files == {
        *("accounts/apps.py", "accounts/__init__.py", "invoices/__init__.py"),
        *("invoices/templates/x.html", "manage.py", "static/a.css", "templates/base.html"),
        "deploy/__init__.py",
    }


def test_zip_and_image_leave_out_the_same_packages():
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    shipped = {name for name in packages if not image_files.is_ignored(name, patterns)}
    assert shipped == packages - set(patterns) == {"accounts", "deploy", "sso_project", "stats"}
    assert "RUN sh /source/deploy/copy_packages /source /app\n" in DOCKERFILE
    assert 'sh deploy/copy_packages . "$build"\n' in (ROOT / "infra/build-zip").read_text()


def test_compose_file_fits_the_specification():
    # Variables are replaced before a compose file is parsed.
    text = json.dumps(COMPOSE)
    for variable in re.findall(r"\$\{[^}]+\}", text):
        text = text.replace(variable, "8000")
    PyCompose.from_yaml(text).validate()


def test_misspelled_compose_file_is_noticed():
    spoilt = {**COMPOSE, "services": {"app": {"image": "x", "read_onyl": True}}}
    with pytest.raises(ValueError, match="read_onyl"):
        PyCompose.from_yaml(json.dumps(spoilt))


def test_every_image_is_pinned_to_a_version():
    images = [
        service["image"] for service in COMPOSE["services"].values() if "build" not in service
    ]
    assert len(images) == 3
    assert all(re.search(r":\d+\.\d+", image) for image in images)


def test_site_runs_read_only_without_capabilities():
    for name in ("app", "migrate", "housekeeping", "local", "local-migrate", "local-pool"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service


def test_cache_needs_no_capability_and_may_write_where_it_starts():
    """As root, the image's entry point starts with `chown`, which fails without CAP_CHOWN."""
    cache = COMPOSE["services"]["cache"]
    assert cache["user"] == "valkey"
    assert cache["cap_drop"] == ["ALL"]
    assert "cap_add" not in cache
    assert cache["tmpfs"] == ["/data:mode=1777"]


def test_only_the_proxy_is_reached_and_only_from_this_machine():
    published = {
        name: service["ports"]
        for name, service in COMPOSE["services"].items()
        if "ports" in service
    }
    assert published == {
        "proxy": ["127.0.0.1:${PORT:-8000}:8080"],
        "local-pool": ["127.0.0.1:8000:8000", "127.0.0.1:9000:9000"],
    }
    assert COMPOSE["services"]["proxy"]["environment"]["LISTEN"] == "8080"


def test_proxy_runs_read_only_and_has_what_its_template_needs():
    proxy = COMPOSE["services"]["proxy"]
    assert proxy["user"] == "nginx"
    assert proxy["read_only"] is True
    assert proxy["cap_drop"] == ["ALL"]
    assert proxy["security_opt"] == ["no-new-privileges:true"]
    assert set(re.findall(r"\$\{(\w+)\}", TEMPLATE)) == set(proxy["environment"])
    assert proxy["volumes"][0].startswith("./deploy/nginx.conf.template:/etc/nginx/templates/")


def test_database_is_ready_when_other_containers_can_connect():
    """While its image creates the database, a temporary server responds on the socket only."""
    database = COMPOSE["services"]["database"]
    assert "--host 127.0.0.1" in database["healthcheck"]["test"][1]
    assert COMPOSE["services"]["migrate"]["depends_on"]["database"] == {
        "condition": "service_healthy"
    }


def test_password_of_the_database_needs_no_quoting():
    environment = COMPOSE["services"]["app"]["environment"]
    assert "PASSWORD" not in environment["DATABASE_URL"]
    assert environment["PGPASSWORD"].startswith("${DATABASE_PASSWORD:?")
    assert (
        COMPOSE["services"]["database"]["environment"]["POSTGRES_PASSWORD"]
        == (environment["PGPASSWORD"])
    )


def test_site_trusts_the_network_of_its_proxy():
    subnet = COMPOSE["networks"]["default"]["ipam"]["config"][0]["subnet"]
    assert COMPOSE["services"]["app"]["environment"]["TRUSTED_PROXIES"] == subnet


def test_uploads_have_a_separate_file_system():
    folders = [mount.partition(":")[0] for mount in COMPOSE["services"]["proxy"]["tmpfs"]]
    assert {"/var/cache/nginx", "/var/cache/nginx/client_temp"} <= set(folders)
    assert "/dev/shm" not in str(COMPOSE["services"]["app"]["tmpfs"])
    assert COMPOSE["services"]["app"]["shm_size"] == "64m"


def test_proxy_and_site_accept_the_same_sizes():
    [large] = re.findall(r"location ~ \^\((\S+)\)\$ \{ client_max_body_size (\w+);", TEMPLATE)
    assert large == (settings.LARGE_BODY_PATHS, f"{settings.MAX_LARGE_BODY_BYTES >> 20}m")
    usual = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20}m"
    assert f"    client_max_body_size {usual};" in TEMPLATE
    [buffer] = re.findall(r"    client_body_buffer_size (\d+)m;", TEMPLATE)
    assert int(buffer) << 20 == 2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE  # with framing of chunks


def test_stopping_leaves_time_to_finish(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nonexistent")
    server = {}
    exec((ROOT / "deploy/gunicorn_config.py").read_text(encoding="utf-8"), server)
    grace = int(COMPOSE["services"]["app"]["stop_grace_period"].rstrip("s"))
    assert grace > server["graceful_timeout"] > 15  # the longest call to Cognito
    assert int(re.search(r"keepalive_timeout (\d+)s", TEMPLATE)[1]) < server["keepalive"]
    assert server["graceful_timeout"] < int(re.search(r"read_timeout (\d+)s", TEMPLATE)[1])


def test_local_profile_uses_the_local_pool_and_no_file_of_the_operator():
    environment = LOCAL["environment"]
    assert load_config({}).app_environment().items() <= environment.items()
    assert LOCAL["network_mode"] == "service:local-pool"
    assert LOCAL["env_file"] == []
    # Before 2.34, Compose reads the files of services that it does not start.
    assert COMPOSE["services"]["app"]["env_file"] == [{"path": ".env", "required": False}]
    assert COMPOSE["services"]["local-migrate"]["environment"] == environment
    of_profile = {
        name
        for name, service in COMPOSE["services"].items()
        if "local" in service.get("profiles", ())
    }
    assert of_profile == {"local", "local-migrate", "local-pool"}
    for name in of_profile:  # no dependency needs .env
        needed = set(COMPOSE["services"][name].get("depends_on", ()))
        assert needed <= {*of_profile, "database"}


def test_local_profile_starts(clean_environ, tmp_path):
    environment = {**LOCAL["environment"], "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    del environment["PGPASSWORD"], environment["REDIS_URL"]
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**clean_environ, **environment, "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    errors = re.findall(r"\((\w+\.[EW]\d+)\)", done.stderr)
    assert set(errors) <= {"accounts.W002", "sso_project.W004"}, done.stderr


def test_container_of_the_pool_has_the_pinned_versions():
    lines = {
        line
        for name in ("requirements-run.txt", "requirements-runtime.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    }
    own = (ROOT / "local_pool/requirements.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert set(own) <= lines
    assert re.findall(r"^EXPOSE (\d+)$", OF_THE_POOL, re.MULTILINE) == [str(load_config({}).port)]
    assert f"/{load_config({}).id}/.well-known/jwks.json" in OF_THE_POOL
