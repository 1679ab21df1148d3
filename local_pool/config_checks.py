"""The rules for the values of the pool's configuration. An error names its setting."""

import re
from pathlib import Path

from .declarations import (
    AUTH_FLOWS,
    CUSTOM_AUTH,
    EXCHANGE_FLOWS,
    LOOPBACK,
    STANDARD_SCOPES,
    Client,
    split_url,
)
from .errors import ConfigError
from .pool_config import PoolConfig

FIRST_FACTORS = {"PASSWORD", "EMAIL_OTP", "WEB_AUTHN"}
PASSWORD_CHARACTERS = ("uppercase", "lowercase", "numbers", "symbols")
MAX_SSO_MINUTES = 129_600  # 90 days
CHOICES = {
    "issuer_type": ("original", "updated", "both"),
    "domain_host": ("localhost", "127.0.0.1"),
    "plan": ("lite", "essentials", "plus"),
    "mfa": ("off", "optional", "on"),
    "passkey_verification": ("preferred", "required"),
    "client_registration": ("off", "authenticated", "open"),
}


def require(condition: object, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def check(config: PoolConfig) -> None:
    require(0 < config.port < 65536, "POOL_PORT must be between 1 and 65535.")
    require(
        re.fullmatch(r"[\w-]+_[0-9a-zA-Z]+", config.id) and len(config.id) <= 55,
        "POOL_ID must look like local-1_DevPool01: a region, an underscore, letters and digits.",
    )
    for name, allowed in CHOICES.items():
        choices = f"POOL_{name.upper()} must be one of {', '.join(allowed)}."
        require(getattr(config, name) in allowed, choices)
    require(
        len(set(config.acr_values)) == len(config.acr_values) == 4
        and all(is_acr_value(v) for v in config.acr_values),
        "POOL_ACR_VALUES must be four different names, one for each level, without spaces.",
    )
    region = re.fullmatch(r"[a-z0-9-]{5,32}", config.replica_region)
    require(
        region and config.replica_region != config.region,
        "POOL_REPLICA_REGION must be another Region than that of POOL_ID.",
    )
    for name in vars(config):
        if name.endswith("_seconds") and name != "refresh_grace_seconds":
            require(getattr(config, name) >= 1, f"POOL_{name.upper()} must be at least 1.")
    grace = "POOL_REFRESH_GRACE_SECONDS must be 0 to 60, as at Cognito."
    require(0 <= config.refresh_grace_seconds <= 60, grace)
    sessions = "POOL_MAX_SESSIONS_PER_USER must be 1 to 100, as at Cognito."
    require(1 <= config.max_sessions_per_user <= 100, sessions)
    for name, minutes in config.sso_minutes.items():
        require(name in config.clients, f"[sso_minutes] {name} is not an app client.")
        length = f"[sso_minutes] {name} must be 0 to {MAX_SSO_MINUTES} minutes."
        require(type(minutes) is int and 0 <= minutes <= MAX_SSO_MINUTES, length)
    if config.pre_token_trigger:
        trigger = "POOL_PRE_TOKEN_TRIGGER must be FILE.py:FUNCTION, a file that exists."
        require(is_trigger(config.pre_token_trigger), trigger)
    require(
        {"PASSWORD"} <= {*config.first_auth_factors} <= FIRST_FACTORS,
        "POOL_FIRST_AUTH_FACTORS must be PASSWORD, and if you want EMAIL_OTP and WEB_AUTHN.",
    )
    length = "POOL_PASSWORD_MIN_LENGTH must be 6 to 99, as at Cognito."
    require(6 <= config.password_min_length <= 99, length)
    kinds = f"POOL_PASSWORD_CHARACTERS can be {', '.join(PASSWORD_CHARACTERS)}."
    require({*config.password_characters} <= {*PASSWORD_CHARACTERS}, kinds)
    require({*config.username_attributes} <= {"email"}, "POOL_USERNAME_ATTRIBUTES can be email.")
    attributes = "POOL_CUSTOM_ATTRIBUTES must look like team,level:Number,id:String:immutable."
    for declared in config.custom_attributes:
        is_valid = re.fullmatch(
            r"[^:\s]{1,20}(:(String|Number|Boolean|DateTime)(:immutable)?)?", declared
        )
        require(is_valid, attributes)
    for client in config.clients.values():
        check_client(client, config.custom_scopes)
    for seed in config.people:
        missing = set(seed.groups) - set(config.groups)
        require(not missing, f"{seed.username} is in a group that is not declared: {missing}.")
        unknown = seed.provider not in ("", *config.identity_providers, *config.oidc_providers)
        require(not unknown, f"The provider {seed.provider} of {seed.username} is not declared.")
    for entry in config.metadata_hosts:
        host, _, source = entry.partition("=")
        is_local = split_url(source).hostname in LOOPBACK
        require(host and is_local, "POOL_METADATA_HOSTS must look like HOST=http://localhost:PORT.")
    require(len(config.clients) >= 3, "Two clients have the same ID.")


def is_trigger(text: str) -> bool:
    path, _, name = text.rpartition(":")
    return name.isidentifier() and Path(path).is_file()


def check_client(client: Client, custom_scopes: tuple[str, ...]) -> None:
    message = f"The client ID {client.client_id!r} may contain letters, digits, _ and + only."
    require(re.fullmatch(r"[\w+]{1,128}", client.client_id), message)
    scopes = {*STANDARD_SCOPES, *custom_scopes}
    require({*client.scopes} <= scopes, f"Client {client.client_id} has an unknown scope.")
    known = (*AUTH_FLOWS, CUSTOM_AUTH, *EXCHANGE_FLOWS)
    flows = f"The authentication flows of a client are {', '.join(known)}."
    require({*client.auth_flows} <= {*known}, flows)
    default = client.default_redirect_uri
    is_registered = not default or default in client.callback_urls
    require(is_registered, "The default redirect URI of a client must be one of its callback URLs.")
    for url in (*client.callback_urls, *client.logout_urls):
        require(
            can_register(url),
            f"{url!r} cannot be registered: http:// only on localhost,"
            " else https:// or an app's own scheme, without a fragment.",
        )


def is_acr_value(text: str) -> bool:
    """Return True for a possible name of a level of authentication."""
    return re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}", text) is not None


def can_register(url: str) -> bool:
    parts = split_url(url)
    if not parts.scheme or "#" in url or len(url) > 1024:
        return False
    return parts.scheme != "http" or parts.hostname in LOOPBACK
