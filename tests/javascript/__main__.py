"""JavaScript libraries against the local pool (`python -m tests.javascript`, `make test-js`).

They are openid-client, oidc-client-ts, Auth.js (NextAuth), aws-jwt-verify,
amazon-cognito-identity-js and Amplify, at the versions of package-lock.json. Packages and copies of
the tests are in .local/javascript, because Node searches packages in parent folders. With the
COGNITO_CONTRACT_ variables, the tests use that pool instead; those that need codes from emails are
skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local_pool.testing import LocalPool
from tests.local_pool.contract.target import Target

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent.parent / ".local" / "javascript"
NODE = 20


def node_problem() -> str | None:
    """Return the reason why the tests cannot run, or None."""
    if not (shutil.which("node") and shutil.which("npm")):
        return f"node and npm are not installed; install Node {NODE} or newer"
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    major = int(done.stdout.removeprefix("v").partition(".")[0])
    return f"this is Node {major}; install {NODE} or newer" if major < NODE else None


def install() -> bool:
    """Install the packages and copy the tests into FOLDER. Return False if npm failed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    pinned = (HERE / "package-lock.json").read_bytes()
    is_current = installed.exists() and lock.exists() and lock.read_bytes() == pinned
    for file in HERE.glob("*.js*"):
        shutil.copy(file, FOLDER)
    if is_current:
        return True
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    return subprocess.run(npm, cwd=FOLDER, check=False).returncode == 0


def run(target: Target) -> int:
    tests = sorted(file.name for file in HERE.glob("*.test.js"))
    environment = os.environ | target.environment()
    command = ["node", "--test", "--test-reporter", "spec", *tests]
    return subprocess.run(command, cwd=FOLDER, env=environment, check=False).returncode


def main() -> int:
    problem = node_problem()
    if problem:
        print(f"The JavaScript tests cannot run: {problem}.", file=sys.stderr)
        return 1
    if not install():
        message = "npm could not install the packages, see above. This step requires the network."
        print(message, file=sys.stderr)
        return 1
    target = Target.from_environment(os.environ)
    if target:
        return run(target)
    with LocalPool() as pool:
        return run(Target.of(pool))


if __name__ == "__main__":
    sys.exit(main())
