"""The report in a browser: drawn, filtered, themed, fit for a phone, and deaf to hostile text."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import Build
from hostile import TRAITS, USERS
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from test_report import HOSTILE, empty_tables, event, fill, fill_with

from scripts.report import report
from scripts.report.facts import STEPS_SHOWN
from scripts.warehouse import Warehouse

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PHONE = 360
SECTIONS = (
    *("headlines", "activity", "retention", "funnels", "flows", "nps", "experiments"),
    *("features", "companies", "quality"),
)
# Canvases of a size, on which something is drawn.
DRAWN = """
return [...document.querySelectorAll("canvas")].map((canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return canvas.offsetWidth > 100 && canvas.offsetHeight > 50 && pixels.some((value) => value);
});
"""
# Contrast of every text with what is behind it.
CONTRASTS = """
const shade = (css) => {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = css;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = [...context.getImageData(0, 0, 1, 1).data].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const seen = (css) => !/(, 0\\)|\\/ 0[.\\d]*\\))$/.test(css);
const behind = (element) => {
  const css = getComputedStyle(element).backgroundColor;
  return seen(css) || !element.parentElement ? css : behind(element.parentElement);
};
return [...document.querySelectorAll("h1, h2, h3, p, td, th, dt, dd, small, b, span, summary")]
  .filter((element) => element.textContent.trim() && element.offsetWidth)
  .map((element) => {
    const shades = [shade(getComputedStyle(element).color), shade(behind(element))];
    const [dark, light] = shades[0] < shades[1] ? shades : shades.reverse();
    return [(light + 0.05) / (dark + 0.05), element.textContent.slice(0, 40)];
  });
"""

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs Chromium and its driver: apt-get install chromium chromium-driver",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def sample(browser: webdriver.Chrome, sample_build: Build) -> Iterator[webdriver.Chrome]:
    """The sample's page, open; nothing is complained of until the test ends."""
    warehouse = Warehouse(sample_build.warehouse)
    if not warehouse.report_page.exists():
        report(warehouse)
    yield opened(browser, warehouse.report_page)
    assert browser.get_log("browser") == []


def opened(browser: webdriver.Chrome, page: Path, width: int = 1280) -> webdriver.Chrome:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width <= PHONE},
    )
    prefer(browser, "light")
    browser.get(page.as_uri())
    browser.execute_script("localStorage.clear()")
    browser.get_log("browser")
    browser.refresh()
    return browser


def prefer(browser: webdriver.Chrome, scheme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def text_of(browser: webdriver.Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def choose_period(browser: webdriver.Chrome, period: str) -> None:
    browser.find_element(By.CSS_SELECTOR, f"input[value='{period}']").click()


def background(browser: webdriver.Chrome) -> Any:
    return browser.execute_script("return getComputedStyle(document.body).backgroundColor")


def is_too_wide(browser: webdriver.Chrome) -> Any:
    return browser.execute_script("return document.documentElement.scrollWidth > innerWidth")


def test_every_section_and_chart_is_drawn_without_a_request(sample: webdriver.Chrome) -> None:
    sections = sample.find_elements(By.CSS_SELECTOR, "main > section")
    assert tuple(section.get_attribute("id") for section in sections) == SECTIONS
    drawn = sample.execute_script(DRAWN)
    assert len(drawn) >= 9
    assert all(drawn)
    assert sample.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_the_filters_act(sample: webdriver.Chrome) -> None:
    figures = {}
    for period in ("7", "28", "90", "all"):
        choose_period(sample, period)
        figures[period] = int(text_of(sample, "#figure-active_users").replace(",", ""))
        chip = "All time" if period == "all" else f"Last {period} days"
        assert text_of(sample, "#headlines .scope") == chip
    assert figures["7"] < figures["28"] < figures["90"] < figures["all"]
    Select(sample.find_element(By.ID, "app")).select_by_index(1)
    assert int(text_of(sample, "#figure-active_users")) < figures["all"]
    assert text_of(sample, "#headlines .scope") == "All time"
    assert all(sample.execute_script(DRAWN))


# What stands beside the heading of each section, and a figure in it, over 28 days.
FOLLOWING = {
    "retention": ("Last 28 days, by first activity", ".heat"),
    "funnels": ("Last 28 days, by entry", ".steps b"),
    "flows": ("Last 28 days, by the day a user first saw the flow", "tbody .n"),
    "nps": ("Last 28 days, by answer", "h3"),
    "features": ("Last 28 days", "article"),
    "companies": ("Last 28 days", "tbody .n"),
}


def test_each_section_follows_the_period_or_says_that_it_does_not(
    sample: webdriver.Chrome,
) -> None:
    open_all_details(sample)
    figures = {}
    # Weeks that begin, and months, from 3 March to Monday, 30 June 2025.
    for period, weeks, months in (("7", 1, 1), ("28", 4, 1), ("90", 13, 3), ("all", 14, 4)):
        choose_period(sample, period)
        wait_for(sample, "#retention .heat tbody tr", weeks)
        wait_for(sample, "#nps tbody tr", months)
        figures[period] = [
            text_of(sample, f"#{one} {part}") for one, (_, part) in FOLLOWING.items()
        ]
        assert {one: text_of(sample, f"#{one} .scope") for one in FOLLOWING} == {
            one: "All time" if period == "all" else label.replace("28", period)
            for one, (label, _) in FOLLOWING.items()
        }
        assert text_of(sample, "#experiments .scope") == (
            "All time: the statistics hold for the whole run"
        )
        assert text_of(sample, "#quality .scope") == "All apps, all time"
        assert all(sample.execute_script(DRAWN))
    for section, *shown in zip(FOLLOWING, *figures.values(), strict=True):
        assert len(set(shown)) == len(shown), section


def test_what_a_period_lacks_is_told(browser: webdriver.Chrome, tmp_path: Path) -> None:
    """An app that is silent in the latest days: nothing is drawn of them, and nothing fails."""
    warehouse = Warehouse(tmp_path)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(empty_tables())
    fill_with(warehouse, "old")
    fill(warehouse, events=[event("new", "a", "2025-12-31", event_type="track")])
    report(warehouse)
    opened(browser, warehouse.report_page)
    Select(browser.find_element(By.ID, "app")).select_by_visible_text("old")
    for period in ("7", "all"):
        choose_period(browser, period)
        lacks = [
            one
            for one in ("funnels", "flows", "nps")
            if "in this period" in text_of(browser, f"#{one}")
        ]
        assert lacks == (["funnels", "flows", "nps"] if period == "7" else [])
    assert browser.get_log("browser") == []


def test_more_steps_than_the_page_shows_are_told(browser: webdriver.Chrome, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(empty_tables())
    fill_with(warehouse, "text")
    more = range(2, 2 + STEPS_SHOWN)
    fill(
        warehouse,
        funnel_steps=[{"app_token": "text", "funnel": "text", "step": n} for n in more],
        flow_steps=[{"app_token": "text", "flow_id": "text", "step_id": str(n)} for n in more],
    )
    report(warehouse)
    opened(browser, warehouse.report_page)
    choose_period(browser, "all")
    for section in ("#funnels", "#flows"):
        told = f"The first {STEPS_SHOWN} of {1 + STEPS_SHOWN} steps."
        assert told in text_of(browser, section)


def test_every_chart_has_a_name_and_its_numbers(sample: webdriver.Chrome) -> None:
    open_all_details(sample)
    for canvas in sample.find_elements(By.TAG_NAME, "canvas"):
        label = canvas.get_attribute("aria-label") or ""
        assert len(label) > 20
        article = canvas.find_element(By.XPATH, "ancestor::article")
        assert article.find_elements(By.CSS_SELECTOR, "tbody tr"), label
    # What was opened stays open when a filter redraws the page.
    choose_period(sample, "7")
    wait_for(sample, "#activity details[open] tbody", 4)


def open_all_details(browser: webdriver.Chrome) -> None:
    summaries = browser.find_elements(By.TAG_NAME, "summary")
    for summary in summaries:
        browser.execute_script("arguments[0].click()", summary)
    wait_for(browser, "details[open] tbody", len(summaries))


def wait_for(browser: webdriver.Chrome, selector: str, count: int) -> None:
    WebDriverWait(browser, 10).until(
        lambda page: len(page.find_elements(By.CSS_SELECTOR, selector)) == count
    )


def test_it_works_by_keyboard(sample: webdriver.Chrome) -> None:
    before = text_of(sample, "#figure-events")
    sample.find_element(By.CSS_SELECTOR, "input[value='28']").send_keys(Keys.ARROW_RIGHT)
    assert text_of(sample, "#figure-events") != before
    focused = sample.switch_to.active_element
    assert focused.get_attribute("value") == "90"


def test_dark_mode_toggles_and_follows_the_system(sample: webdriver.Chrome) -> None:
    light = background(sample)
    sample.find_element(By.ID, "theme").click()
    dark = background(sample)
    assert dark != light
    assert text_of(sample, "#theme") == "Light mode"
    assert all(sample.execute_script(DRAWN))
    sample.refresh()
    assert background(sample) == dark
    sample.find_element(By.ID, "theme").click()
    assert background(sample) == light
    sample.execute_script("localStorage.clear()")
    prefer(sample, "dark")
    sample.refresh()
    assert background(sample) == dark


def test_text_is_readable_in_both_themes(sample: webdriver.Chrome) -> None:
    for scheme in ("light", "dark"):
        prefer(sample, scheme)
        sample.refresh()
        ratios = sample.execute_script(CONTRASTS)
        assert len(ratios) > 200
        assert [low for low in ratios if low[0] < 4.5] == []


def test_a_phone_needs_no_sideways_scrolling(sample: webdriver.Chrome, sample_build: Build) -> None:
    opened(sample, Warehouse(sample_build.warehouse).report_page, PHONE)
    for period in ("all", "7"):
        choose_period(sample, period)
        assert not is_too_wide(sample)
    open_all_details(sample)
    assert not is_too_wide(sample)
    assert all(sample.execute_script(DRAWN))


def test_hostile_text_is_shown_and_never_obeyed(browser: webdriver.Chrome, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    texts = [*HOSTILE, *(one for one in (*USERS, *TRAITS) if isinstance(one, str) and one)][:20]
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(empty_tables())
    for text in texts:
        fill_with(warehouse, text)
    report(warehouse)
    opened(browser, warehouse.report_page, PHONE)
    tags = set()
    apps = Select(browser.find_element(By.ID, "app"))
    for index, option in enumerate(apps.options):
        apps.select_by_index(index)
        shown = browser.execute_script("return document.getElementById('main').textContent")
        name = option.get_property("textContent")
        assert name == "NX-2" or shown.count(name) > 10
        assert not is_too_wide(browser)
        tags |= set(
            browser.execute_script(
                "return [...document.querySelectorAll('*')].map((one) => one.localName)"
            )
        )
        scripts = browser.execute_script("return document.scripts.length")
        assert scripts == 3
    assert not tags & {"img", "iframe", "object", "embed", "link", "base"}
    assert len(apps.options) == 20
    # An alert would have been an error of the commands above; a refused script is logged.
    assert browser.get_log("browser") == []


def test_an_empty_warehouse_is_told_kindly(browser: webdriver.Chrome, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(empty_tables())
    report(warehouse)
    opened(browser, warehouse.report_page)
    assert "No events yet" in text_of(browser, "main")
    assert "make build SOURCE=" in text_of(browser, "main")
    assert "No data yet" in text_of(browser, "#dates")
    assert not browser.find_element(By.ID, "filters").is_displayed()
    assert browser.get_log("browser") == []
