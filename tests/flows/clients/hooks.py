"""The rules of the API that JSON Schema cannot express, for schemathesis (SCHEMATHESIS_HOOKS).

Valid data is refused only if a message in the response names one of these rules.
"""

import schemathesis

INEXPRESSIBLE = (
    "Enter a number of at most 15 digits.",  # a precision, not a range
    "Ensure that there are no more than 15 decimal places.",
    "already has a figure",
    "The end of the range is before its start.",
    "This is not a cursor of this list in this ordering.",  # signed
    "A CSV has no pages.",
    "This redirectUri is not allowed here",
)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Return False for a failure that is not one."""
    is_refused = type(failure).__name__ == "RejectedPositiveData"
    return not (is_refused and any(rule in response.text for rule in INEXPRESSIBLE))
