"""Text for a cell of a spreadsheet, which must not run it."""

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def neutral(text: str) -> str:
    """`text`, or with an apostrophe before it where a spreadsheet would take it for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
