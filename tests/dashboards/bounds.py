"""What a value on each panel can be in a small county of three buildings; generous, but a wrong unit is outside.

Three buildings of at most 20 000 m2 at 180 kWh/m2a (hospital, upper end) draw 3 x 20 000 x 180 / 8760 = 1 230 kW on
average; a peak of twice that is 2 500 kW. Watts instead of kilowatts would be 100 times outside.
"""

POWER_KW = (0.5, 2_500)

BOUNDS: dict[str, tuple[float, float]] = {
    "Live power": POWER_KW,
    "Power by building": POWER_KW,
    "Electricity meters live": (1, 10),
    "Water meters live": (1, 10),
    "Electricity in range": (1e-4, 2_500 * 24 * 7),
    "Electricity by hour": (0, 2_500),
    "Electricity by day": (0, 2_500 * 24),
    "Voltage by phase": (198, 250),  # 220 V or 230 V nominal; line-to-line would be 380 V
    "Current by phase": (0, 5_000),
    "Water flow": (0, 200),
    "Water in range": (0, 200 * 24 * 7),
    "Water by day": (0, 200 * 24),
    "Gas in range": (0, 1_000 * 24 * 7),
    "Gas by day": (0, 1_000 * 24),
    "Boiler temperature": (0, 130),
    "Flame signal": (0, 100),
    "Fuel throughput": (0, 2_000),
    "Charger power": (0, 25),  # ABB Terra AC: three phases of 32 A at 230 V are 22.1 kW, at +10 % 24.3 kW
    "Session energy": (0, 200),  # a battery
    "Devices": (0, 1e8),
    "Readings by 10 minutes": (0, 700),  # one a second
}
