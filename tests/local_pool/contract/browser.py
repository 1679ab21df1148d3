"""A browser without JavaScript: cookies, redirects, forms as a person submits them.

It finds forms by the names of their fields, so that it walks Cognito's classic pages (where each
form stands twice), pages that ask for username and password one after the other, and ours.
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
    fields: dict[str, str] = field(default_factory=dict)  # what a person fills in, with its value
    ids: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Forms, visible text, and the text of what has role="alert"."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), name))
        elif not self.forms:
            return
        elif tag == "button" or (tag == "input" and given.get("type") in ("submit", "Submit")):
            self.forms[-1].buttons.append((name, value))
        elif tag == "input" and given.get("type") == "hidden":
            self.forms[-1].hidden[name] = value
        elif tag == "input" and name:
            self.forms[-1].fields[name] = value
            self.forms[-1].ids[name] = given.get("id", "")

    def handle_data(self, data: str) -> None:
        self.text += data


class Browser:
    """What it shows is `answer`; it follows redirects as long as they stay at the pool."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.session = requests.Session()
        self.answer = requests.Response()

    def get(self, url: str) -> requests.Response:
        """One request, nothing followed."""
        return self.session.get(urljoin(self.origin, url), allow_redirects=False, timeout=20)

    def open(self, url: str) -> str | None:
        """The address outside the pool that it leads to, or None and a page in `answer`."""
        return self._follow(self.get(url))

    def _follow(self, answer: requests.Response) -> str | None:
        for _ in range(10):
            if not answer.is_redirect:
                break
            target = urljoin(answer.url, answer.headers["Location"])
            if urlsplit(target)[:2] != urlsplit(self.origin)[:2]:
                return target
            answer = self.get(target)
        self.answer = answer
        return None

    @property
    def path(self) -> str:
        return urlsplit(self.answer.url).path

    @property
    def text(self) -> str:
        return " ".join(_Reader(self.answer.text).text.split())

    @property
    def forms(self) -> list[Form]:
        return _Reader(self.answer.text).forms

    def form(self, *names: str) -> Form:
        """The page's first form with these fields to fill in."""
        found = next((form for form in self.forms if set(names) <= set(form.fields)), None)
        assert found, f"no form with {names} on {self.answer.url}: {self.text[:300]}"
        return found

    def post(self, form: Form, values: dict[str, str]) -> requests.Response:
        """What Enter in the form sends: its hidden fields, the values, its first button."""
        button = dict(form.buttons[:1])
        body = form.hidden | button | form.fields | values
        address = urljoin(self.answer.url, form.action or self.answer.url)
        body.pop("", None)
        return self.session.post(address, body, allow_redirects=False, timeout=20)

    def fill(self, **values: str) -> str | None:
        """Fill in the form with these fields and submit it; like `open`."""
        return self._follow(self.post(self.form(*values), values))

    def submit(self, form: Form, values: dict[str, str] | None = None) -> str | None:
        return self._follow(self.post(form, values or {}))

    def sign_in(self, username: str, password: str) -> str:
        """From the sign-in page to the callback, whose address is returned."""
        first = self.form("username")
        if "password" not in first.fields:
            self.fill(username=username)  # managed login asks one after the other
            callback = self.fill(password=password)
        else:
            callback = self.fill(username=username, password=password)
        assert callback, f"not signed in, {self.answer.url} says: {self.text[:300]}"
        return callback
