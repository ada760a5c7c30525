"""dbt-duckdb's plugin that tells plainly what keeps dbt from building."""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from scripts.configuration import refuse_mistakes
from scripts.errors import UsageProblem
from scripts.warehouse import Warehouse, duckdb_settings


class Plugin(BasePlugin):
    """Checks the configuration and opens the database before dbt does, which is less plain."""

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:
        """Refuse in one sentence, or set what the commands set too; called before dbt connects.

        Raises:
            DbtRuntimeError: what is wrong and what to do.
        """
        warehouse = Warehouse(Path(creds.path).parent.resolve())
        try:
            refuse_mistakes()
            if not warehouse.folder.is_dir():
                raise UsageProblem(
                    f"The warehouse folder {warehouse.folder} does not exist. Set"
                    " USERPILOT_WAREHOUSE to one that does, or run `make load"
                    " SOURCE=folder-of-exports` (or `make build` for the sample export) first."
                )
            warehouse.connect().close()
            config |= duckdb_settings()
        except UsageProblem as problem:
            raise DbtRuntimeError(problem.message) from None
