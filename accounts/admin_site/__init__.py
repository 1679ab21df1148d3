"""The admin site: its pages, lists and actions for staff."""
