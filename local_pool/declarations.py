"""What a pool is made of besides its settings: app clients and people, as pool.toml or a test
declares them."""

from dataclasses import dataclass, field

STANDARD_SCOPES = ("openid", "email", "phone", "profile", "aws.cognito.signin.user.admin")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Client:
    """An app client. ``secret`` None makes it public (PKCE is then its only proof)."""

    client_id: str
    secret: str | None = None
    flows: tuple[str, ...] = ("code",)
    scopes: tuple[str, ...] = STANDARD_SCOPES
    callback_urls: tuple[str, ...] = ()
    logout_urls: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Seed:
    """A declared person; ``temporary`` asks for a new password at the first sign-in."""

    username: str
    password: str = "Cognito-demo-1"  # noqa: S105 (the published demo password)
    email: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()
    email_verified: bool = True
    temporary: bool = False
    attributes: dict[str, str] = field(default_factory=dict)

    def all_attributes(self) -> dict[str, str]:
        named = {"email": self.email or f"{self.username}@example.com", "name": self.name}
        verified = {"email_verified": "true" if self.email_verified else "false"}
        return {k: v for k, v in (named | verified | self.attributes).items() if v}
