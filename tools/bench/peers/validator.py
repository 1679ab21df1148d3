"""django-cognito-jwt's validator for a pool that is not at AWS."""

from functools import cached_property

from django_cognito_jwt.validator import TokenValidator


class LocalValidator(TokenValidator):  # type: ignore[misc] # it has no types
    """A validator with the pool's URL; the package only supports AWS URLs."""

    def __init__(self, issuer: str, client_id: str) -> None:
        super().__init__("", "", client_id)
        self._issuer = issuer

    @cached_property
    def pool_url(self) -> str:
        return self._issuer
