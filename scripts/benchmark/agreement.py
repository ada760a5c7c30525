"""The project's own answer to what the rivals are asked, read from its marts."""

from scripts.benchmark.rivals.question import FUNNELS, Answer
from scripts.warehouse import Warehouse


def answer_of_marts(warehouse: Warehouse) -> Answer:
    """Count in a built warehouse what every rival counts."""
    with warehouse.connect(read_only=True) as connection:
        found = Answer()
        for table in ("events", "users", "sessions"):
            row = connection.execute(f"select count(*) from marts.{table}").fetchone()  # noqa: S608
            found.add_count(table, row[0] if row else 0)
        found.add_nps(
            connection.execute("""
                select nps_id, responses, promoters, detractors
                from marts.nps_scores
                where period = 'all' and basis = 'all_responses'
            """).fetchall()
        )
        found.add_experiments(
            connection.execute("""
                select experiment_id, variant, clean_users, converted_users
                from marts.experiment_variants
            """).fetchall()
        )
        for funnel in FUNNELS:
            rows = connection.execute(
                "select users from marts.funnel_steps where funnel = ? order by step",
                [funnel.name],
            ).fetchall()
            found.funnels[funnel.name] = [users for (users,) in rows]
    return found
