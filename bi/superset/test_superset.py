"""Superset, from the start to the numbers: `make test-superset`.

It starts on a sample build, answers over HTTP, shows the dashboard in a browser where there is one,
and sees a database file that is replaced under it. All traffic goes to 127.0.0.1.
"""
# ruff: noqa: S101, S603, D103

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROJECT_PYTHON = ROOT / ".venv" / "bin" / "python"
DASHBOARD = HERE / "dashboard"
CHARTS = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted(DASHBOARD.glob("charts/*"))
}
DATASETS = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted(DASHBOARD.glob("datasets/*"))
}
APP = "NX-44A1B2C3"
PASSWORD = "of this test only"  # noqa: S105
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


# ---------- what is started


def project(warehouse: Path, *command: str | Path) -> None:
    """Run one of the project's commands on the warehouse."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("USERPILOT", "DBT"))}
    result = subprocess.run(
        [PROJECT_PYTHON, "-m", "scripts", *command],
        cwd=ROOT,
        env=inherited | {"USERPILOT_WAREHOUSE": str(warehouse)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample build; USERPILOT_TEST_WAREHOUSE names a finished one, which is copied."""
    folder = tmp_path_factory.mktemp("superset")
    made = folder / "it's a warehouse"
    if finished := os.environ.get("USERPILOT_TEST_WAREHOUSE"):
        made.mkdir()
        for name in ("build.duckdb", "target"):
            source = Path(finished) / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, made / name)
        project(made, "publish")
    else:
        project(made, "generate", "--output", folder / "export")
        project(made, "build", "--source", folder / "export")
    return made


class Superset:
    """A client that has logged in."""

    def __init__(self, url: str) -> None:
        """Log in."""
        self.url = url
        self.session = requests.Session()
        login = {"username": "admin", "password": PASSWORD, "provider": "db"}
        token = self.call("post", "security/login", json=login)["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"
        csrf = self.call("get", "security/csrf_token/")["result"]
        self.session.headers.update({"X-CSRFToken": csrf, "Referer": url})

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Call the API, which must answer with success."""
        response = self.session.request(method, f"{self.url}/api/v1/{path}", timeout=60, **options)
        assert response.ok, f"{path}: {response.status_code} {response.text[:2000]}"
        return response.json()

    def id_of(self, kind: str, uuid: str) -> int:
        """Id that an imported object got here."""
        found = self.call("get", f"{kind}/?q=(page_size:100)")["result"]
        return int(next(one["id"] for one in found if one["uuid"] == uuid))

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Run a query in SQL Lab."""
        database = self.call("get", "database/")["result"][0]["id"]
        body = {"database_id": database, "sql": query, "schema": "marts", "runAsync": False}
        rows: list[dict[str, Any]] = self.call("post", "sqllab/execute/", json=body)["data"]
        return rows

    def chart(self, name: str, **filters: str) -> list[dict[str, Any]]:
        """Run the query of a chart, with filters of the dashboard."""
        chart = CHARTS[name]
        params = chart["params"]
        columns = params.get("all_columns") or as_list(params.get("groupby"))
        if axis := params.get("x_axis"):
            grain = params.get("time_grain_sqla")
            label = {"label": axis, "sqlExpression": axis, "expressionType": "SQL"}
            base = {"timeGrain": grain, "columnType": "BASE_AXIS"}
            columns = [label | base if grain else axis, *columns]
        own = [
            {"col": one["subject"], "op": one["operator"], "val": one["comparator"]}
            for one in params["adhoc_filters"]
        ]
        chosen = [{"col": key, "op": "IN", "val": [value]} for key, value in filters.items()]
        query = {
            "columns": columns,
            "metrics": as_list(params.get("metrics") or params.get("metric")),
            "filters": own + chosen,
            "row_limit": params.get("row_limit", 10000),
        }
        dataset = self.id_of("dataset", chart["dataset_uuid"])
        body = {"datasource": {"id": dataset, "type": "table"}, "queries": [query], "force": True}
        answer = self.call("post", "chart/data", json=body)["result"][0]
        assert answer["error"] is None, answer["error"]
        rows: list[dict[str, Any]] = answer["data"]
        return rows


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


@pytest.fixture(scope="session")
def url(warehouse: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = warehouse.parent / "superset.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, HERE / "start.py"],
            env=os.environ
            | {
                "USERPILOT_WAREHOUSE": str(warehouse),
                "USERPILOT_SUPERSET_PORT": str(port),
                "USERPILOT_SUPERSET_PASSWORD": PASSWORD,
            },
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 240
        while True:
            try:
                if requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok:
                    break
            except requests.ConnectionError:
                pass
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


@pytest.fixture(scope="session")
def superset(url: str) -> Superset:
    return Superset(url)


def read(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    published = str(warehouse / "userpilot.duckdb")
    with duckdb.connect(published, read_only=True) as connection:
        return connection.execute(query).fetchall()


# ---------- what it is


def test_datasets_name_columns_that_exist(warehouse: Path) -> None:
    for name, dataset in DATASETS.items():
        columns = dict(
            read(
                warehouse,
                "select column_name, data_type from duckdb_columns()"  # noqa: S608
                f" where schema_name = 'marts' and table_name = '{name}'",
            )
        )
        physical = [one for one in dataset["columns"] if "expression" not in one]
        assert {one["column_name"]: one["type"] for one in physical} == columns


def test_nothing_secret_is_readable_and_a_stranger_is_turned_away(
    warehouse: Path, url: str
) -> None:
    kept = warehouse / "superset"
    assert kept.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.iterdir())
    answer = requests.post(f"{url}/api/v1/chart/data", json={}, timeout=60)
    assert answer.status_code in (400, 401, 403)
    assert requests.get(f"{url}/api/v1/database/", timeout=60).status_code == 401
    page = requests.get(f"{url}/login/", timeout=60)
    assert "http" not in page.headers["Content-Security-Policy"]


def test_sql_lab_answers_and_cannot_write_or_leave_the_file(superset: Superset) -> None:
    assert superset.sql("select 6 * 7 as answer") == [{"answer": 42}]
    assert superset.sql("select count(*) as n from audit.file_ledger")[0]["n"] > 0
    for forbidden in (
        "delete from marts.users",
        "create table marts.x as select 1",
        "copy marts.users to 'users.csv'",
        "select * from read_text('/etc/hostname')",
        "attach 'build.duckdb' as build",
        "set enable_external_access = true",
    ):
        with pytest.raises(AssertionError, match="sqllab/execute"):
            superset.sql(forbidden)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_has_rows(superset: Superset, name: str) -> None:
    assert superset.id_of("chart", CHARTS[name]["uuid"])
    assert superset.chart(name)
    assert superset.chart(name, app_token=APP)


# ---------- the numbers


def test_numbers_are_those_of_the_marts(superset: Superset, warehouse: Path) -> None:
    def mart(query: str) -> list[tuple[Any, ...]]:
        return read(warehouse, query.replace("$app", f"'{APP}'"))

    days = superset.chart("active_users", app_token=APP)
    got = sorted((one["daily_active_users"], one["monthly_active_users"]) for one in days)
    assert got == sorted(mart("select dau, mau from marts.daily_activity where app_token = $app"))

    # Apps have no user in common.
    everyone = superset.chart("active_users")
    distinct = mart("select sum(dau) from marts.daily_activity")
    assert sum(one["daily_active_users"] for one in everyone) == distinct[0][0]

    new = superset.chart("new_users", app_token=APP)
    first = mart("select count(distinct user_id) from marts.user_days where app_token = $app")
    assert new[0]["new_users"] == first[0][0]

    steps = superset.chart("funnel", app_token=APP, funnel="activation")
    reached = mart(
        "select users from marts.funnel_steps where app_token = $app and funnel = 'activation'"
    )
    assert sorted((one["users"],) for one in steps) == sorted(reached)

    score = superset.chart("nps", app_token=APP)[0]["nps"]
    published = mart(
        "select nps from marts.nps_scores"
        " where app_token = $app and period = 'all' and basis = 'all_responses'"
    )
    assert score == pytest.approx(published[0][0])

    months = superset.chart("nps_by_month", app_token=APP)
    bounds = mart(
        "select nps - margin_of_error_95, nps, nps + margin_of_error_95 from marts.nps_scores"
        " where app_token = $app and period <> 'all' and basis = 'latest_per_user'"
    )
    assert sorted((one["nps_low"], one["nps"], one["nps_high"]) for one in months) == [
        pytest.approx(row, abs=1e-4) for row in sorted(bounds)
    ]

    weeks = superset.chart("retention", app_token=APP)
    rates = mart(
        "select strftime(cohort_date, '%Y-%m-%d'), period_n, rate from marts.retention"
        " where app_token = $app and period = 'week' and period_n > 0 and eligible_users > 0"
    )
    assert {(one["cohort"], one["period_n"]): one["retention_rate"] for one in weeks} == {
        (cohort, week): pytest.approx(rate) for cohort, week, rate in rates
    }


# ---------- the dashboard


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromium-driver")
def test_the_dashboard_is_drawn(superset: Superset, url: str, tmp_path: Path) -> None:
    from selenium import webdriver  # noqa: PLC0415
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415
    from selenium.webdriver.common.by import By  # noqa: PLC0415
    from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
        *("disable-background-networking", "disable-component-update", "disable-sync"),
        *("window-size=1400,2600", f"user-data-dir={tmp_path}"),
    ):
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        wait = WebDriverWait(browser, 90)
        browser.get(f"{url}/login/")
        wait.until(lambda _: browser.find_elements(By.ID, "username"))
        browser.find_element(By.ID, "username").send_keys("admin")
        browser.find_element(By.ID, "password").send_keys(PASSWORD + "\n")
        wait.until(lambda _: "/login" not in browser.current_url)
        browser.get(f"{url}/superset/dashboard/userpilot/?standalone=1")
        drawn = "[data-test='chart-container'] .slice_container"
        wait.until(lambda _: len(browser.find_elements(By.CSS_SELECTOR, drawn)) == len(CHARTS))
        loading = "[data-test='loading-indicator']"
        wait.until(lambda _: not browser.find_elements(By.CSS_SELECTOR, loading))
        time.sleep(3)  # until the charts have come to rest
        if shot := os.environ.get("USERPILOT_TEST_SCREENSHOT"):
            browser.save_screenshot(shot)
        text = browser.find_element(By.TAG_NAME, "body").text
        assert not browser.find_elements(By.CSS_SELECTOR, "[data-test='error-message']")
        assert "No results" not in text
        for chart in CHARTS.values():
            assert chart["slice_name"] in text
        # The first app is chosen, so its number is shown and not that of all.
        of_app, of_all = superset.chart("new_users", app_token=APP), superset.chart("new_users")
        assert of_app != of_all
        assert f"{of_app[0]['new_users']}\nin the period" in text
        loaded = browser.execute_script(
            "return performance.getEntriesByType('resource').map((one) => one.name)"
        )
        assert loaded
        assert not [one for one in loaded if not one.startswith((url, "data:", "blob:"))]
    finally:
        browser.quit()


# ---------- while the file is replaced


def set_version(warehouse: Path, version: int) -> None:
    """Make the next published version one that can be told from the others."""
    with duckdb.connect(str(warehouse / "build.duckdb")) as connection:
        connection.execute(f"update marts.daily_activity set new_users = {version}")  # noqa: S608
        connection.execute(f"update marts.flows set seen_users = {version}")  # noqa: S608


def test_replaced_files_are_seen_and_refuse_nobody(superset: Superset, warehouse: Path) -> None:
    one_version = """
        select min(new_users) as low, max(new_users) as high,
            (select min(seen_users) from marts.flows) as other_low,
            (select max(seen_users) from marts.flows) as other_high
        from marts.daily_activity
    """
    seen: list[list[int]] = [[], [], []]
    published_last = threading.Event()

    def ask(mine: list[int]) -> None:
        client = Superset(superset.url)
        while len(mine) < 500:
            final = published_last.is_set()
            values = set(client.sql(one_version)[0].values())
            assert len(values) == 1, values
            assert client.chart("flows")
            mine += values
            if final:
                return

    last = 1
    set_version(warehouse, last)
    project(warehouse, "publish")
    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(ask, mine) for mine in seen]
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                last += 1
                set_version(warehouse, last)
                project(warehouse, "publish")
                # Seen at once, by processes that have served older versions.
                assert superset.sql(one_version)[0]["low"] == last
        finally:
            published_last.set()
        for one in asking:
            one.result()
    assert last > 3
    for mine in seen:
        assert mine == sorted(mine)
        assert len(set(mine)) > 2
        assert mine[-1] == last
    rows = superset.chart("flows")
    assert {row["seen_users"] for row in rows} == {last}
    assert not (warehouse / "userpilot.duckdb.wal").exists()


def test_no_lock_is_held_when_nobody_asks(warehouse: Path) -> None:
    """Else it could not be opened for writing, which nobody should do."""
    copy = "import sys, duckdb; duckdb.connect(sys.argv[1]).close()"
    published = warehouse / "userpilot.duckdb"
    published.chmod(0o644)
    subprocess.run([sys.executable, "-c", copy, published], check=True)
    published.chmod(0o444)
