"""Which users may be linked to which people of the pool, and why the others may not."""

import pytest
from django.contrib.auth import get_user_model

from accounts.linking import link, proposals
from accounts.models import Identity, SignInEvent
from accounts.provider import provider

pytestmark = pytest.mark.django_db


def person(name="mary", **attributes):
    return {
        "sub": f"sub-{name}",
        "username": name,
        "email": f"{name}@example.com",
        "email_verified": "true",
        **attributes,
    }


def user(name="mary", **fields):
    values = {"email": f"{name}@example.com", **fields}
    return get_user_model().objects.create_user(f"{name}1", **values)


def known_as(owner, subject):
    return Identity.objects.create(user=owner, issuer=provider().config.issuer, subject=subject)


def test_verified_address_of_one_user_is_linked_and_recorded():
    mary = user(email="MARY@example.com")
    [proposal] = proposals([person()])
    assert proposal.user == mary
    assert not Identity.objects.exists()
    assert link(proposal)
    identity = Identity.objects.get()
    assert (identity.user, identity.subject) == (mary, "sub-mary")
    event = SignInEvent.objects.get()
    assert (event.kind, event.user, event.person) == ("linked", mary, "mary")


def test_second_of_two_operators_changes_nothing():
    user()
    [proposal] = proposals([person()])
    assert link(proposal)
    assert not link(proposal)
    assert SignInEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"email_verified": "false"}, "has no verified e-mail address"),
        ({"email": ""}, "has no verified e-mail address"),
        ({"email": "other@example.com"}, "has an e-mail address that nobody has here"),
    ],
)
def test_unproven_or_unknown_address_links_nobody(attributes, reason):
    user()
    [proposal] = proposals([person(**attributes)])
    assert (proposal.user, proposal.reason) == (None, reason)


def test_address_of_several_people_links_nobody():
    user()
    found = proposals([person(), person("twin", email="Mary@example.com", email_verified="false")])
    assert [each.user for each in found] == [None, None]
    assert found[0].reason == "shares the e-mail address with others in the pool"


def test_address_of_several_users_links_nobody():
    user()
    user("other", email="mary@EXAMPLE.com")
    [proposal] = proposals([person()])
    assert proposal.reason == "has an e-mail address that several users have here"


def test_deactivated_user_is_not_linked():
    user(is_active=False)
    [proposal] = proposals([person()])
    assert proposal.reason == "would be mary1, who is deactivated"


def test_user_who_is_somebody_else_is_not_linked():
    known_as(user(), "sub-of-another")
    [proposal] = proposals([person()])
    assert proposal.reason == "would be mary1, who is somebody else in the pool"


def test_person_who_is_known_stays_who_they_are():
    known_as(user("first", email="first@example.com"), "sub-mary")
    user()
    [proposal] = proposals([person()])
    assert proposal.reason == "is first1 already"
