"""What a value on each panel can be in a small county of three buildings; generous, but a wrong unit is outside.

Three buildings of at most 20 000 m2 at 180 kWh/m2a (hospital, upper end) draw 3 x 20 000 x 180 / 8760 = 1 230 kW on
average; a peak of twice that is 2 500 kW. Watts instead of kilowatts would be 100 times outside. Standard coal of a day
is at most 60 000 kWh x 0.1229 and as much again of gas; grams or tonnes would be outside.
"""

POWER_KW = (0.5, 2_500)
KGCE_A_DAY = (0.001, 16_000)
TABLE = (0, 1e6)  # several columns: values in kgce/m2, ranks, shares

BOUNDS: dict[str, tuple[float, float]] = {
    "Live power": POWER_KW,
    "Power by building": POWER_KW,
    "Electricity meters live": (1, 10),
    "Water meters live": (1, 10),
    "Boilers live": (1, 10),
    "Electricity in range": (1e-4, 2_500 * 24 * 7),
    "Electricity by hour": (0, 2_500),
    "Electricity by day": (0, 2_500 * 24),
    "Voltage by phase": (198, 250),  # 220 V or 230 V nominal; line-to-line would be 380 V
    "Current by phase": (0, 5_000),
    "Water flow": (0, 200),
    "Smallest flow of each day": (0, 50),
    "Water in range": (0, 200 * 24 * 7),
    "Water by day": (0, 200 * 24),
    "Gas in range": (0, 1_000 * 24 * 7),
    "Gas by day": (0, 1_000 * 24),
    "Highest fault code": (0, 0),
    "Stack loss": (0.5, 12),  # Siegert at 60 to 230 degC and 2 to 8 % O2
    "Flue-gas temperature": (0, 230),
    "Oxygen in the flue gas": (0, 21),
    "Flame signal": (0, 100),
    "Supply and return": (0, 130),
    "Firing rate": (0, 100),
    "Fuel throughput": (0, 2_000),
    "Starts by day": (0, 200),
    "Hours of operation by day": (0, 25),
    "Charger power": (0, 25),  # ABB Terra AC: three phases of 32 A at 230 V are 22.1 kW, at +10 % 24.3 kW
    "Power of all chargers": (0, 50),
    "Session energy": (0, 200),  # a battery
    "Current limit": (6, 32),
    "Chargers now": (0, 200),
    "Devices": (0, 1e8),
    "Readings by 10 minutes": (0, 700),  # one a second
    "Readings by kind": (0, 7_000),
    "Events by severity": (1, 100),
    "Newest events": (0, 0),  # texts
    "Energy in range": (0.001, 7 * 16_000),
    "Energy by day": KGCE_A_DAY,
    "Energy of twelve months": (0.001, 31 * 16_000),
    "Energy by region": (0.001, 31 * 16_000),
    "Electricity by institution": (0, 2_500 * 24),
    "Water by institution": (0, 200 * 24),
    "Lighting and sockets": (0, 2_500 * 24),
    "Air conditioning": (0, 2_500 * 24),
    "Power equipment": (0, 2_500 * 24),
    "Special uses": (0, 2_500 * 24),
    "Coverage": (0, 1),
    "Estimated share": (0, 1),
    "Coverage by region": (0, 1),
    "Institutions by coverage": (0, 1),
    "Regions": TABLE,
    "Energy per area": TABLE,
    "Energy per person": TABLE,
    "Water per person": TABLE,
    "Non-heating energy per area": TABLE,
    "Conventional electricity per area": TABLE,
}
