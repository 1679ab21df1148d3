"""The app clients and users that pool.toml or a test declares."""

from dataclasses import dataclass, field

STANDARD_SCOPES = ("openid", "email", "phone", "profile", "aws.cognito.signin.user.admin")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Client:
    """An app client. With ``secret`` None it is public, and PKCE is its only protection."""

    client_id: str
    secret: str | None = None
    flows: tuple[str, ...] = ("code",)
    scopes: tuple[str, ...] = STANDARD_SCOPES
    callback_urls: tuple[str, ...] = ()
    logout_urls: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Seed:
    """A declared user. With ``temporary``, the first sign-in requires a new password."""

    username: str
    password: str = "Cognito-demo-1"  # noqa: S105 (the published demo password)
    email: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()
    email_verified: bool = True
    temporary: bool = False
    attributes: dict[str, str] = field(default_factory=dict)

    def all_attributes(self) -> dict[str, str]:
        basic = {"email": self.email or f"{self.username}@example.com", "name": self.name}
        verified = {"email_verified": "true" if self.email_verified else "false"}
        return {k: v for k, v in (basic | verified | self.attributes).items() if v}
