"""The table of a chart as a CSV file."""

from flask import Response

from admin.asked import Asked
from admin.charts.kinds import Column, Drawn
from admin.csv_cells import Cell, written
from admin.here import here
from admin.panel import in_major_units


def file_of(name: str, drawn: Drawn, asked: Asked) -> Response:
    """In the reader's language; days are ISO dates, amounts plain decimals with the currency in their heading."""
    header = [drawn.first, *(_heading(column, drawn.currency) for column in drawn.columns)]
    rows: list[list[Cell]] = [
        [
            row.key or row.label,
            *(
                in_major_units(value, column, drawn.currency)
                for column, value in zip(drawn.columns, row.values, strict=True)
            ),
        ]
        for row in drawn.rows
    ]
    days = f"{asked.since.isoformat()}-{asked.until.isoformat()}"
    answer = Response(written(header, rows, here().language), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="zahlwerk-{name}-{days}.csv"'
    return answer


def _heading(column: Column, currency: str) -> str:
    if column.kind == "money":
        return f"{column.label} ({currency})"
    return f"{column.label} (%)" if column.kind == "share" else column.label
