"""The manifests of docs/kubernetes.md, validated against the schemas of Kubernetes."""

import subprocess

import pytest
import yaml

from tests.infra.conftest import TOOLS
from tests.production.test_kubernetes import ITEMS

pytestmark = pytest.mark.infra
VERSIONS = ("1.32", "1.37")


def validate(folder, items, version):
    files = [folder / f"{number}.yaml" for number, _ in enumerate(items)]
    for file, item in zip(files, items, strict=True):
        file.write_text(yaml.safe_dump(item))
    return subprocess.run(
        [TOOLS / "kubernetes-validate", "--strict", "--kubernetes-version", version, *files],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_fit_the_schemas(tmp_path, version):
    done = validate(tmp_path, ITEMS, version)
    assert done.returncode == 0, done.stdout + done.stderr


def test_misspelled_manifest_is_noticed(tmp_path):
    [service] = [item for item in ITEMS if item["kind"] == "Service"]
    spoilt = {**service, "spec": {**service["spec"], "selektor": {}}}
    assert validate(tmp_path, [spoilt], VERSIONS[-1]).returncode != 0
