"""Single sign-on with Amazon Cognito. docs/install.md and docs/adopt.md describe its use."""

__version__ = "0.4.0.dev0"
