"""The operations about the pool itself: its settings, domains, attributes and replicas."""

from typing import Any

from . import attributes
from .api_shapes import ACCOUNT, Body, Operations
from .config_checks import FIRST_FACTORS, PASSWORD_CHARACTERS, is_acr_value
from .errors import INVALID, UserError
from .pool import Pool

ACCEPTED = {
    "CreateUserPoolDomain": ("Domain", "ManagedLoginVersion"),
    "UpdateUserPoolDomain": ("Domain", "ManagedLoginVersion"),
    "UpdateUserPool": (
        "AcrConfiguration",
        "IssuerConfiguration",
        "MfaConfiguration",
        "Policies",
    ),
}
UNAVAILABLE = "FeatureUnavailableInTierException"
LEVELS = ("Level1", "Level2", "Level3", "Level4")
CHARACTERS = {f"Require{kind.title()}": kind for kind in PASSWORD_CHARACTERS}


def _arn(pool: Pool, region: str) -> str:
    return f"arn:aws:cognito-idp:{region}:{ACCOUNT}:userpool/{pool.config.id}"


def describe_user_pool(pool: Pool, body: Body) -> Body:
    config = pool.config
    levels = zip(LEVELS, config.acr_values, strict=True)
    described = {
        "Id": config.id,
        "Name": config.id,
        "Arn": _arn(pool, config.region),
        "UserPoolTier": config.plan.upper(),
        "Domain": next(iter(_domains(pool)), "localhost"),
        "EstimatedNumberOfUsers": len(pool.state.people),
        "MfaConfiguration": config.mfa.upper(),
        ("Username" if config.email_is_username else "Alias") + "Attributes": ["email"],
        "AutoVerifiedAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
        "SchemaAttributes": _schema(pool),
        "IssuerConfiguration": {
            "Type": "ORIGINAL" if config.issuer_type == "original" else "UPDATED"
        },
        "AcrConfiguration": {level: {"AcrValue": name} for level, name in levels},
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": config.password_min_length,
                **{name: kind in config.password_characters for name, kind in CHARACTERS.items()},
                "TemporaryPasswordValidityDays": 7,
            },
            "SignInPolicy": {"AllowedFirstAuthFactors": list(config.first_auth_factors)},
        },
        "CreationDate": 0,
        "LastModifiedDate": 0,
    }
    return {"UserPool": described}


def _schema(pool: Pool) -> list[Body]:
    standard = [
        (name, "Boolean" if name in attributes.FLAGS else "String", name != "sub")
        for name in ("sub", *attributes.STANDARD, *attributes.FLAGS)
    ]
    custom = [
        (f"custom:{name}", kind, "immutable" not in options)
        for name, (kind, options) in attributes.custom_schema(pool).items()
    ]
    return [
        {"Name": name, "AttributeDataType": kind, "Mutable": mutable, "Required": name == "sub"}
        for name, kind, mutable in (*standard, *custom)
    ]


def list_user_pools(pool: Pool, body: Body) -> Body:
    described = {"Id": pool.config.id, "Name": pool.config.id}
    return {"UserPools": [described | {"CreationDate": 0, "LastModifiedDate": 0}]}


def update_user_pool(pool: Pool, body: Body) -> None:
    """Change the settings that the local pool has. Cognito also resets all omitted ones."""
    changes: dict[str, Any] = {}
    if "IssuerConfiguration" in body:
        changes["issuer_type"] = _issuer_type(body["IssuerConfiguration"])
    if "AcrConfiguration" in body:
        changes["acr_values"] = _acr_values(pool, body["AcrConfiguration"])
    if "MfaConfiguration" in body:
        changes["mfa"] = body["MfaConfiguration"].lower()
    changes |= _policies(body.get("Policies") or {})
    pool.require_primary()
    pool.configure(**changes)


def _policies(policies: Body) -> dict[str, Any]:
    """Return the settings for these policies, of which each replaces the present one as a whole."""
    changes: dict[str, Any] = {}
    policy = policies.get("PasswordPolicy")
    if policy is not None:
        if policy.get("PasswordHistorySize"):
            raise UserError(INVALID, "The local pool remembers no former passwords.")
        changes["password_min_length"] = policy.get("MinimumLength", 8)
        kinds = tuple(kind for name, kind in CHARACTERS.items() if policy.get(name))
        changes["password_characters"] = kinds
    factors = (policies.get("SignInPolicy") or {}).get("AllowedFirstAuthFactors")
    if factors is not None:
        if not {"PASSWORD"} <= {*factors} <= FIRST_FACTORS:
            raise UserError(
                INVALID, f"The first factors are PASSWORD and others of {sorted(FIRST_FACTORS)}."
            )
        changes["first_auth_factors"] = tuple(factors)
    return changes


def _issuer_type(configuration: dict[str, str]) -> str:
    if "Type" not in configuration:
        raise UserError(INVALID, "IssuerConfiguration must have a Type.")
    return configuration["Type"].lower()


def _acr_values(pool: Pool, levels: dict[str, dict[str, str]]) -> tuple[str, ...]:
    """Return the names of the four levels, of which some may be changed."""
    if pool.config.plan == "lite":
        raise UserError(UNAVAILABLE, "The Lite plan has no levels.")
    names = [*pool.config.acr_values]
    for key, level in levels.items():
        names[LEVELS.index(key)] = level["AcrValue"]
    if len(set(names)) < 4 or not all(map(is_acr_value, names)):
        raise UserError(INVALID, "AcrConfiguration has a malformed name, or one name twice.")
    return tuple(names)


def add_custom_attributes(pool: Pool, body: Body) -> None:
    pool.require_primary()
    added = []
    for attribute in body["CustomAttributes"]:
        name, kind = attribute.get("Name", ""), attribute.get("AttributeDataType", "String")
        if not name or ":" in name:
            raise UserError(INVALID, "The name of an attribute is missing, or contains a colon.")
        if name in attributes.custom_schema(pool):
            raise UserError(INVALID, f"custom:{name}: Attribute already exists.")
        if attribute.get("Required"):
            message = "Required custom attributes are not supported currently."
            raise UserError(INVALID, message)
        added.append(f"{name}:{kind}{'' if attribute.get('Mutable', True) else ':immutable'}")
    pool.configure(custom_attributes=(*pool.config.custom_attributes, *added))


def list_user_pool_replicas(pool: Pool, body: Body) -> Body:
    config = pool.config
    regions = ((config.region, "PRIMARY"), (config.replica_region, "SECONDARY"))
    replicas = [
        {"RegionName": name, "Status": "ACTIVE", "Role": role, "UserPoolArn": _arn(pool, name)}
        for name, role in regions
    ]
    return {"UserPoolReplicas": replicas}


def _domains(pool: Pool) -> list[str]:
    return [*pool.state.domains]


def describe_user_pool_domain(pool: Pool, body: Body) -> Body:
    """Describe a domain, whose name has no effect: the URL of the pool stays the same."""
    if body["Domain"] not in (*_domains(pool), "localhost"):
        return {"DomainDescription": {}}
    described = {"UserPoolId": pool.config.id, "AWSAccountId": ACCOUNT, "Domain": body["Domain"]}
    default = 1 if pool.config.plan == "lite" else 2
    version = int(pool.state.domains.get(body["Domain"]) or default)
    status = {"Status": "ACTIVE", "ManagedLoginVersion": version}
    return {"DomainDescription": described | status}


def create_user_pool_domain(pool: Pool, body: Body) -> Body:
    pool.require_primary()
    for word in ("aws", "amazon", "cognito"):
        if word in body["Domain"]:
            raise UserError(INVALID, f"Domain cannot contain reserved word: {word}")
    if body["Domain"] in (*_domains(pool), "localhost"):
        raise UserError(INVALID, "Domain already associated with another user pool.")
    if _domains(pool):
        raise UserError(INVALID, "User pool already has a domain configured.")
    return _set_login_version(pool, body)


def update_user_pool_domain(pool: Pool, body: Body) -> Body:
    pool.require_primary()
    if body["Domain"] not in _domains(pool):
        raise UserError("ResourceNotFoundException", "No such domain or user pool exists.")
    return _set_login_version(pool, body)


def _set_login_version(pool: Pool, body: Body) -> Body:
    """Store the version of a domain's pages. The plan decides how they look."""
    version = body.get("ManagedLoginVersion", 1)
    if version not in (1, 2):
        raise UserError(INVALID, "ManagedLoginVersion must be 1 or 2.")
    if version == 2 and pool.config.plan == "lite":
        message = "The Lite plan only has the classic hosted UI."
        raise UserError(UNAVAILABLE, message)
    with pool.change() as state:
        state.domains[body["Domain"]] = str(version)
    return {"ManagedLoginVersion": version}


def delete_user_pool_domain(pool: Pool, body: Body) -> None:
    pool.require_primary()
    with pool.change() as state:
        if state.domains.pop(body["Domain"], None) is None:
            raise UserError(INVALID, "No such domain or user pool exists.")


OPERATIONS: Operations = {
    "AddCustomAttributes": add_custom_attributes,
    "CreateUserPoolDomain": create_user_pool_domain,
    "DeleteUserPoolDomain": delete_user_pool_domain,
    "DescribeUserPool": describe_user_pool,
    "DescribeUserPoolDomain": describe_user_pool_domain,
    "ListUserPoolReplicas": list_user_pool_replicas,
    "ListUserPools": list_user_pools,
    "UpdateUserPool": update_user_pool,
    "UpdateUserPoolDomain": update_user_pool_domain,
}
