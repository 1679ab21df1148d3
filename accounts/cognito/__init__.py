"""The protocol of Amazon Cognito, without Django. See README.md in this folder."""
