"""`python -m scripts`: one entry point, one subcommand a job."""

import importlib

import click

COMMANDS = ("generate", "load", "build", "publish", "report")


class Commands(click.Group):
    """Imports a command's module when it is called, so that `--help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the subcommands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Find `scripts.<name>.command`."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"scripts.{name}").command
        return command


@click.command(cls=Commands)
def main() -> None:
    """Turn Userpilot's event exports into a warehouse: load, build, publish, report."""


if __name__ == "__main__":
    main(prog_name="python -m scripts")
