"""An AWS emulator. `make test-infra` installs it, and runs the tests that use it.

MiniStack runs as a separate process in its own virtual environment. It is independent of this
project, and so is the user pool of these tests.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.imports import ROOT

TOOLS = ROOT / ".local/infra/bin"
PROGRAMS = ("ministack", "cfn-lint", "aws", "kubernetes-validate")
REGION = "eu-west-1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that use the emulator, unless REQUIRE_INFRA is set."""
    wanting = [item for item in items if item.get_closest_marker("infra")]
    if os.environ.get("REQUIRE_INFRA", "") in ("", "0"):
        if wanting and len(wanting) == len(items):
            raise pytest.UsageError("`make test-infra` runs these tests.")
        config.hook.pytest_deselected(items=wanting)
        items[:] = [item for item in items if item not in set(wanting)]
    elif wanting and not all((TOOLS / name).exists() for name in PROGRAMS):
        raise pytest.UsageError(f"REQUIRE_INFRA is set, and {TOOLS} is not complete.")


class Emulator:
    """A running MiniStack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
        }
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [TOOLS / "ministack"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder),
                 "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": "true",
                 "MINISTACK_REGION": REGION, "LOG_LEVEL": "WARNING"},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self._wait(folder / "log")

    def _wait(self, log: Path) -> None:
        opener = build_opener(ProxyHandler({}))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with opener.open(f"{self.url}/_ministack/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        pytest.fail(f"MiniStack did not start: {log.read_text()[-2000:]}")

    def client(self, service, *, region_name=REGION):
        import boto3  # only these tests require it

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region_name,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def aws(self, *arguments: str) -> str:
        """Run the AWS command line and return its output; fail the test if it fails."""
        done = subprocess.run(
            [TOOLS / "aws", *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), **self.environment,
                 "AWS_DEFAULT_REGION": REGION},
            capture_output=True,
            text=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deploy(self, template: str, name: str, *options: str, **parameters: str) -> dict[str, str]:
        """Deploy `infra/TEMPLATE` as its README says, and return the stack's outputs."""
        overrides = [f"{key}={value}" for key, value in parameters.items()]
        self.aws("cloudformation", "deploy", "--stack-name", name,
                 "--template-file", f"infra/{template}", *options,
                 "--parameter-overrides", *overrides)  # fmt: skip
        [stack] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    running = Emulator(tmp_path_factory.mktemp("ministack"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def archive(emulator, tmp_path_factory):
    """The zip for Lambda, with a pool's keys."""
    file = tmp_path_factory.mktemp("zip") / "site.zip"
    pool_id = emulator.client("cognito-idp").create_user_pool(PoolName="keys")["UserPool"]["Id"]
    jwks = f"{emulator.url}/{pool_id}/.well-known/jwks.json"
    built = subprocess.run(
        [ROOT / "infra/build-zip", file, jwks],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return file
