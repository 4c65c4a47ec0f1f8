"""What a panel or page says about itself, in the languages of its readers."""

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """A language dashboards are written in."""

    EN = "en"
    ZH = "zh"


@dataclass(frozen=True, slots=True)
class Heading:
    """Title and one honest sentence, each in English and Chinese."""

    title: str
    title_zh: str
    about: str
    about_zh: str

    def title_in(self, language: Language) -> str:
        """The title as its reader's language has it."""
        return self.title_zh if language is Language.ZH else self.title

    def about_in(self, language: Language) -> str:
        """The sentence as its reader's language has it."""
        return self.about_zh if language is Language.ZH else self.about


@dataclass(frozen=True, slots=True)
class Words:
    """A short name in both languages."""

    en: str
    zh: str

    def __getitem__(self, language: Language) -> str:
        return self.zh if language is Language.ZH else self.en
