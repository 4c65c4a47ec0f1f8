"""InfluxQL text and the Grafana target that carries it; selections.py composes queries from these parts.

Grafana replaces `$timeFilter`, `$__interval` and `${name:regex}` when it runs a query; panels.py shows how.
"""

from typing import Final, Self

from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.models.dashboard import DataSourceRef

DATASOURCE_TYPE: Final = "influxdb"
DATASOURCE: Final = DataSourceRef(type_val=DATASOURCE_TYPE, uid="${datasource}")


def identifier(name: str) -> str:
    """A measurement, tag or field name, double-quoted.

    Raises:
        ValueError: the name is empty or holds a line break, which InfluxQL cannot quote.
    """
    return f'"{_escaped(name, quote=chr(34))}"'


def string(text: str) -> str:
    """A string literal, single-quoted.

    Raises:
        ValueError: the text is empty or holds a line break.
    """
    return f"'{_escaped(text, quote=chr(39))}'"


def _escaped(text: str, *, quote: str) -> str:
    if not text or "\n" in text:
        raise ValueError(f"InfluxQL cannot quote {text!r}")
    return text.replace("\\", "\\\\").replace(quote, f"\\{quote}")


def selected(tag: str) -> str:
    """Condition: the tag is one of the values chosen in the dashboard variable of the same name."""
    return f"{identifier(tag)} =~ /^${{{tag}:regex}}$/"


class InfluxQuery(cogvariants.Dataquery):
    """One InfluxQL query of a panel, in the JSON shape Grafana's InfluxDB data source reads."""

    def __init__(self, influxql: str) -> None:
        self.influxql = influxql
        self.ref_id = "A"
        self.alias = ""
        self.result_format = "time_series"

    def to_json(self) -> dict[str, object]:
        """The target as Grafana stores it."""
        payload: dict[str, object] = {
            "datasource": DATASOURCE.to_json(),
            "query": self.influxql,
            "rawQuery": True,
            "refId": self.ref_id,
            "resultFormat": self.result_format,
        }
        return payload | ({"alias": self.alias} if self.alias else {})


class InfluxTarget(cogbuilder.Builder[cogvariants.Dataquery]):
    """Builder of an InfluxQuery, for `with_target` of the SDK's panels."""

    def __init__(self, influxql: str) -> None:
        self._query = InfluxQuery(influxql)

    def build(self) -> InfluxQuery:
        """The finished target."""
        return self._query

    def ref(self, ref_id: str) -> Self:
        """Name of the query within its panel: A, B, ..."""
        self._query.ref_id = ref_id
        return self

    def alias(self, alias: str) -> Self:
        """Name of each line; `$tag_building` stands for the line's tag."""
        self._query.alias = alias
        return self

    def as_table(self) -> Self:
        """Rows and columns instead of lines over time."""
        self._query.result_format = "table"
        return self
