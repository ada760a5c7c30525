"""The one way a command refuses: a sentence that says what is wrong and what to do."""

import click


class UsageProblem(click.ClickException):
    """Something the user can mend. Printed as one line, without a traceback; exit code 1."""
