"""The API's documentation and renderers."""
