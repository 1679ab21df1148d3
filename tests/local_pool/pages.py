"""A browser without JavaScript that follows redirects inside the pool."""

import html
import re

import requests


class Pages:
    def __init__(self, start: str) -> None:
        self.session = requests.Session()
        self.response = self.session.get(start, timeout=60)

    @property
    def url(self) -> str:
        return self.response.url

    @property
    def text(self) -> str:
        return html.unescape(self.response.text)

    @property
    def alert(self) -> str:
        match = re.search(r'role="alert"[^>]*>(.*?)<', self.text, re.DOTALL)
        return match[1] if match else ""

    def follow(self, label: str) -> None:
        target = re.search(rf'<a href="([^"]+)">{label}</a>', self.response.text)
        origin = "/".join(self.url.split("/", 3)[:3])
        self.response = self.session.get(origin + html.unescape(target[1]), timeout=60)

    def submit(self, action: str, **fields: str) -> str | None:
        """Post the form with this action, and return the URL outside the pool, or None."""
        forms = re.findall(r"<form (.*?)>(.*?)</form>", self.response.text, re.DOTALL)
        attributes, body = next(f for f in forms if f'action="{action}' in f[0])
        target = html.unescape(re.search(r'action="([^"]+)"', attributes)[1])
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', body))
        origin = "/".join(self.url.split("/", 3)[:3])
        self.response = self.session.post(
            origin + target, data=hidden | fields, allow_redirects=False, timeout=60
        )
        while self.response.is_redirect:
            target = self.response.headers["Location"]
            target = origin + target if target.startswith("/") else target
            if not target.startswith(origin):
                return target
            self.response = self.session.get(target, allow_redirects=False, timeout=60)
        return None
