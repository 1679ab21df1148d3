"""A new project outside of this checkout, which is set up as docs/install.md says."""

import os
import re
import shlex
import socket
import subprocess
import time
from contextlib import contextmanager

import requests

from tests.imports import ROOT

GUIDE = (ROOT / "docs/install.md").read_text(encoding="utf-8")
DEPRECATED = re.compile(r"\w*DeprecationWarning|RemovedIn\w+")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def blocks(language, containing):
    """Return the code blocks of the guide that contain a text."""
    code = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return "\n".join(block for block in code if containing in block)


SETTINGS = blocks("python", "INSTALLED_APPS")
URLS = blocks("python", "urlpatterns")


class NewProject:
    """A new project. Its site has the URL `url`, and its local pool `pool`."""

    def __init__(self, python, folder):
        self.python, self.folder = python, folder
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self.url, self.pool = (f"http://localhost:{free_port()}" for _ in range(2))
        for line in blocks("sh", "startproject").splitlines()[1:]:  # after the installation
            self.follow(line)
        self.append("mysite/settings.py", SETTINGS)
        self.append("mysite/urls.py", URLS)
        # The local pool reads both.
        self.environ |= {"POOL_PORT": self.pool.rpartition(":")[2], "PUBLIC_URL": self.url}
        for line in blocks("sh", "> .env").splitlines():
            self.follow(line.replace("http://localhost:8000", self.url))

    def follow(self, line):
        """Run one line of the guide, in place of a shell."""
        command, _, file = line.replace(">>", ">").partition(" > ")
        program, *arguments = shlex.split(command)
        output = f"{arguments[0]}\n" if program == "echo" else self.run(*arguments)
        if file:
            self.append(file, output)

    def run(self, *arguments, **options):
        """Run Python with these arguments, and return its output. It must report no deprecation."""
        done = subprocess.run(
            [self.python, "-Wd", *arguments], cwd=self.folder, env=self.environ,
            capture_output=True, text=True, timeout=120, **options,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        assert not DEPRECATED.search(done.stderr), done.stderr
        return done.stdout

    def manage(self, *arguments):
        return self.run("manage.py", *arguments)

    def shell(self, code):
        return self.manage("shell", "--no-imports", "-c", code)

    def append(self, name, text):
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    @contextmanager
    def servers(self):
        """Run the local pool and the site until the end of the block."""
        site = ("manage.py", "runserver", "--noreload", self.url.partition("//")[2])
        with (
            self._server(f"{self.pool}/_local/", "-m", "cognito_sso.local_pool"),
            self._server(f"{self.url}/signout", *site),
        ):
            yield

    @contextmanager
    def _server(self, url, *arguments):
        log = self.folder / f"{arguments[1]}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [self.python, "-Wd", *arguments], cwd=self.folder, env=self.environ,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while not responds(url):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(20)
        assert not DEPRECATED.search(log.read_text()), log.read_text()

    def sign_in(self):
        """Open the profile and sign in as the guide says. Return the browser and the page."""
        name, password = re.search(r"`(\w+)` with the password `(.+?)`", GUIDE).groups()
        browser = requests.Session()
        form = browser.get(f"{self.url}/profile/", timeout=60)
        fields = dict(re.findall(r'name="(_csrf)" value="([^"]+)"', form.text))
        fields |= {"username": name, "password": password}
        return browser, browser.post(form.url, fields, timeout=60)


def responds(url):
    try:
        requests.get(url, allow_redirects=False, timeout=60)
    except requests.ConnectionError:
        return False
    return True
