"""The checks of the configuration between this site and its user pool.

`examination.examine()` runs them, and each yields findings. A function per finding returns its id,
what is wrong, why it matters and how to fix it. docs/doctor.md lists the ids.
"""
