"""A browser without JavaScript: opens pages, fills forms, follows redirects inside the pool."""

import html
import re

import requests


class Pages:
    def __init__(self, start: str) -> None:
        self.session = requests.Session()
        self.answer = self.session.get(start, timeout=10)

    @property
    def url(self) -> str:
        return self.answer.url

    @property
    def text(self) -> str:
        return html.unescape(self.answer.text)

    @property
    def alert(self) -> str:
        found = re.search(r'role="alert"[^>]*>(.*?)<', self.text, re.DOTALL)
        return found[1] if found else ""

    def follow(self, label: str) -> None:
        target = re.search(rf'<a href="([^"]+)">{label}</a>', self.answer.text)
        origin = "/".join(self.url.split("/", 3)[:3])
        self.answer = self.session.get(origin + html.unescape(target[1]), timeout=10)

    def submit(self, action: str, **fields: str) -> str | None:
        """Post the form whose action begins so; the address outside the pool it led to, or None."""
        forms = re.findall(r"<form (.*?)>(.*?)</form>", self.answer.text, re.DOTALL)
        attributes, body = next(f for f in forms if f'action="{action}' in f[0])
        target = html.unescape(re.search(r'action="([^"]+)"', attributes)[1])
        given = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', body))
        origin = "/".join(self.url.split("/", 3)[:3])
        self.answer = self.session.post(
            origin + target, data=given | fields, allow_redirects=False, timeout=10
        )
        while self.answer.is_redirect:
            target = self.answer.headers["Location"]
            target = origin + target if target.startswith("/") else target
            if not target.startswith(origin):
                return target
            self.answer = self.session.get(target, allow_redirects=False, timeout=10)
        return None
