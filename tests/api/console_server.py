"""A console on the seeded county, run as a process of its own; publishes what it is told on standard input.

python -m tests.api.console_server FOLDER PORT; a line `school-1 42.5` publishes 42.5 kW at school-1's main meter,
`register hall-2 2022` registers an institution of that one year.
FOLDER is made on the first run; the clock starts at NOW of the seed.
"""

import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from kgce.api.app import Context, create_app
from kgce.api.live import LiveHub
from kgce.api.server import serve
from kgce.domain.tree import Institution, YearlyAttributes
from kgce.store.open import open_registry, open_store
from tests.api.seeded import NOW, SHANGHAI, power

STATUS = {
    "counters": {"polled": 1200, "stored": 1150, "duplicate": 30, "refused": 12, "dropped": 3, "waiting": 5},
    "uplink": {"state": "up", "last_error": ""},
    "devices": [
        {"institution": "school-1", "device": "main", "online": True},
        {"institution": "school-2", "device": "main", "online": False},
    ],
}


def main(folder: Path, port: int) -> None:
    begun_s = time.monotonic()

    def clock() -> float:
        return NOW.timestamp() + time.monotonic() - begun_s

    hub = LiveHub()

    with open_store(folder) as store, open_registry(folder) as registry:

        def listen() -> None:
            for line in sys.stdin:
                match line.split():
                    case ["register", institution, year]:
                        registry.save_institutions([Institution(institution, institution)])
                        registry.save_attributes([YearlyAttributes(institution, int(year), "hall")])
                    case [institution, power_kw]:
                        hub.publish(power(institution, float(power_kw), datetime.fromtimestamp(clock(), SHANGHAI)))

        threading.Thread(target=listen, daemon=True).start()
        context = Context(
            store=store,
            registry=registry,
            hub=hub,
            gateway_status=lambda: STATUS,
            clock=clock,
            data_note="seeded for tests",
        )
        serve(create_app(context), port=port)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
