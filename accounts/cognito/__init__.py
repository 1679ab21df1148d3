"""The Amazon Cognito protocol, without Django: see README.md in this folder."""
