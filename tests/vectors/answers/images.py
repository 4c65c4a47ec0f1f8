"""A device's register image, read through its profile: imported from the register list beside the vectors, or shipped."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kgce.collectors.profile import Profile, load_profile, profile_names
from kgce.collectors.profile_image import ImageReading, readings_of_image
from kgce.collectors.profile_import.devices import profile_name
from kgce.collectors.profile_import.table import import_profiles

LISTS: list[Path] = []  # register lists, the first one that knows a device counts; filled by replay.py


def read(vector: Mapping[str, Any]) -> dict[str, Any]:
    """The readings the vector asks for, in its order; others the profile has here are left out."""
    registers = {int(address): int(word, 16) for address, word in vector["registers"].items()}
    found = readings_of_image(_profile(vector["device"]), registers)
    by_place = {(one.fc, one.address, one.name): one for one in found}
    asked = vector["expect"]["readings"]
    said = [by_place.get((row["fc"], row["address"], row["name"])) for row in asked]
    readings = [_said(one) if one is not None else {} for one in said]
    return {"readings": readings, "others": [one.name for one in found if one not in said]}


def _said(one: ImageReading) -> dict[str, Any]:
    return {**one._asdict(), "quality": "bad" if one.value is None else "good"}


def _profile(device: str) -> Profile:
    imported = _imported(tuple(LISTS))
    if device in imported:
        return imported[device]
    name = profile_name(device)
    return load_profile(name if name in profile_names() else _likeliest(device))


def _likeliest(device: str) -> str:
    """The shipped profile whose brand and model share most words with what a vector calls the device."""
    wanted = _words(device)
    return max(profile_names(), key=lambda name: len(wanted & _shipped(name)))


@cache
def _shipped(name: str) -> set[str]:
    about = load_profile(name).device
    return _words(f"{name} {about.brand} {about.model}")


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+\d*|\d+", text.lower()))


@cache
def _imported(lists: tuple[Path, ...]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for path in lists:
        for one in import_profiles(path):
            found.setdefault(one.device, one.profile)
    return found
