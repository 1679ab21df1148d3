"""The table OPERATIONS.md: which operations of the cognito-idp API the local pool has.

It is generated from AWS's model with ``python -m local_pool operations``. An operation that the
local pool does not have responds with what to use instead.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from . import service_model

Accepted = Mapping[str, tuple[str, ...]]

# Members that no operation evaluates, because the local pool has nothing that they could change.
IGNORED = {
    "AnalyticsMetadata",
    "ClientMetadata",
    "ContextData",
    "DesiredDeliveryMediums",
    "DeviceKey",
    "FriendlyDeviceName",
    "UserContextData",
    "ValidationData",
}
# Words in the names of operations -> what to use instead. The first match counts.
INSTEAD = (
    (("Replica",), "Use the command `failover on`."),
    (("PointInTime", "Recover"), "Copy the folder LOCAL_POOL_DIR."),
    (("CreateUserPool", "DeleteUserPool"), "Start a pool per process, with its own POOL_ID."),
    (("Device",), "The local pool remembers no devices."),
    (("Branding", "UICustomization"), "The pages of the local pool have one appearance."),
    (("Terms",), "The pages of the local pool have no terms."),
    (("Tag", "UntagResource"), "The local pool has no tags."),
    (("RiskConfiguration", "AuthEvent"), "The console at /_local/ has the log of all sign-ins."),
    (("LogDelivery",), "The local pool logs to its standard output."),
    (("ProvisionedLimit",), "Use the command `fail api 429`."),
    (("UserSettings",), "Use SetUserMFAPreference or AdminSetUserMFAPreference."),
    (("SigningCertificate",), "The local pool has no SAML."),
)


ENDPOINTS = (
    (
        "/oauth2/authorize",
        (
            "`response_type` (`code`, `token`), `client_id`, `redirect_uri`, `scope`, `state`,"
            " `nonce`, `code_challenge`, `code_challenge_method` (`S256`), `prompt` (`login`,"
            " `none`), `max_age`, `acr_values`, `resource`, `identity_provider`,"
            " `idp_identifier`, `login_hint`, `lang` (English, and German for the main words)"
        ),
        "",
    ),
    (
        "/oauth2/token",
        (
            "`grant_type` (`authorization_code`, `refresh_token`, `client_credentials`,"
            " token exchange),"
            " `client_id`, `client_secret`, `code`, `redirect_uri`, `code_verifier`,"
            " `refresh_token`, `scope`, `subject_token`,"
            " `subject_token_type`, `actor_token`, `actor_token_type`, `requested_token_type`,"
            " `audience`, `resource`"
        ),
        "`aws_client_metadata`",
    ),
    ("/oauth2/revoke", "`token`, `client_id`, `client_secret`", "`token_type_hint`"),
    ("/oauth2/userInfo", "the access token", ""),
    ("/oauth2/register", "the metadata of a client (RFC 7591), unless registration is off", ""),
    ("/logout", "`client_id`, `logout_uri`, or those of `/oauth2/authorize`", ""),
)
TEMPLATE = """# Operations of the local pool

The first table compares the local pool with AWS's model of the cognito-idp API. `python -m
local_pool operations` prints this page.

| operation | local pool | members without an effect, or what to use instead |
|---|---|---|
{}

## OAuth endpoints

| endpoint | parameters | without an effect |
|---|---|---|
{}
"""


def instead_of(name: str) -> str:
    """Return what to use instead of an operation that the local pool does not have."""
    return next((text for words, text in INSTEAD if any(w in name for w in words)), "")


def unknown_operation(name: str, domain: str) -> str:
    """Return the message for an operation that the local pool does not have."""
    instead = instead_of(name) if name in service_model.service_model().operation_names else ""
    more = f"{domain}/_local/operations lists its operations."
    return " ".join(filter(None, (f"The local pool has no operation {name}.", instead, more)))


def refused_members(name: str, members: Iterable[str], accepted: Accepted) -> list[str]:
    """Return the members that the operation refuses instead of ignoring them."""
    names = (*accepted[name], "UserPoolId") if name in accepted else members
    return sorted(set(members) - set(names))


def _details(name: str, accepted: Accepted, evaluated: str) -> str:
    """Return the members without an effect; ``evaluated`` is the source code of the operations."""
    shape = service_model.operation_model(name).input_shape
    members = shape.members if shape else {}
    refused = refused_members(name, members, accepted)
    ignored = [m for m in members if m in IGNORED or f'"{m}"' not in evaluated]
    how, names = ("refused", refused) if name in accepted else ("ignored", ignored)
    return f"{how}: {', '.join(f'`{member}`' for member in names)}" if names else ""


def table(names: Iterable[str], accepted: Accepted) -> str:
    """Return OPERATIONS.md for a pool that has these operations."""
    evaluated = "".join(file.read_text() for file in Path(__file__).parent.glob("api*.py"))
    present, lines = set(names), []
    for name in sorted(service_model.service_model().operation_names):
        if name not in present:
            lines.append(f"| {name} | no | {instead_of(name)} |")
            continue
        details = _details(name, accepted, evaluated)
        lines.append(f"| {name} | {'in part' if details else 'yes'} | {details} |")
    endpoints = [f"| `{path}` | {here} | {ignored} |" for path, here, ignored in ENDPOINTS]
    return TEMPLATE.format("\n".join(lines), "\n".join(endpoints))
