"""The page in a real browser on a real server: values move, the table fills, nothing comes from elsewhere."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import servers
from tests.api.seeded import county
from tests.conftest import ROOT

SHOTS = ROOT / "test-output"
WIDE, PHONE = {"width": 1320, "height": 1180}, {"width": 390, "height": 844}


class Console:
    """The server's process; may be ended and started again on the same folder and port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.url = folder, port, f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.api.console_server", str(self.folder), str(self.port)]
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True, cwd=ROOT)
        log.close()
        servers.wait_for_port(self.port, timeout_s=30)

    def stop(self) -> int:
        assert self.process is not None
        self.process.stdin.close()
        self.process.terminate()
        return self.process.wait(timeout=15)

    def publish(self, **power_kw: float) -> None:
        for institution, value in power_kw.items():
            self.process.stdin.write(f"{institution.replace('_', '-')} {value}\n")
        self.process.stdin.flush()

    def register(self, institution: str, year: int) -> None:
        self.process.stdin.write(f"register {institution} {year}\n")
        self.process.stdin.flush()

    def log(self) -> str:
        return (self.folder / "server.log").read_text()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("console")
    with county(folder):
        pass
    server = Console(folder, servers.free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = "--no-sandbox --disable-background-networking --disable-gpu --disable-component-update --disable-sync --no-first-run"
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=servers.require_tool("chromium"), args=flags.split())
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor; the page must log no error and ask nothing of any other machine."""
    context = browser.new_context(viewport=WIDE, locale="en-GB")
    tab = context.new_page()
    errors: list[str] = []
    elsewhere: list[str] = []
    tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda asked: None if _is_ours(asked.url) else elsewhere.append(asked.url))
    tab.errors = errors
    yield tab
    context.close()
    assert errors == []
    assert elsewhere == []


def _is_ours(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob"} or parts.hostname == "127.0.0.1"


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"console-{name}.png", full_page=True)


def test_live_power_follows_what_is_published(console: Console, page: Page):
    """Two seconds from publishing to the screen is the promise; both meters are added."""
    console.publish(school_1=40.0, school_2=10.5)
    page.goto(console.url)
    expect(page.locator("#live-power")).to_have_text("50.50", timeout=15_000)
    console.publish(school_1=41.0)
    expect(page.locator("#live-power")).to_have_text("51.50", timeout=3_000)
    expect(page.locator("#live-buildings .building")).to_have_count(2)


def test_the_ranking_is_there_with_its_figures(console: Console, page: Page):
    """365 000 kWh x 0.1229 / 10 000 m2 = 4.486 kgce/m2; the usual year is the last finished one."""
    page.goto(console.url)
    first = page.locator("#ranking-table tbody tr").first
    expect(first).to_contain_text("第一中学", timeout=15_000)
    for text in ("1", "4.486", "kgce/m2", "100%"):
        expect(first).to_contain_text(text)
    expect(page.locator("#ranking-state")).to_contain_text("2 of 2 institutions ranked")
    expect(page.locator("#ranking-state")).to_contain_text("2023")
    expect(page.locator("#ranking-chart canvas")).to_be_visible()


def test_a_choice_changes_table_and_reasons(console: Console, page: Page):
    """All classes: the office states no area, the hall has no readings; both stand last and say why."""
    page.goto(console.url)
    expect(page.locator("#ranking-table tbody tr")).to_have_count(2, timeout=15_000)
    page.locator(".ranking-class").click()
    page.get_by_role("option", name="All classes").click()
    rows = page.locator("#ranking-table tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(3)).to_contain_text("no floor area stated for 2023")
    page.locator(".ranking-indicator").click()
    page.get_by_role("option", name="Energy per capita").click()
    expect(rows.nth(0)).to_contain_text("kgce/p", timeout=10_000)
    page.locator(".ranking-search input").fill("second")
    expect(rows).to_have_count(1)


def test_a_younger_factor_set_is_called_retrospective(console: Console, page: Page):
    page.goto(console.url)
    expect(page.locator("#ranking-table tbody tr").first).to_contain_text("4.486", timeout=15_000)
    page.locator(".ranking-factor-set").click()
    page.get_by_role("option", name="Shandong DB37/T quota standards 2019").click()
    first = page.locator("#ranking-table tbody tr").first
    expect(first).to_contain_text(f"{36.5 * 0.31:.2f}", timeout=10_000)  # 36.5 kWh/m2, DB37/T 2671-2019 Table B.1
    page.locator(".ranking-year").click()
    page.get_by_role("option", name="2015").click()
    state = page.locator("#ranking-state")
    expect(state).to_contain_text("came into force on 2020-01-24, after 2015", timeout=10_000)
    expect(state).to_contain_text("Nobody can be ranked")


def test_today_and_the_gateways_books_are_shown(console: Console, page: Page):
    """Half a day: 500 + 1000 kWh x 0.1229 = 184.35 kgce; water weighs nothing; the books are the server's."""
    console.publish(school_1=40.0, school_2=10.5)
    page.goto(console.url)
    today = page.locator("#today")
    expect(today).to_contain_text("1,500 kWh", timeout=20_000)
    expect(today).to_contain_text(f"{1500 * 0.1229:.1f} kgce")
    expect(today).to_contain_text("25.00 m3")
    expect(today).to_contain_text("00:00 – 12:00 (+08:00)")
    gateway = page.locator("#gateway")
    expect(gateway).to_contain_text("1,200 polled = 1,150 stored + 30 duplicate + 12 refused + 3 dropped + 5 waiting")
    expect(gateway).to_contain_text("Every reading is accounted for")
    expect(gateway).to_contain_text("1 of 2 devices offline: school-2/main")
    expect(gateway).to_contain_text("Findings about imported data: 1")
    expect(page.locator("#data-note")).to_have_text("seeded for tests")


@pytest.mark.parametrize("size", [pytest.param(WIDE, id="desktop"), pytest.param(PHONE, id="phone")])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_the_screen_in_both_languages(console: Console, page: Page, size: dict[str, int], language: str):
    """Nothing sticks out to the side; the words are the language's."""
    console.publish(school_1=40.0, school_2=10.5)
    page.set_viewport_size(size)
    page.goto(f"{console.url}/?lang={language}")
    expect(page.locator("#today")).to_contain_text("kgce", timeout=20_000)
    expect(page.locator("#ranking-table tbody tr")).to_have_count(2, timeout=15_000)
    expect(page.locator("section h2").first).to_have_text({"en": "Live power", "zh": "实时功率"}[language])
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.locator("#ranking-table").evaluate("box => box.scrollWidth <= box.clientWidth")
    shot(page, f"{'phone' if size is PHONE else 'desktop'}-{language}")


def test_dark_mode_can_be_chosen(console: Console, page: Page):
    page.goto(console.url)
    expect(page.locator("#ranking-table tbody tr").first).to_be_visible(timeout=15_000)
    expect(page.locator("body.body--dark")).to_have_count(0)
    page.locator("#dark").click()
    expect(page.locator("body.body--dark")).to_have_count(1)
    shot(page, "desktop-dark")


def test_the_open_page_survives_a_restart_of_the_server(console: Console, page: Page):
    """Ended, the server says goodbye with exit code 0; started again, the same tab shows new values by itself."""
    page.goto(console.url)
    expect(page.locator("#ranking-table tbody tr").first).to_be_visible(timeout=15_000)
    assert console.stop() == 0
    console.start()
    console.publish(school_1=77.0)
    expect(page.locator("#live-power")).to_have_text("77.00", timeout=30_000)
    page.errors[:] = [text for text in page.errors if "ERR_CONNECTION_REFUSED" not in text]  # while it was away


def test_a_page_follows_new_data_until_the_visitor_chooses(console: Console, page: Page):
    """2022 gets one institution more than any other finished year; who chose a year keeps it."""
    page.goto(console.url)
    state = page.locator("#ranking-state")
    expect(state).to_contain_text("year 2023", timeout=15_000)
    console.register("hall-2", 2022)
    expect(state).to_contain_text("year 2022", timeout=20_000)
    page.locator(".ranking-year").click()
    page.get_by_role("option", name="2024").click()
    expect(state).to_contain_text("year 2024", timeout=10_000)
    console.register("hall-3", 2022)
    page.locator(".ranking-class").click()
    page.get_by_role("option", name="All classes").click()
    expect(state).to_contain_text("year 2024")


def test_the_server_has_complained_about_nothing(console: Console):
    """Warnings are errors there too; runs last in this module."""
    assert console.log() == ""
