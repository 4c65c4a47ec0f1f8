"""`kgce explain`: how a figure came about, down to the meters, adding up again."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.tree import Tree

from kgce.analytics.indicators import Indicator
from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import OUT, figure, print_json, progress
from kgce.domain.factors import DEFAULT_FACTOR_SET

if TYPE_CHECKING:
    from kgce.analytics.explain import Explanation, Term


def explain(
    institution: Annotated[str, typer.Argument(help="Institution id.", show_default=False)],
    indicator: Annotated[Indicator, typer.Argument(help="Which figure.", show_default=False)],
    year: Annotated[int, typer.Argument(min=1980, max=2100, help="Calendar year.", show_default=False)],
    factor_set: Annotated[str, typer.Option("--factor-set", help="Standard-coal factors.")] = DEFAULT_FACTOR_SET,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """How a figure came about: definition, factors, accounts, meters, months; the parts add up to the figure.

    Example: kgce explain cam-b0 energy_per_area 2019
    """
    from kgce.analytics.explain import explain as derive
    from kgce.domain.factors import chosen_set

    with database(db, store) as at, progress("explaining", quiet=json):
        found = derive(
            at.store, at.registry, institution=institution, indicator=indicator, year=year,
            factor_set=chosen_set(at.registry, factor_set), shelf=at.shelf,
        )  # fmt: skip
    if json:
        print_json(found.document())
    else:
        OUT.print(derivation(found))


def derivation(found: "Explanation") -> Tree:
    """The figure as a tree."""
    value = f"{figure(found.value, 4)} {found.unit}" if found.value is not None else f"no figure: {found.reason}"
    root = Tree(
        f"[bold]{escape(found.name or found.institution)} {found.year} {found.indicator}[/bold] = {escape(value)}"
    )
    root.add(f"definition {found.version}: {escape(found.clause)}")
    if found.factor_set is not None:
        late = ", applied to years before it came into force" if found.retrospective else ""
        root.add(f"factors {found.factor_set}{late}: {escape(found.factor_set_source or '')}")
    root.add(
        f"coverage {found.coverage_ratio:.1%}, estimated {found.estimated_ratio:.1%}, {found.months} of 12 months known"
    )
    unit = "kgce" if found.factor_set else found.terms[0].unit if found.terms else ""
    above = root.add(f"numerator {figure(found.numerator, 3)} {unit} =")
    for term in found.terms:
        _add(above, term, unit)
    root.add(f"divided by {escape(found.divisor_is)}: {figure(found.divisor, 2)}")
    return root


def _add(above: Tree, term: "Term", unit: str) -> None:
    weighed = f" x {term.factor:g} = {figure(term.weighed, 3)} {unit}" if term.factor is not None else " (no factor)"
    branch = above.add(
        f"{escape(term.account)}: {figure(term.amount, 3)} {term.unit}{weighed}, coverage {term.coverage_ratio:.1%}, "
        f"estimated {term.estimated_ratio:.1%}"
    )
    if term.factor_source:
        branch.add(escape(term.factor_source))
    for meter in term.meters:
        without = f", without {', '.join(meter.taken_out)}" if meter.taken_out else ""
        months = "  ".join(figure(month, 0) for month in meter.months)
        leaf = branch.add(f"{escape(meter.point)}: {figure(meter.amount, 3)} {term.unit}{escape(without)}")
        leaf.add(f"[dim]{months}[/dim]")
