"""A browser without JavaScript, with cookies, redirects and forms.

It finds forms by the names of their fields. So it works on Cognito's classic pages (which contain
each form twice), on pages that request username and password separately, and on ours.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests


@dataclass
class Form:
    action: str
    name: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)  # visible fields with their values
    ids: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """The forms and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in attributes}
        name, value = attrs.get("name", ""), attrs.get("value", "")
        if tag == "form":
            self.forms.append(Form(attrs.get("action", ""), name))
        elif not self.forms:
            return
        elif tag == "button" or (tag == "input" and attrs.get("type") in ("submit", "Submit")):
            self.forms[-1].buttons.append((name, value))
        elif tag == "input" and attrs.get("type") == "hidden":
            self.forms[-1].hidden[name] = value
        elif tag == "input" and name:
            self.forms[-1].fields[name] = value
            self.forms[-1].ids[name] = attrs.get("id", "")

    def handle_data(self, data: str) -> None:
        self.text += data


class Browser:
    """A browser that follows redirects inside the pool; `response` is the page it shows."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.session = requests.Session()
        self.response = requests.Response()

    def get(self, url: str) -> requests.Response:
        """Send one request, and follow no redirect."""
        return self.session.get(urljoin(self.origin, url), allow_redirects=False, timeout=60)

    def open(self, url: str) -> str | None:
        """Return the URL outside the pool to which `url` redirects, or None if it shows a page."""
        return self._follow(self.get(url))

    def _follow(self, response: requests.Response) -> str | None:
        for _ in range(10):
            if not response.is_redirect:
                break
            target = urljoin(response.url, response.headers["Location"])
            if urlsplit(target)[:2] != urlsplit(self.origin)[:2]:
                return target
            response = self.get(target)
        self.response = response
        return None

    @property
    def path(self) -> str:
        return urlsplit(self.response.url).path

    @property
    def text(self) -> str:
        return " ".join(_Reader(self.response.text).text.split())

    @property
    def forms(self) -> list[Form]:
        return _Reader(self.response.text).forms

    def form(self, *names: str) -> Form:
        """Return the page's first form with these visible fields."""
        form = next((item for item in self.forms if set(names) <= set(item.fields)), None)
        assert form, f"no form with {names} on {self.response.url}: {self.text[:300]}"
        return form

    def post(self, form: Form, values: dict[str, str]) -> requests.Response:
        """Submit the form like the Enter key: hidden fields, values, and the first button."""
        button = dict(form.buttons[:1])
        body = form.hidden | button | form.fields | values
        url = urljoin(self.response.url, form.action or self.response.url)
        body.pop("", None)
        return self.session.post(url, body, allow_redirects=False, timeout=60)

    def fill(self, **values: str) -> str | None:
        """Fill in the form with these fields and submit it; like `open`."""
        return self._follow(self.post(self.form(*values), values))

    def submit(self, form: Form, values: dict[str, str] | None = None) -> str | None:
        return self._follow(self.post(form, values or {}))

    def sign_in(self, username: str, password: str) -> str:
        """Sign in on the sign-in page, and return the callback URL."""
        first = self.form("username")
        if "password" not in first.fields:
            self.fill(username=username)  # managed login has two steps
            callback = self.fill(password=password)
        else:
            callback = self.fill(username=username, password=password)
        assert callback, f"not signed in, {self.response.url} shows: {self.text[:300]}"
        return callback
