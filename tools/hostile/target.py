"""The site under attack, with expired or used credentials that an attacker may have."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from tools.rehearsal.instances import Instance, Site

INSIDER = "mallory"  # a pool user with the rights of an editor


@dataclass(frozen=True)
class Target:
    """The values that the attackers use. They are plain, because another process gets them."""

    proxy_port: int
    instance_ports: tuple[int, ...]
    pool_url: str
    client_id: str
    expired_access_token: str = field(repr=False)
    ended_session: str = field(repr=False)  # a Cookie header, copied before its user signed out
    used_callback: str = field(repr=False)  # the path of a callback that has signed in its user
    insider_session: str = field(repr=False)  # a Cookie header of a user without staff status

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports to which an attack can connect: the proxy and the instances."""
        return (self.proxy_port, *self.instance_ports)


def prepare(site: Site, instances: list[Instance]) -> Target:
    """Create the target: sign INSIDER in twice and out once."""
    expired = expired_token(site)
    ended, callback = _sign_in(site)
    session = cookie_header(ended)
    fields = {"csrfmiddlewaretoken": ended.cookies.get("csrftoken", "")}
    ended.post(f"{site.url}/accounts/logout/", fields, allow_redirects=False, timeout=30)
    insider, _ = _sign_in(site)
    return Target(
        proxy_port=site.proxy.port,
        instance_ports=tuple(instance.port for instance in instances),
        pool_url=site.pool.url,
        client_id=site.pool.client_id,
        expired_access_token=expired,
        ended_session=session,
        used_callback=callback,
        insider_session=cookie_header(insider),
    )


def expired_token(site: Site) -> str:
    """Return a genuine access token of INSIDER that has expired."""
    offset = site.pool.clock.offset
    site.pool.clock.offset = offset - 3600
    try:
        return str(site.pool.tokens_for(INSIDER)["access_token"])
    finally:
        site.pool.clock.offset = offset


def _sign_in(site: Site) -> tuple[requests.Session, str]:
    browser = requests.Session()
    login = browser.get(f"{site.url}/accounts/login/", allow_redirects=False, timeout=30)
    callback = site.pool.sign_in(login.headers["Location"], INSIDER, session=browser)
    browser.get(callback, allow_redirects=False, timeout=30)
    browser.get(f"{site.url}/profile/", timeout=30).raise_for_status()
    parts = urlsplit(callback)
    return browser, f"{parts.path}?{parts.query}"


def cookie_header(browser: requests.Session) -> str:
    names = ("sessionid", "csrftoken")
    return "; ".join(f"{name}={browser.cookies.get(name)}" for name in names)
