"""SETTINGS.toml of a deployment, and what follows from it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Settings:
    """The parameters of each template, and the folder of each built single-page app by its name.

    `apps` is None if there are no single-page apps.
    """

    name: str
    region: str
    pool: dict[str, str]
    site: dict[str, str]
    apps: dict[str, str] | None
    folders: dict[str, Path]

    @property
    def public_url(self) -> str:
        return self.site["PublicUrl"]

    @property
    def apps_domain(self) -> str:
        """Return the URL of the apps if it is known before they are deployed, else ""."""
        domain = (self.apps or {}).get("DomainName", "")
        return f"https://{domain}" if domain else ""

    def app_urls(self, sites_url: str) -> list[str]:
        """Return the URL of each app, without a slash at its end. `sites_url` is "" if unknown."""
        if self.apps is None or not sites_url:
            return []
        match self.apps.get("Layout", "PATH"):
            case "HOST":
                return [sites_url.replace("*", name, 1) for name in self.folders]
            case "ROOT":
                return [sites_url]
        return [f"{sites_url}/{name}" for name in self.folders]

    def prefix(self, app: str) -> str:
        """Return where the files of an app are in the bucket, with a slash, or "" for its root."""
        return "" if (self.apps or {}).get("Layout") == "ROOT" else f"{app}/"

    def pool_parameters(self, sites_url: str) -> dict[str, str]:
        """Return the parameters of template 1. The URLs follow from the others, unless set."""
        url, apps = self.public_url, self.app_urls(sites_url)
        callbacks = [f"{url}/docs/oauth2-redirect", *(f"{app}/signin" for app in apps)]
        sign_outs = [f"{url}/signout", *(f"{app}/{end}" for app in apps for end in ("", "signout"))]
        return {
            "CallbackUrls": f"{url}/signin",
            "SignOutUrls": f"{url}/signout",
            "PublicCallbackUrls": ",".join(callbacks),
            "PublicSignOutUrls": ",".join(sign_outs),
            **self.pool,
        }

    def site_parameters(self, pool: dict[str, str], sites_url: str) -> dict[str, str]:
        """Return the parameters of template 2, with the outputs of template 1 as `pool`."""
        names = ("CognitoPoolId", "CognitoClientId", "CognitoClientDomain", "CognitoPublicClientId")
        clients = [pool["MachineClientId"]]
        origins = []
        for app in self.app_urls(sites_url):
            parts = urlsplit(app)
            origins.append(f"{parts.scheme}://{parts.netloc}")
        if self.apps is not None:
            clients.append(pool["CognitoPublicClientId"])
        return {
            **{name: pool[name] for name in names},
            "AcceptedClients": ",".join(clients),
            "AppOrigins": ",".join(dict.fromkeys(origins)),
            **self.site,
        }

    def apps_parameters(self, pool: dict[str, str]) -> dict[str, str]:
        """Return the parameters of template 3, with the outputs of template 1 as `pool`."""
        sources = f"{self.public_url} {pool['CognitoClientDomain']}"
        return {"ConnectSources": sources, **(self.apps or {})}

    def certificates(self) -> Iterator[tuple[str, str, str]]:
        """Yield table, host and ARN of each certificate that is needed. The ARN can be ""."""
        for table, values, host, arn in (
            ("pool", self.pool, "CustomDomain", "CustomDomainCertificateArn"),
            ("site", self.site, "DomainName", "CertificateArn"),
            ("apps", self.apps or {}, "DomainName", "CertificateArn"),
        ):
            if values.get(host):
                yield table, values[host], values.get(arn, "")

    def missing(self) -> Iterator[str]:
        """Yield what these settings lack, in one sentence each."""
        if "DomainPrefix" not in self.pool:
            yield "Pool: set DomainPrefix, a name that no other pool of the region has."
        for table, host, arn in self.certificates():
            if not arn:
                where = f"in us-east-1, and set its ARN in [{table}]"
                yield f"Certificate: request one for {host} {where}."
        url = urlsplit(self.public_url)
        if url.scheme != "https":
            yield "Domain: PublicUrl must be an https URL."
        elif self.site.get("DomainName", url.netloc) != url.netloc:
            yield "Domain: DomainName of [site] must be the host of PublicUrl."
        if bool(self.site.get("SubnetIds")) != bool(self.site.get("SecurityGroupIds")):
            yield "Network: set SubnetIds and SecurityGroupIds, or none of them."
        yield from self._missing_apps()

    def _missing_apps(self) -> Iterator[str]:
        if self.apps is None:
            return
        layout = self.apps.get("Layout", "PATH")
        if layout == "HOST" and not self.apps.get("DomainName", "").startswith("*."):
            yield "Domain: Layout=HOST requires a DomainName of [apps] such as *.example.com."
        if layout == "ROOT" and len(self.folders) != 1:
            yield "Apps: Layout=ROOT requires one item in [apps.folders]."
        for name, folder in self.folders.items():
            if not (folder / "index.html").is_file():
                yield f"App {name}: build it, because {folder} has no index.html."


def _parameter(value: Any) -> str:
    """Return a value of the file as CloudFormation reads it: true, a,b or {"A": 1}."""
    if isinstance(value, list):
        return ",".join(_parameter(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


def _table(values: dict[str, Any]) -> dict[str, str]:
    return {name: _parameter(value) for name, value in values.items()}


def read(file: Path) -> Settings:
    """Read `file`. Folders in it are relative to it. Raises SystemExit if a member is missing."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        apps = values.get("apps")
        folders = {} if apps is None else apps.pop("folders", {})
        site = _table(values["site"])
        site["PublicUrl"] = site["PublicUrl"].rstrip("/")
        return Settings(
            values["name"],
            values["region"],
            _table(values.get("pool", {})),
            site,
            None if apps is None else _table(apps),
            {name: file.parent / folder for name, folder in folders.items()},
        )
    except KeyError as error:
        raise SystemExit(f"{file} has no {error.args[0]}.") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SystemExit(f"{file} cannot be read: {error}") from error
