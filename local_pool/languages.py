"""The language of the hosted UI: English, or German for the main words (``lang=de``).

Cognito has more languages, whose codes are accepted and remembered in the cookie ``lang``. In
these, the pages of the local pool are English and say so in ``<html lang>``. Messages about errors
are English, too.
"""

COGNITO = (
    *("de", "en", "es", "fr", "id", "nl", "it", "ja", "ko"),
    *("pt-BR", "zh-CN", "zh-TW"),
)
GERMAN = {
    "Sign in": "Anmelden",
    "Sign in as": "Anmelden als",
    "Or as someone else:": "Oder als jemand anderes:",
    "Username": "Benutzername",
    "Username or email address": "Benutzername oder E-Mail-Adresse",
    "Password": "Passwort",
    "Next": "Weiter",
    "Create account": "Konto anlegen",
    "Forgot your password?": "Passwort vergessen?",
    "Continue with": "Weiter mit",
    "Choose a user to sign in as": "Als einer dieser Benutzer anmelden",
    "Your password was changed. Sign in with the new one.": (
        "Ihr Passwort wurde geändert. Melden Sie sich mit dem neuen an."
    ),
    "Use another username": "Anderen Benutzernamen verwenden",
    "Email me a code": "Code per E-Mail senden",
    "Sign in with a passkey": "Mit einem Passkey anmelden",
    "Add a passkey": "Passkey hinzufügen",
    "Create a passkey": "Passkey erstellen",
    "Enter a code": "Code eingeben",
    "Code": "Code",
    "Already have an account?": "Haben Sie schon ein Konto?",
    "Email address": "E-Mail-Adresse",
    "Name (optional)": "Name (freiwillig)",
    "Confirm your account": "Konto bestätigen",
    "Confirm account": "Konto bestätigen",
    "Send another code": "Neuen Code senden",
    "A new code was sent.": "Ein neuer Code wurde gesendet.",
    "Send the code": "Code senden",
    "Back to sign in": "Zurück zur Anmeldung",
    "Choose a new password": "Neues Passwort wählen",
    "Choose your own password": "Eigenes Passwort wählen",
    "Change password": "Passwort ändern",
    "Set password and sign in": "Passwort festlegen und anmelden",
    "New password": "Neues Passwort",
    "Confirm new password": "Neues Passwort wiederholen",
}


def choose(wanted: str) -> str:
    """Return the language of the pages for this value of ``lang``."""
    return "de" if wanted == "de" else "en"


def translate(language: str, text: str) -> str:
    return GERMAN.get(text, text) if language == "de" else text
