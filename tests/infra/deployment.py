"""A settings file, and the command that deploys it to the emulator or deletes it."""

import json
import signal
import subprocess
import sys

from tests.imports import ROOT
from tests.infra.conftest import REGION


class Deployment:
    """SETTINGS.toml, and `infra/deploy` with it."""

    def __init__(self, name, emulator, folder, environ, archive):
        self.name = name
        self.emulator = emulator
        self._file = folder / f"{name}.toml"
        self._environ = {**environ, **emulator.environment, "PYTHON": sys.executable}
        self._archive = archive

    def write(self, **tables):
        lines = [f'name = "{self.name}"', f'region = "{REGION}"']
        for table, values in tables.items():
            lines += [f"[{table.replace('_', '.')}]"]
            lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        self._file.write_text("\n".join(lines))

    def run(self, *options, **environment):
        return subprocess.run(
            [ROOT / "infra/deploy", self._file, *options],
            env={**self._environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def apply(self, **environment):
        done = self.run("--apply", "--zip", self._archive, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def delete(self, *options):
        done = self.run("--delete", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def interrupt(self, *options, at="", **environment):
        """Run with `options` until that succeeds. Kill each run at its first new step with `at`.

        Return these steps: the lines that it writes before it starts something.
        """
        steps = []
        options = [*options, "--zip", self._archive]
        while True:
            with subprocess.Popen(
                [ROOT / "infra/deploy", self._file, *options],
                env={**self._environ, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process:
                output = []
                for line in process.stdout:
                    output.append(line)
                    if line.endswith("…\n") and at in line and line not in steps:
                        steps.append(line)
                        process.send_signal(signal.SIGKILL)
                        break
            if process.returncode != -signal.SIGKILL:
                assert process.returncode == 0, "".join(output)
                return steps

    def outputs(self, part):
        stacks = self.emulator.client("cloudformation")
        [stack] = stacks.describe_stacks(StackName=f"{self.name}-{part}")["Stacks"]
        return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}

    def resource(self, part, name):
        stacks = self.emulator.client("cloudformation")
        resource = stacks.describe_stack_resource(
            StackName=f"{self.name}-{part}", LogicalResourceId=name
        )
        return resource["StackResourceDetail"]["PhysicalResourceId"]

    def secret(self):
        """Return the members of the secret."""
        manager = self.emulator.client("secretsmanager")
        return json.loads(manager.get_secret_value(SecretId=self.name)["SecretString"])
