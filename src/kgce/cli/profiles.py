"""`kgce profiles`: device profiles listed, shown, checked, and made from register lists."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.database import JsonOption
from kgce.cli.terminal import print_json, print_table, say
from kgce.domain.errors import InputError

app = typer.Typer(
    help="Device profiles: which there are, what they say, new ones from register lists.", no_args_is_help=True
)


@app.command("list")
def list_(
    word: Annotated[str, typer.Argument(help="Only those whose name, brand or model has this in it.")] = "",
    json: JsonOption = False,
) -> None:
    """List the profiles shipped with kgce.

    Example: kgce profiles list schneider
    """
    from kgce.collectors.profile import load_profile, profile_names

    rows = [row for row in (_summary(name, load_profile(name)) for name in profile_names()) if _has(row, word)]
    if json:
        print_json(rows)
        return
    columns = ("name", "brand", "model", "measures", "points", "confidence", "note")
    shown = [tuple(str(row[column]) for column in columns) for row in rows]
    print_table(f"{len(rows)} profiles", columns, shown, right=("points",), wrap=("model",))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A shipped profile, or the path of a .toml file.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Show what a profile reads: registers, units, how sure it is, in how many requests.

    Example: kgce profiles show acrel-adl400
    """
    from kgce.collectors.modbus.plan import plan_reads
    from kgce.collectors.profile import load_profile

    profile = load_profile(name)
    reads = [{"table": read.table, "address": read.address, "count": read.count} for read in plan_reads(profile)]
    points = [_point(profile, point) for point in profile.point]
    if json:
        device = profile.device.model_dump(exclude_defaults=True)
        print_json(
            {"name": name, "device": device, "points": points, "requests": reads, "remarks": list(profile.remarks())}
        )
        return
    columns = ("name", "table", "address", "document", "type", "order", "scale", "unit", "kind", "confidence", "note")
    shown = [tuple(str(row[column]) for column in columns) for row in points]
    title = f"{profile.device.brand} {profile.device.model}: {len(points)} points, {len(reads)} requests per poll"
    print_table(title, columns, shown, right=("address", "document", "scale"), wrap=("note",))
    say(f"source: {profile.device.source}")
    for rule in profile.identify:
        say(f"identified by {rule.register_.table} register {rule.register_.address}: {rule.expected}")
    for remark in profile.remarks():
        say(remark)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Profile files (TOML).", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Check profile files wholly, without a device.

    Exit code 0: all can be used; 2: one is wrong.

    Example: kgce profiles check my-meter.toml
    """
    rows = [_checked(file) for file in files]
    if json:
        print_json(rows)
    else:
        shown = [
            (row["file"], str(row["points"]), row["problem"] or "; ".join(row["remarks"]) or "nothing wrong")
            for row in rows
        ]
        print_table("", ("file", "points", "found"), shown, right=("points",), wrap=("found",))
    if any(row["problem"] for row in rows):
        raise typer.Exit(2)


def _checked(file: Path) -> dict[str, Any]:
    from kgce.collectors.profile import load_profile
    from kgce.domain.errors import ProfileError

    if file.suffix != ".toml":
        return {"file": str(file), "points": 0, "problem": "the name of a profile's file ends in .toml", "remarks": []}
    try:
        profile = load_profile(str(file))
    except ProfileError as error:
        return {"file": str(file), "points": 0, "problem": str(error), "remarks": []}
    return {"file": str(file), "points": len(profile.point), "problem": "", "remarks": list(profile.remarks())}


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV: device,kind,name,fc,address,type,word_order,scale,unit,...", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder the profiles are written to.")] = Path(),
    notation: Annotated[
        str, typer.Option("--notation", help="Addresses count as: wire, document (from 1), 4xxxx.")
    ] = "wire",
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a profile for every device of a register list, and say what had to be assumed.

    Exit code 0: every row is in a profile; 1: some rows are not, with the reason.

    Example: kgce profiles import registers.csv --out profiles
    """
    from kgce.collectors.profile_import.notations import Notation
    from kgce.collectors.profile_import.table import import_profiles

    if notation not in set(Notation):
        raise InputError(f"notation {notation!r} is not known; use {', '.join(Notation)}")
    found = import_profiles(file, Notation(notation))
    files = {out / f"{one.name}.toml": one for one in found}
    _write({path: one.text for path, one in files.items()}, force=force)
    rows: list[dict[str, Any]] = []
    for path, one in files.items():
        rows.append({"device": one.device, "profile": str(path), "points": len(one.profile.point),
                     "assumed": list(one.assumed), "refused": list(one.refused)})  # fmt: skip
    if json:
        print_json(rows)
    else:
        _tell(rows)
    if any(row["refused"] for row in rows):
        raise typer.Exit(1)


def _write(texts: Mapping[Path, str], *, force: bool) -> None:
    """All files or none."""
    for path, text in texts.items():
        if path.exists() and not force and path.read_text(encoding="utf-8") != text:
            raise InputError(f"{path} is there already and differs; --force replaces it")
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from None


def _tell(rows: list[dict[str, Any]]) -> None:
    columns = ("device", "profile", "points", "assumed", "refused")
    shown = [
        (
            row["device"],
            row["profile"],
            str(row["points"]),
            str(len(row["assumed"]) or ""),
            str(len(row["refused"]) or ""),
        )
        for row in rows
    ]
    print_table(
        f"{len(rows)} profiles", columns, shown, right=("points", "assumed", "refused"), wrap=("device", "profile")
    )
    for row in rows:
        for line in row["refused"]:
            say(f"{row['device']}: not in the profile: {line}")
        for line in row["assumed"]:
            say(f"{row['device']}: assumed: {line}")


def _summary(name: str, profile: Any) -> dict[str, Any]:
    carriers = ", ".join(point.name for point in profile.metering)
    return {
        "name": name,
        "brand": profile.device.brand,
        "model": profile.device.model,
        "measures": carriers or profile.device.measurement,
        "points": len(profile.point),
        "confidence": profile.device.confidence,
        "note": _sureness(profile),
    }


def _sureness(profile: Any) -> str:
    unsure = Counter(point.unverified for point in profile.point)[True]
    if profile.device.unverified or unsure == len(profile.point):
        return "unverified"
    return f"{unsure} points unverified" if unsure else ""


def _has(row: dict[str, Any], word: str) -> bool:
    return any(word.casefold() in str(row[column]).casefold() for column in ("name", "brand", "model", "measures"))


def _point(profile: Any, point: Any) -> dict[str, Any]:
    place = point.register_
    unsure = ["unverified"] if point.unverified else []
    read = [] if point.poll else ["not polled"]
    return {
        "name": point.name,
        "table": place.table,
        "address": place.address,
        "document": place.address + profile.device.base,
        "type": place.type,
        "order": profile.order(point) if place.words > 1 else "",
        "scale": point.scale,
        "unit": point.unit,
        "kind": str(point.kind),
        "confidence": point.confidence,
        "note": "; ".join([*unsure, *read, *([point.note] if point.note else [])]),
    }
