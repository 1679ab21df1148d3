"""The date formats of this site (FORMAT_MODULE_PATH). Other languages have those of Django."""
