import pytest
from cryptography.fernet import Fernet

from accounts.core.encryption import Cipher, DecryptionError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_sealed_content_can_be_opened_and_is_not_readable():
    cipher = Cipher([NEW])
    sealed = cipher.seal({"refresh_token": "very-secret"})
    assert cipher.open(sealed) == {"refresh_token": "very-secret"}
    assert "very-secret" not in sealed


def test_first_key_encrypts_and_all_keys_decrypt():
    old = Cipher([OLD]).seal({"a": 1})
    both = Cipher([NEW, OLD])
    assert both.open(old) == {"a": 1}
    assert Cipher([NEW]).open(both.seal({"b": 2})) == {"b": 2}


def test_content_sealed_with_a_removed_key_cannot_be_opened():
    with pytest.raises(DecryptionError):
        Cipher([NEW]).open(Cipher([OLD]).seal({"a": 1}))


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAAB", "é", "A" * 5000])
def test_malformed_content_cannot_be_opened(sealed):
    with pytest.raises(DecryptionError):
        Cipher([NEW]).open(sealed)


def test_changed_content_cannot_be_opened():
    sealed = Cipher([NEW]).seal({"a": 1})
    changed = sealed[:30] + ("A" if sealed[30] != "A" else "B") + sealed[31:]
    with pytest.raises(DecryptionError):
        Cipher([NEW]).open(changed)


def test_content_older_than_max_age_cannot_be_opened():
    now = [1_000_000.0]
    cipher = Cipher([NEW], clock=lambda: now[0])
    sealed = cipher.seal({"a": 1})
    now[0] += 600
    assert cipher.open(sealed, max_age=600) == {"a": 1}
    now[0] += 1
    with pytest.raises(DecryptionError):
        cipher.open(sealed, max_age=600)
    assert cipher.open(sealed) == {"a": 1}


def test_sealed_text_that_is_not_an_object_cannot_be_opened():
    sealed = Fernet(NEW).encrypt(b"[1]").decode()
    with pytest.raises(DecryptionError):
        Cipher([NEW]).open(sealed)


def test_malformed_key_is_refused():
    with pytest.raises(ValueError, match="32"):
        Cipher(["short"])
