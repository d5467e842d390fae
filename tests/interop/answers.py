"""Rows of answers that were computed by other means, and of what Leat gives."""

import csv
import gzip


def text_of(path):
    opened = gzip.open(path) if path.suffix == ".gz" else open(path, "rb")
    with opened as file:
        return file.read()


def field(text):
    """Numbers as numbers, to the digits that the answers have; times without empty milliseconds."""
    try:
        return round(float(text), 4)
    except ValueError:
        return text.replace(".000Z", "Z")


def csv_rows(text):
    return [tuple(field(cell) for cell in row)
            for row in list(csv.reader(text.decode().splitlines()))[1:]]
