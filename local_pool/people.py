"""People: who there is, how they prove it, and what an administrator does to them.

Refusals are PersonRefused with the exception name and sentence of Cognito's API; the hosted UI
shows the sentence, the JSON API sends both.
"""

import hashlib
import secrets
import uuid
from dataclasses import replace

from . import passwords
from .errors import PersonRefused
from .pool import Pool
from .records import BrowserSession, Person, digest

WRONG_PASSWORD = "Incorrect username or password."  # noqa: S105 (a sentence)


def seed(pool: Pool) -> None:
    """Bring in declared people who are new, or whose declaration changed since.

    A declared person has the same ``sub`` after every reset, so that apps know them again.
    """
    now = pool.clock()
    for declared in pool.config.people:
        key, mark = declared.username.lower(), hashlib.sha256(repr(declared).encode()).hexdigest()
        known = pool.state.people.get(key)
        if pool.state.seeded.get(declared.username) == mark:
            continue
        own_sub = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{pool.config.id}/{declared.username}"))
        person = Person(
            username=declared.username,
            sub=known.sub if known else own_sub,
            password=passwords.hash_seed(declared.password),
            attributes=declared.all_attributes(),
            created=known.created if known else now,
            modified=now,
            groups=declared.groups,
            status="FORCE_CHANGE_PASSWORD" if declared.temporary else "CONFIRMED",
        )
        with pool.change() as state:
            state.people[key] = person
            state.seeded[declared.username] = mark


def find(pool: Pool, name: str) -> Person | None:
    """By username or by verified e-mail, without regard to case."""
    key = name.strip().lower()
    person = pool.state.people.get(key)
    if person is None and "@" in key:
        known = list(pool.state.people.values())
        person = next((p for p in known if p.verified_email == key), None)
    return person


def get(pool: Pool, name: str) -> Person:
    person = find(pool, name)
    if person is None:
        raise PersonRefused("UserNotFoundException", "User does not exist.")
    return person


def authenticate(pool: Pool, username: str, password: str) -> Person:
    """The person, if the password is theirs; unconfirmed, invited or disabled ones included.

    After five wrong passwords a name has to wait: a second, two, four … up to 15 minutes.
    """
    key, now = username.strip().lower(), pool.clock()
    failed, last = pool.failures.get(key, (0, 0.0))
    if now - last > 900:
        failed = 0
    if failed >= 5 and now - last < min(2 ** (failed - 5), 900):
        raise PersonRefused("NotAuthorizedException", "Password attempts exceeded")
    person = find(pool, username) if pool.config.prevent_user_existence_errors else get(pool, key)
    if person is None or not passwords.matches(password, person.password):
        pool.failures[key] = (failed + 1, now)
        raise PersonRefused("NotAuthorizedException", WRONG_PASSWORD)
    pool.failures.pop(key, None)
    return person


def begin_session(pool: Pool, person: Person) -> tuple[str, BrowserSession]:
    """The secret for the ``cognito`` cookie, and the session it opens."""
    secret, now = secrets.token_hex(32), pool.clock()
    session = BrowserSession(person.username, person.sub, now, now + pool.config.session_seconds)
    with pool.change() as state:
        state.sessions[digest(secret)] = session
    return secret, session


def session_of(pool: Pool, cookie: str) -> BrowserSession | None:
    """The live session behind a cookie; disabling or deleting its person ends it."""
    session = pool.state.sessions.get(digest(cookie))
    if session is None or session.expires_at <= pool.clock() or pool.person_of(session) is None:
        return None
    return session


def end_session(pool: Pool, cookie: str) -> None:
    with pool.change() as state:
        state.sessions.pop(digest(cookie), None)


def create(
    pool: Pool, username: str, password: str, attributes: dict[str, str], status: str
) -> Person:
    """Raises PersonRefused: UsernameExistsException, InvalidPasswordException, bad parameters."""
    name = username.strip()
    if not name or len(name) > 128 or any(c.isspace() for c in name):
        raise PersonRefused("InvalidParameterException", "Username is missing or malformed.")
    passwords.check_policy(password)
    hashed, now = passwords.hash_password(password), pool.clock()
    person = Person(name, str(uuid.uuid4()), hashed, attributes, now, now, status=status)
    with pool.change() as state:
        if name.lower() in state.people:
            raise PersonRefused("UsernameExistsException", "User already exists")
        state.people[name.lower()] = person
    return person


def update(pool: Pool, person: Person, **changes: object) -> Person:
    """Replace members of a person; the last writer of a member wins."""
    with pool.change() as state:
        current = state.people.get(person.username.lower())
        if current is None or current.sub != person.sub:
            raise PersonRefused("UserNotFoundException", "User does not exist.")
        changed = replace(current, modified=pool.clock(), **changes)  # type: ignore[arg-type]
        state.people[person.username.lower()] = changed
    return changed


def set_password(pool: Pool, person: Person, password: str) -> Person:
    passwords.check_policy(password)
    pool.failures.pop(person.username.lower(), None)
    return update(pool, person, password=passwords.hash_password(password), status="CONFIRMED")


def enable(pool: Pool, person: Person) -> None:
    update(pool, person, enabled=True)


def disable(pool: Pool, person: Person) -> None:
    """Ends sign-ins and browser sessions for good: enabling does not revive them."""
    update(pool, person, enabled=False)
    _end_everything(pool, person)


def delete(pool: Pool, person: Person) -> None:
    _end_everything(pool, person)
    with pool.change() as state:
        state.people.pop(person.username.lower(), None)


def _end_everything(pool: Pool, person: Person) -> None:
    sign_out_everywhere(pool, person)
    with pool.change() as state:
        for key in [key for key, session in state.sessions.items() if session.sub == person.sub]:
            del state.sessions[key]


def sign_out_everywhere(pool: Pool, person: Person) -> None:
    """Global sign-out: every refresh token dies; the browser's own session stays, as at Cognito."""
    with pool.change() as state:
        for jti, sign_in in state.sign_ins.items():
            if sign_in.sub == person.sub and sign_in.revoked_at is None:
                state.sign_ins[jti] = replace(sign_in, revoked_at=pool.clock())


def set_group(pool: Pool, person: Person, group: str, member: bool) -> None:
    """Raises ResourceNotFoundException for a group that pool.toml does not declare."""
    if group not in pool.config.groups:
        raise PersonRefused("ResourceNotFoundException", "Group not found.")
    others = tuple(name for name in person.groups if name != group)
    update(pool, person, groups=(*others, group) if member else others)
