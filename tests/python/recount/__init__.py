"""A second opinion: every public table counted again in plain Python.

Written from the documentation alone, so that it shares no mistake with the SQL it checks.
Start with `recount.tables`.
"""
