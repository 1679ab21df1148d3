"""Template tags for links to the pages of this app, with any app label.

`{% sso_url "login" %}` is the URL of a page. `{% sso_sign_in_url %}` is that of a sign-in or, with
"signup", of a sign-up, which returns to `?next=` of the current page. `{% sso_providers as … %}`
has such a URL and the label of each provider in COGNITO_IDENTITY_PROVIDERS.
"""

from typing import Any
from urllib.parse import urlencode

from django import template

from ..core.app_label import page_url
from ..core.navigation import safe_next_url
from ..provider import provider

register = template.Library()
register.simple_tag(page_url, name="sso_url")


@register.simple_tag(takes_context=True)
def sso_sign_in_url(context: dict[str, Any], name: str = "login", **parameters: str) -> str:
    """Return the URL of a sign-in with these parameters of the hosted UI."""
    next_url = safe_next_url(context["request"])
    query = parameters | ({"next": next_url} if next_url else {})
    return f"{page_url(name)}?{urlencode(query)}" if query else page_url(name)


@register.simple_tag(takes_context=True)
def sso_providers(context: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the URL and the label of each identity provider that the site offers."""
    return [
        (sso_sign_in_url(context, identity_provider=name), label)
        for name, label in provider().sign_in_options.identity_providers.items()
    ]
