"""`kgce letters`: messages the centre could not take: look at them, try them again, throw them away."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from kgce.cli.database import DEFAULT_DB, JsonOption
from kgce.cli.terminal import print_json, print_table, say

app = typer.Typer(help="Messages `kgce ingest` could not take.", no_args_is_help=True)

FolderOption = Annotated[Path, typer.Option("--folder", help="Where kgce ingest puts them.")]
_FOLDER = Path("kgce-letters")
_SHOWN = 60  # signs of a payload


@app.command()
def show(folder: FolderOption = _FOLDER, json: JsonOption = False) -> None:
    """Every letter with its reason, newest last.

    Example: kgce letters show
    """
    from kgce.collectors.ingest.letters import letters_in

    found = list(letters_in(folder))
    if json:
        fields = ("at", "topic", "gateway", "reason")
        documents = [{name: getattr(one, name) for name in fields} for one in found]
        texts = (one.payload.decode(errors="replace") for one in found)
        print_json([{**document, "payload": text} for document, text in zip(documents, texts, strict=True)])
        return
    rows = [(one.at, one.topic, one.reason, one.payload[:_SHOWN].decode(errors="replace")) for one in found]
    print_table("dead letters", ("at", "topic", "reason", "begins with"), rows, wrap=("reason", "begins with"))
    for reason, count in Counter(one.reason for one in found).most_common():
        say(f"{count:,} times: {reason}")


@app.command()
def retry(
    folder: FolderOption = _FOLDER,
    store: Annotated[
        str, typer.Option("--store", envvar="KGCE_STORE", help="Folder, or http://HOST:PORT/DATABASE.")
    ] = str(DEFAULT_DB),
    json: JsonOption = False,
) -> None:
    """Try every letter once more, say after an upgrade; those that are taken now are removed.

    Example: kgce letters retry --store http://127.0.0.1:8086/kgce
    """
    import time

    from kgce.collectors.ingest.letters import DeadLetters, clear, letters_in
    from kgce.collectors.uplink import event_message, message, topics
    from kgce.domain.errors import NeverWorks
    from kgce.domain.ports import AppendResult
    from kgce.store.open import open_store

    at = open_store(store if "://" in store else Path(store), is_shared=True)
    result, left = AppendResult(), []
    try:
        found = list(letters_in(folder))
        for one in found:
            try:
                if one.topic.endswith(f"/{topics.EVENT}"):
                    at.append_events(one.gateway, event_message.decode(one.payload))
                else:
                    result += at.append(message.decode(one.payload).batch)
            except NeverWorks as error:
                left.append((one, str(error)))
    finally:
        at.close()
    clear(folder)
    again = DeadLetters(folder, clock=time.time)
    for one, reason in left:
        again.put(one.topic, one.gateway, one.payload, reason)
    if json:
        print_json({"taken": len(found) - len(left), "left": len(left), "stored": result.stored})
    else:
        say(f"{len(found) - len(left):,} letters taken ({result.stored:,} readings stored), {len(left):,} left")


@app.command()
def discard(folder: FolderOption = _FOLDER) -> None:
    """Throw every letter away.

    Example: kgce letters discard
    """
    from kgce.collectors.ingest.letters import clear, letters_in

    count = len(list(letters_in(folder)))
    clear(folder)
    say(f"{count:,} letters thrown away")
