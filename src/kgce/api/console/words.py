"""What the console says, in English and Chinese."""

import re
from enum import StrEnum
from typing import Final

from kgce.domain.carriers import CARRIERS
from kgce.domain.factors import factor_sets


class Language(StrEnum):
    """A language the console speaks."""

    EN = "en"
    ZH = "zh"


_WORDS: Final[dict[str, tuple[str, str]]] = {
    "tagline": ("energy of public institutions", "公共机构能耗监测"),
    "dark": ("Dark or light", "深色/浅色"),
    "other_language": ("中文", "English"),
    "live": ("Live power", "实时功率"),
    "now": ("now, sum of main meters", "当前，总表之和"),
    "meters_fresh": ("{fresh} of {all} main meters reporting ({share})", "{all} 块总表中 {fresh} 块在线（{share}）"),
    "oldest": ("oldest value {age}", "最旧数据 {age}"),
    "last_minutes": ("last 10 minutes, kW", "最近 10 分钟，kW"),
    "age": ("{age} ago", "{age}前"),
    "no_fresh": ("no fresh value, last one {age} ago", "无新数据，最后一次 {age}前"),
    "more_buildings": ("and {count} more buildings", "另有 {count} 栋建筑"),
    "no_live": (
        "No live reading yet. Start a gateway: kgce demo, or kgce edge run FILE.toml",
        "尚无实时数据。请启动网关：kgce demo 或 kgce edge run FILE.toml",
    ),
    "today": ("Today by carrier", "今日分品种能耗"),
    "today_span": ("{day}, {start} – {end}, {count} institutions with live readings, factors: {set}",
                   "{day}，{start} – {end}，{count} 家有实时数据的机构，折标系数：{set}"),
    "carrier": ("Carrier", "能源品种"),
    "amount": ("Amount", "用量"),
    "kgce": ("Standard coal", "标准煤"),
    "coverage": ("Coverage", "数据覆盖率"),
    "total": ("Total", "合计"),
    "no_today": (
        "Nothing metered today yet. Figures appear once a gateway has delivered readings for some minutes.",
        "今日尚无计量数据。网关上传数据几分钟后即可显示。",
    ),
    "ranking": ("Ranking", "能效排名"),
    "year": ("Year", "年份"),
    "indicator": ("Indicator", "指标"),
    "class": ("Class", "机构类别"),
    "all_classes": ("All classes", "全部类别"),
    "factor_set": ("Factor set", "折标系数"),
    "search": ("Search", "搜索"),
    "rank": ("Rank", "名次"),
    "name": ("Institution", "机构"),
    "value": ("Value", "数值"),
    "percentile": ("Percentile", "百分位"),
    "reason": ("Why not ranked", "未参与排名原因"),
    "ranked_of": ("{ranked} of {all} institutions ranked; the least use is rank 1; year {year}; {unit}",
                  "{all} 家机构中 {ranked} 家参与排名；用量最低为第 1 名；{year} 年；{unit}"),
    "top": ("The {count} lowest, {unit}, with coverage", "最低的 {count} 家，{unit}，附覆盖率"),
    "retrospective": (
        "Retrospective: {set} came into force on {since}, after {year}.",
        "追溯计算：{set} 自 {since} 起施行，晚于 {year} 年。",
    ),
    "no_institution": (
        "No institution yet: kgce import registry FILE.csv",
        "尚无机构数据：kgce import registry FILE.csv",
    ),
    "no_rank": (
        "Nobody can be ranked for this choice; the last column says why.",
        "此条件下没有机构可参与排名，原因见最后一列。",
    ),
    "no_match": ("Nothing matches the search.", "没有符合搜索条件的机构。"),
    "computing": ("Computing the ranking …", "正在计算排名……"),
    "unavailable": ("Not available now: {error}", "暂时不可用：{error}"),
    "quality": ("Data quality", "数据质量"),
    "no_gateway": (
        "No gateway in this process. Start one: kgce demo, or kgce edge run FILE.toml",
        "本进程没有网关。请启动：kgce demo 或 kgce edge run FILE.toml",
    ),
    "balanced": ("Every reading is accounted for", "每条读数均已核对"),
    "unbalanced": ("Readings are unaccounted for", "有读数去向不明"),
    "since_start": ("readings since the gateway's buffer was created", "自网关缓存建立以来的读数条数"),
    "polled": ("polled", "采集"),
    "stored": ("stored", "入库"),
    "duplicate": ("duplicate", "重复"),
    "refused": ("refused", "拒收"),
    "dropped": ("dropped", "丢弃"),
    "waiting": ("waiting", "待传"),
    "uplink": ("Uplink to the store: {state}", "上传通道：{state}"),
    "state_up": ("up", "正常"),
    "state_down": ("down", "中断"),
    "state_idle": ("nothing handed over yet", "尚未上传"),
    "devices_online": ("all {all} devices online", "{all} 台设备全部在线"),
    "devices_offline": ("{offline} of {all} devices offline: {names}", "{all} 台设备中 {offline} 台离线：{names}"),
    "findings": ("Findings about imported data: {count}", "导入数据发现的问题：{count}"),
    "energy_per_area": ("Energy per area", "单位建筑面积能耗"),
    "energy_per_capita": ("Energy per capita", "人均综合能耗"),
    "water_per_capita": ("Water per capita", "人均用水量"),
    "non_heating_per_area": ("Non-heating energy per area", "单位建筑面积非供暖能耗"),
    "heating_per_heated_area": ("Heating per heated area", "单位供暖面积供暖能耗"),
    "conventional_electricity_per_area": ("Conventional electricity per area", "单位建筑面积常规用电量"),
    "eue": ("Data centre EUE", "数据中心EUE"),
    "not_stated": ("not stated", "未注明"),
    "seconds": ("{n} s", "{n} 秒"),
    "minutes": ("{n} min", "{n} 分钟"),
    "hours": ("{n} h", "{n} 小时"),
    "days": ("{n} d", "{n} 天"),
}  # fmt: skip

# Reasons come from the figures in English words; what they name stays as it is.
_REASONS_ZH: Final = (
    (re.compile(r"no attributes for (\d+): kgce import registry"), r"\1 年无机构信息：kgce import registry"),
    (re.compile(r"no energy readings in (\d+)"), r"\1 年无能耗数据"),
    (re.compile(r"no water readings in (\d+)"), r"\1 年无用水数据"),
    (re.compile(r"no heating readings in (\d+)"), r"\1 年无供暖数据"),
    (re.compile(r"no electricity readings in (\d+)"), r"\1 年无用电数据"),
    (re.compile(r"no data centre readings in (\d+)"), r"\1 年无数据中心数据"),
    (re.compile(r"what is to be taken out is not known for (\d+)"), r"\1 年应扣除的部分未知"),
    (re.compile(r"no heated area stated for (\d+)"), r"\1 年未填供暖面积"),
    (re.compile(r"no floor area without special systems stated for (\d+)"), r"\1 年未填建筑面积"),
    (re.compile(r"no electricity of the computers stated for (\d+)"), r"\1 年无信息设备用电数据"),
    (re.compile(r"factor set (\S+) has no factor for (.+)"), r"折标系数 \1 不含：\2"),
    (re.compile(r"no floor area stated for (\d+)"), r"\1 年未填建筑面积"),
    (re.compile(r"no number of people stated for (\d+)"), r"\1 年未填用能人数"),
    (re.compile(r"coverage ([\d.]+) is below ([\d.]+)"), r"覆盖率 \1 低于 \2"),
)
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


class Words:
    """The console's words in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 0 if language is Language.EN else 1

    def __call__(self, word: str, **values: object) -> str:
        """The text behind a word, its places filled."""
        return _WORDS[word][self._column].format(**values)

    def age(self, age_s: float) -> str:
        """`3 s`, `5 min`, `2 h`, `4 d`."""
        seconds = max(0, round(age_s))
        for word, length_s, until_s in (
            ("seconds", 1, 2 * _MINUTE_S),
            ("minutes", _MINUTE_S, 2 * _HOUR_S),
            ("hours", _HOUR_S, 2 * _DAY_S),
        ):
            if seconds < until_s:
                return self(word, n=seconds // length_s)
        return self("days", n=seconds // _DAY_S)

    def carrier(self, code: str) -> str:
        """Name of a carrier."""
        return CARRIERS[code].name_en if self.language is Language.EN else CARRIERS[code].name_zh

    def factor_set(self, set_id: str) -> str:
        """Name of a factor set."""
        found = factor_sets()[set_id]
        return found.name_en if self.language is Language.EN else found.name_zh

    def reason(self, reason: str) -> str:
        """Why an institution is not ranked; words nobody has translated stay English."""
        if self.language is Language.ZH:
            for pattern, text in _REASONS_ZH:
                if pattern.fullmatch(reason):
                    return pattern.sub(text, reason)
        return reason


def choose_language(asked: str | None, accepted: str) -> Language:
    """`?lang=` decides; else the first language of Accept-Language we speak; else English."""
    for tag in (asked or "", *(part.split(";")[0] for part in accepted.split(","))):
        primary = tag.strip().lower().split("-")[0]
        if primary in set(Language):
            return Language(primary)
    return Language.EN
