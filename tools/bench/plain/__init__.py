"""The peers of the pages: the same pages in plain Django, on our site and in the same process."""
