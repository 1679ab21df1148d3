"""What is set up wrongly between this site and its user pool, found by asking both.

`examination.examine()` runs the checks; each yields findings. A finding is one function that gives
its id, what is wrong, why it matters and the exact fix; `docs/doctor.md` lists the ids.
"""
