"""`python -m scripts`: one entry point, one subcommand a job."""

import importlib
import os
import sys
from importlib.metadata import version

try:
    import click
    import yaml
except ModuleNotFoundError:
    sys.exit("Error: the packages are missing. Run `make setup`, then .venv/bin/python -m scripts.")

from scripts import PROJECT
from scripts.errors import UsageProblem

COMMANDS = {
    "doctor": "scripts.doctor",
    "generate": "scripts.generate",
    "load": "scripts.load",
    "build": "scripts.build",
    "publish": "scripts.publish",
    "report": "scripts.report",
    "docs": "scripts.docs",
    "dictionary": "scripts.dictionary",
    "benchmark": "scripts.benchmark.command",
}
INTERRUPTED = 130


class Commands(click.Group):
    """Imports a command's module when it is called, so that `--help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the subcommands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Find the `command` of a subcommand's module."""
        if name not in COMMANDS:
            return None
        try:
            command: click.Command = importlib.import_module(COMMANDS[name]).command
        except ImportError as error:
            raise UsageProblem(
                f"{error}. Run `make setup`, and start commands by .venv/bin/python -m scripts."
            ) from None
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; Ctrl-C ends it without a traceback."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, RuntimeError) as error:
            # DuckDB makes an error of its own of a Ctrl-C.
            if isinstance(error, RuntimeError) and not isinstance(
                error.__context__, KeyboardInterrupt
            ):
                raise
            click.echo("Interrupted. Run the same again: it goes on or starts anew.", err=True)
            ctx.exit(INTERRUPTED)


def print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Print the versions that a report of a bug should name."""
    if wanted:
        own = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["version"]
        packages = ", ".join(f"{name} {version(name)}" for name in ("dbt-core", "duckdb"))
        python = sys.version.split()[0]
        click.echo(f"userpilot-warehouse {own} ({packages}, Python {python})")
        ctx.exit()


@click.command(cls=Commands)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_version,
    help="Show the versions and exit.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Turn Userpilot's event exports into a warehouse.

    Check the set-up, then build: that loads what is new, runs and tests the dbt models, publishes
    the tables to their readers and writes the report page. Run build again whenever new files are
    there.

    \b
      python -m scripts doctor --source ~/userpilot_events
      python -m scripts build --source ~/userpilot_events

    The same step by step, for schedulers: load, `dbt build`, publish, report. Without a source,
    build takes a sample export. COMMAND --help tells the options of a command, and
    docs/commands.md everything.

    \b
    Exit codes:
      0    success
      1    a problem that you can mend; the message says how
      2    wrong usage: no such command or option
      130  interrupted
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False


if __name__ == "__main__":
    # No command needs it, and DuckDB would import it to look at the first parameter (see sql.py).
    sys.modules["pandas"] = None  # type: ignore[assignment]
    main(prog_name="python -m scripts")
