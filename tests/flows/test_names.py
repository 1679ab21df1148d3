"""How users are shown whose name and email address are not known."""

import re

import pytest
import requests

from accounts.models import Identity, User
from accounts.models.users import display_name

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def linus(site, pool):
    """A user whose first request was a call of the API: an access token has no name."""
    headers = {"Authorization": f"Bearer {pool.tokens_for('linus')['access_token']}"}
    assert requests.get(f"{site}/api/user", headers=headers, timeout=60).status_code == 200
    return User.objects.get()


def test_user_without_a_name_is_shown_with_the_pool_username(visitor, linus):
    visitor.sign_in("ada")
    generated = linus.username
    for page in (
        "/admin/accounts/user/",
        "/admin/accounts/identity/",
        f"/admin/accounts/user/{linus.pk}/history/",
        "/admin/",
    ):
        text = visitor.get(page).text
        assert generated not in text, page
    assert re.search(
        rf'href="/admin/accounts/user/{linus.pk}/change/[^>]*>linus<', text_of(visitor)
    )


def text_of(visitor):
    return visitor.get("/admin/accounts/user/").text


@pytest.mark.parametrize("page", ["/", "/profile/", "/reports/", "/accounts/logout/", "/signout"])
def test_own_pages_never_show_the_generated_username(visitor, site, page):
    visitor.sign_in("linus")
    user = User.objects.get()
    User.objects.update(first_name="", last_name="", email="")
    Identity.objects.update(name="", email="")
    assert display_name(User.objects.get()) == "linus"
    text = visitor.get(page).text
    assert user.username not in text
    assert "linus" in text or page in ("/reports/", "/accounts/logout/")


def test_user_without_an_identity_is_shown_with_the_username():
    assert display_name(User.objects.create_user("break-glass-ada")) == "break-glass-ada"


def test_user_model_with_one_name_in_place_of_two():
    user = User(email="ada@example.com")
    user.first_name = user.last_name = None  # as in a model of cookiecutter-django
    assert display_name(user) == "ada@example.com"
    user.name = "Ada Lovelace"
    assert display_name(user) == "Ada Lovelace"


def test_lists_need_no_query_for_each_user(django_assert_num_queries):
    for number in range(3):
        user = User.objects.create_user(f"user-{number}")
        Identity.objects.create(user=user, subject=str(number), username=f"name-{number}")
    with django_assert_num_queries(2):
        names = [str(user) for user in User.objects.prefetch_related("identities").order_by("pk")]
    assert names == ["name-0", "name-1", "name-2"]
