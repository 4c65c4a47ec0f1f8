"""`kgce meter`: what a person knows about a meter: replaced, its place, its use, virtual ones."""

import getpass
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from kgce.cli.database import DEFAULT_DB, Database, DbOption, JsonOption, StoreOption, database
from kgce.cli.figures import instant_ms
from kgce.cli.terminal import figure, print_json, print_table, say
from kgce.domain.roles import Use

if TYPE_CHECKING:
    from kgce.domain.tree import Point

app = typer.Typer(help="What is known about meters besides their readings.", no_args_is_help=True)

InstitutionOption = Annotated[str, typer.Option("--institution", help="Institution id.", show_default=False)]
PointOption = Annotated[str, typer.Option("--point", help="Device, or device.quantity.", show_default=False)]
NoteOption = Annotated[str, typer.Option("--note", help="Why; kept with the change.")]


@app.command("replace")
def replace_meter(
    institution: InstitutionOption,
    point: PointOption,
    at: Annotated[str, typer.Option("--at", help="When the new meter began to count: ISO 8601 with offset.")],
    old_last: Annotated[float, typer.Option("--old-last", help="What the old meter showed last, in the point's unit.")],
    new_first: Annotated[float, typer.Option("--new-first", help="What the new meter showed first.")],
    note: NoteOption = "",
    force: Annotated[bool, typer.Option("--force", help="Keep it although readings contradict it.")] = False,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Another meter hangs there since then: no interval is lost, none is counted twice.

    Example: kgce meter replace --institution town-hall --point main --at 2019-06-03T10:15+08:00 --old-last 48211.4
    --new-first 0.2
    """
    from kgce.analytics.declared import contradictions
    from kgce.domain.changes import MeterChange
    from kgce.domain.errors import InputError

    with database(db, store) as opened:
        found, zone = _point(opened, institution, point)
        change = MeterChange(
            *found.series.key, instant_ms(at, zone, "--at"), old_last=old_last, new_first=new_first,
            note=note, by=getpass.getuser(),
        )  # fmt: skip
        against = contradictions(opened.store, change)
        if against and not force:
            raise InputError(f"{'; '.join(against)}: correct the levels or the time, or add --force")
        number = opened.registry.save_change(change)
    _told({"number": number, **_change_json(change), "contradictions": against}, f"kept as change {number}", json=json)


@app.command("unit")
def change_unit(
    institution: InstitutionOption,
    point: PointOption,
    at: Annotated[str, typer.Option("--at", help="Since when: ISO 8601 with offset.")],
    factor: Annotated[float, typer.Option("--factor", help="The point's unit per shown unit: 0.001 for Wh of a kWh.")],
    note: NoteOption = "",
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """The same register is shown in another unit since then.

    Example: kgce meter unit --institution town-hall --point main --at 2019-06-03T10:15+08:00 --factor 0.001
    """
    from kgce.domain.changes import ChangeKind, MeterChange

    with database(db, store) as opened:
        found, zone = _point(opened, institution, point)
        change = MeterChange(
            *found.series.key, instant_ms(at, zone, "--at"), ChangeKind.UNIT, factor=factor,
            note=note, by=getpass.getuser(),
        )  # fmt: skip
        number = opened.registry.save_change(change)
    _told({"number": number, **_change_json(change)}, f"kept as change {number}", json=json)


@app.command("confirm")
def confirm_reset(
    institution: InstitutionOption,
    point: PointOption,
    at: Annotated[str, typer.Option("--at", help="When its register fell: a date, or ISO 8601 with offset.")],
    note: NoteOption = "",
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Somebody looked: the register really fell. What was used in between stays unknown; the finding is answered.

    Example: kgce meter confirm --institution town-hall --point main --at 2019-06-03 --note "power cut"
    """
    from kgce.domain.changes import ChangeKind, MeterChange

    with database(db) as opened:
        found, zone = _point(opened, institution, point)
        moment = instant_ms(at, zone, "--at")
        change = MeterChange(*found.series.key, moment, ChangeKind.RESET_CONFIRMED, note=note, by=getpass.getuser())
        number = opened.registry.save_change(change)
    _told({"number": number, **_change_json(change)}, f"kept as change {number}", json=json)


@app.command("changes")
def list_changes(
    institution: Annotated[str | None, typer.Option("--institution", help="Only this one's.")] = None,
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Declared changes with their numbers.

    Example: kgce meter changes --institution town-hall
    """
    with database(db) as opened:
        rows = opened.registry.changes(institution)
    documents = [{"number": row.number, **_change_json(row.change)} for row in rows]
    if json:
        print_json(documents)
        return
    print_table(
        "declared changes",
        ("number", "institution", "point", "at", "kind", "old last", "new first", "factor", "by", "note"),
        [
            (str(one["number"]), one["institution"], one["point"], one["at"], one["kind"],
             figure(one["old_last"], 3), figure(one["new_first"], 3), f"{one['factor']:g}", one["by"], one["note"])
            for one in documents
        ],
        right=("number", "old last", "new first", "factor"),
        wrap=("note",),
    )  # fmt: skip


@app.command("undo")
def undo(
    number: Annotated[int, typer.Argument(help="Of the change; see kgce meter changes.", show_default=False)],
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Take a declared change back.

    Example: kgce meter undo 3
    """
    with database(db) as opened:
        change = opened.registry.remove_change(number)
    _told({"number": number, **_change_json(change)}, f"change {number} is taken back", json=json)


@app.command("set")
def set_role(
    institution: InstitutionOption,
    point: PointOption,
    item: Annotated[str | None, typer.Option("--item", help="End-use item: A, B, C, D or finer; '' for none.")] = None,
    use: Annotated[Use | None, typer.Option("--use", help="Whose consumption it is, and what for.")] = None,
    behind: Annotated[str | None, typer.Option("--behind", help="The meter it hangs behind; '' for none.")] = None,
    width: Annotated[
        float | None, typer.Option("--width", help="Value at which its register starts again at 0; 0 = not known.")
    ] = None,
    most_per_hour: Annotated[
        float | None, typer.Option("--most-per-hour", help="More than its supply can deliver in an hour; 0 = unknown.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Begin of its service; '' for always.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="End of its service; '' for none.")] = None,
    counts: Annotated[
        bool | None, typer.Option("--counts/--inside", help="Part of the total, or inside another meter's.")
    ] = None,
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Say what a meter is: its item, its use, the meter it hangs behind, its width, its time of service.

    Example: kgce meter set --institution town-hall --point chillers --item B1 --behind main
    """
    with database(db) as opened:
        found, zone = _point(opened, institution, point)
        given: dict[str, Any] = {"item": item, "use": use, "counts": counts}
        given["width"], given["most_per_hour"] = width, most_per_hour
        given |= {name: None if text is None else (instant_ms(text, zone, f"--{name[:5]}") if text else 0)
                  for name, text in (("since_ms", since), ("until_ms", until))}  # fmt: skip
        if behind is not None:
            given["parent"] = _point(opened, institution, behind)[0].series.point_id if behind else ""
        named = {name: value for name, value in given.items() if value is not None}
        for name in ("width", "most_per_hour", "since_ms", "until_ms"):
            if named.get(name) == 0:
                named[name] = None
        role = replace(found.role, **named)
        opened.registry.save_roles({found.series.key: role})
    _told(
        {"institution": institution, "point": found.series.point_id, **asdict(role)},
        f"{institution} {found.series.point_id}: kept", json=json,
    )  # fmt: skip


@app.command("virtual")
def virtual(
    institution: InstitutionOption,
    name: Annotated[str, typer.Option("--name", help="Name of the virtual meter.", show_default=False)],
    expression: Annotated[
        str, typer.Option("--is", help="Sums and differences of points: main - tenant; '' takes it away.")
    ],
    carrier: Annotated[str, typer.Option("--carrier", help="What it measures.")] = "electricity",
    item: Annotated[str, typer.Option("--item", help="End-use item: A, B, C, D or finer.")] = "",
    use: Annotated[Use, typer.Option("--use", help="Whose consumption it is, and what for.")] = Use.OWN,
    counts: Annotated[bool, typer.Option("--counts/--inside", help="Part of the carrier's total.")] = False,
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """A meter that hangs nowhere, made of others.

    Example: kgce meter virtual --institution town-hall --name lighting --is "main - chillers - lifts" --item A
    """
    from kgce.analytics.declared import checked_virtual
    from kgce.domain.carriers import carrier_of
    from kgce.domain.metering import VirtualMeter

    with database(db) as opened:
        opened.registry.institution(institution)
        if not expression:
            opened.registry.remove_virtual_meter(institution, name)
            _told({"institution": institution, "name": name, "removed": True}, f"{name} is taken away", json=json)
            return
        meter = VirtualMeter(institution, name, carrier_of(carrier).code, expression, item, use, counts=counts)
        meter = checked_virtual(meter, opened.registry.points(institution))
        opened.registry.save_virtual_meters([meter])
    _told(asdict(meter), f"{institution} {name} = {meter.expression}: kept", json=json)


def _point(opened: Database, institution: str, point: str) -> "tuple[Point, ZoneInfo]":
    from kgce.analytics.figures import find_point

    zone = ZoneInfo(opened.registry.institution(institution).timezone)
    return find_point(opened.registry, institution, point), zone


def _change_json(change: Any) -> dict[str, Any]:
    from kgce.cli.figures import iso

    document = asdict(change)
    at = iso(document.pop("at_ms"), ZoneInfo("UTC"))
    point = f"{document.pop('device')}.{document.pop('quantity')}"
    return {"institution": document.pop("institution"), "point": point, "at": at, **document}


def _told(document: dict[str, Any], sentence: str, *, json: bool) -> None:
    if json:
        print_json(document)
    else:
        say(f"{sentence}; kgce analyze works it in")
