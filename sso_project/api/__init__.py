"""How the site presents its API: documentation and renderers."""
