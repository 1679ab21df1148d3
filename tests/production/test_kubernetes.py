"""The manifests of docs/kubernetes.md, compared with the code."""

import re

import pytest
import yaml
from django.core.management import get_commands

from tests.imports import ROOT
from tests.test_docs import settings_read

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/kubernetes.md").read_text(encoding="utf-8")
ITEMS = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)[1])["items"]
KINDS = ["Job", "Deployment", "Service", "PodDisruptionBudget", "CronJob", "CronJob"]


def pod_of(item):
    spec = item["spec"]
    spec = spec["jobTemplate"]["spec"] if item["kind"] == "CronJob" else spec
    return spec["template"]["spec"]


PODS = [pod_of(item) for item in ITEMS if item["kind"] in ("Job", "CronJob", "Deployment")]
[SITE] = [pod_of(item) for item in ITEMS if item["kind"] == "Deployment"]


def test_page_has_all_manifests():
    assert [item["kind"] for item in ITEMS] == KINDS


@pytest.mark.parametrize("pod", PODS)
def test_pods_run_as_the_user_of_the_image_and_may_write_nothing_else(pod):
    [container] = pod["containers"]
    user = int(re.search(r"^USER (\d+):", DOCKERFILE, re.M)[1])
    assert pod["securityContext"]["runAsUser"] == user
    assert pod["automountServiceAccountToken"] is False
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert set(mounts.values()) == volumes
    assert {"/tmp", "/dev/shm"} < set(mounts)
    assert not any("subPath" in mount for mount in container["volumeMounts"])
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    assert variables.keys() - {"ENV_FILE"} <= settings_read()
    folder = next(path for path, name in mounts.items() if name == "secret")
    assert variables["ENV_FILE"].startswith(folder)
    assert variables["COGNITO_CLIENT_SECRET"].startswith(folder)


@pytest.mark.parametrize("pod", [pod for pod in PODS if pod is not SITE])
def test_commands_exist(pod):
    command = pod["containers"][0]["command"]
    assert command[:2] == ["python", "manage.py"]
    assert command[2] in get_commands()
    assert pod["restartPolicy"] == "Never"


def test_probes_call_urls_and_the_port_of_the_image():
    [container] = SITE["containers"]
    port = int(re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.M)[1])
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "http"}
    assert container["livenessProbe"]["httpGet"]["path"] in DOCKERFILE


def test_stopping_leaves_time_to_finish():
    config = (ROOT / "deploy/gunicorn_config.py").read_text(encoding="utf-8")
    graceful = int(re.search(r"^graceful_timeout = (\d+)", config, re.M)[1])
    pause = int(SITE["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert SITE["terminationGracePeriodSeconds"] >= graceful + pause


def test_selectors_match_the_pods_of_the_site_only():
    labels = {item["kind"]: item for item in ITEMS}
    assert labels["Service"]["spec"]["selector"] == {"app": "site"}
    for item in ITEMS:
        if item["kind"] == "CronJob":
            template = item["spec"]["jobTemplate"]["spec"]["template"]
            assert template["metadata"]["labels"] != {"app": "site"}
