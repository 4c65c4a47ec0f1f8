"""Today's panel: what the institutions with live readings have used since midnight, by carrier.

Figures.today --every half minute--> page
"""

from html import escape
from typing import Final

from nicegui import ui

from kgce.api.console.numbers import number, share
from kgce.api.console.view import View, aside
from kgce.api.console.words import Words
from kgce.api.figures import TodayKey
from kgce.api.today import Today
from kgce.domain.errors import KgceError
from kgce.domain.factors import DEFAULT_FACTOR_SET

REFRESH_S: Final = 10.0


class TodayPanel:
    """Follows the day."""

    def __init__(self, view: View) -> None:
        """Draw the panel into the present place of the page."""
        self._view = view
        with ui.element("section").classes("panel").props('id="today"'):
            ui.html(view.words("today"), tag="h2", sanitize=False)
            self._table = ui.html(sanitize=False).classes("scroll")
            self._span = ui.label(view.words("no_today")).classes("soft")
        view.every(REFRESH_S, self.refresh)

    async def refresh(self) -> None:
        """Show the day so far."""
        institutions = tuple(sorted({one.institution for one in self._view.power.current.buildings}))
        words = self._view.words
        if not institutions:
            return
        try:
            found = await aside(self._view.figures.today, TodayKey(institutions, DEFAULT_FACTOR_SET))
        except KgceError as error:
            self._span.set_text(words("unavailable", error=error))
            return
        if all(row.amount is None for row in found.carriers):
            self._span.set_text(words("no_today"))
            return
        self._table.set_content(today_table(found, words))
        self._span.set_text(
            words(
                "today_span",
                day=found.start.date(),
                start=f"{found.start:%H:%M}",
                end=f"{found.end:%H:%M} ({found.end.isoformat()[-6:]})",
                count=found.institutions,
                set=words.factor_set(DEFAULT_FACTOR_SET),
            )
        )


def today_table(found: Today, words: Words) -> str:
    """Carriers with amount, kgce and coverage; water and carriers without a factor weigh nothing."""
    heads = ("amount", "kgce", "coverage")
    head = "".join(f'<th class="num">{escape(words(one))}</th>' for one in heads)
    rows = [
        f"<tr><td>{escape(words.carrier(row.carrier))}</td>"
        f'<td class="num">{number(row.amount)} {escape(row.unit)}</td>'
        f'<td class="num">{"" if row.kgce is None else f"{number(row.kgce)} kgce"}</td>'
        f'<td class="num">{share(row.coverage_ratio)}</td></tr>'
        for row in found.carriers
    ]
    total = f'<td class="num">{number(found.kgce)} kgce</td><td></td>'
    rows.append(f'<tr class="sum"><td>{escape(words("total"))}</td><td></td>{total}</tr>')
    return f'<table class="plain"><tr><th>{escape(words("carrier"))}</th>{head}</tr>{"".join(rows)}</table>'
