"""JavaScript libraries against the local pool (`python -m tests.javascript`, `make test-js`).

npm's openid-client and aws-jwt-verify, at the versions of package-lock.json. They are installed
into .local/javascript, where the tests run as copies, because Node looks for packages above the
file that wants them. With COGNITO_CONTRACT_URL and its companions they talk to that pool instead.
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
    """Why the tests cannot run, None when they can."""
    if not (shutil.which("node") and shutil.which("npm")):
        return f"node and npm are not installed; install Node {NODE} or newer"
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    major = int(done.stdout.removeprefix("v").partition(".")[0])
    return f"this is Node {major}; install {NODE} or newer" if major < NODE else None


def install() -> bool:
    """Bring the packages and the tests into FOLDER; False when npm could not."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    wanted = (HERE / "package-lock.json").read_bytes()
    fresh = installed.exists() and lock.exists() and lock.read_bytes() == wanted
    for file in HERE.glob("*.js*"):
        shutil.copy(file, FOLDER)
    if fresh:
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
        said = "npm could not install the packages, see above. That needs the network, once."
        print(said, file=sys.stderr)
        return 1
    target = Target.from_environment(os.environ)
    if target:
        return run(target)
    with LocalPool() as pool:
        return run(Target.of(pool))


if __name__ == "__main__":
    sys.exit(main())
