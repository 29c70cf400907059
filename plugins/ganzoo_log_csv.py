"""`--callback csv`: metrics.csv and evaluations.csv in the run folder, for spreadsheets."""

import csv
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ganzoo


class CSV(ganzoo.CallbackConfig):
    """Writes metrics.csv and evaluations.csv into the run folder: the .jsonl files there as tables."""

    kind = "csv"

    def build(self) -> ganzoo.Callback:
        return CSVLogger()


class CSVLogger(ganzoo.Callback):
    """Appends rows to the tables during training."""

    def on_train_start(self, trainer: ganzoo.Trainer, folder: ganzoo.RunFolder) -> None:
        self.tables = [CSVTable(folder, file) for file in (folder.metrics, folder.evaluations)]
        for table in self.tables:
            table.rewrite()

    def on_log(self, trainer: ganzoo.Trainer, row: dict[str, float]) -> None:
        self.tables[0].add(row)

    def on_evaluate(self, trainer: ganzoo.Trainer, line: dict[str, Any]) -> None:
        self.tables[1].add(line)

    def on_rollback(self, trainer: ganzoo.Trainer) -> None:
        for table in self.tables:
            table.rewrite()


class CSVTable:
    """JSON lines file as a table, with a column for every value that occurs.

    A rollback to a checkpoint removes the same lines from both.
    """

    def __init__(self, folder: ganzoo.RunFolder, source: Path) -> None:
        self.folder, self.source, self.file = folder, source, source.with_suffix(".csv")
        self.columns: dict[str, None] = {}

    def rewrite(self) -> None:
        """Write the table from all existing lines."""
        rows = [flat(line) for line in self.folder.lines(self.source)]
        self.columns = dict.fromkeys(name for row in rows for name in row)
        if rows or self.file.exists():
            self.folder.write(self.file, self._text(dict(zip(self.columns, self.columns, strict=True)), *rows))

    def add(self, line: Mapping[str, Any]) -> None:
        """Append the last line of its source. A line with new columns, as of rare losses, rewrites the table."""
        row = flat(line)
        if row.keys() <= self.columns.keys():
            with self.file.open("a", encoding="utf-8", newline="") as stream:
                stream.write(self._text(row))
        else:
            self.rewrite()

    def _text(self, *rows: Mapping[str, Any]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, list(self.columns), restval="", lineterminator="\n").writerows(rows)
        return text.getvalue()


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of nested tables by dotted names."""
    row: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            row |= flat(value, f"{prefix}{name}.")
        else:
            row[f"{prefix}{name}"] = cell(value)
    return row


def cell(value: object) -> object:
    """Return a value as a cell of a table; NaN and infinity are left empty, as in JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return json.dumps(value) if isinstance(value, list) else value


@ganzoo.hookimpl
def register_callbacks(register: ganzoo.Register) -> None:
    register(CSV)
