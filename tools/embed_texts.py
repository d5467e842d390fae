#!/usr/bin/env python3
"""Writes files as entries of a C++ array, for the program to carry: embed_texts.py OUT FILE…

An entry has the last folder and the name of its file, and its text."""

import pathlib
import sys

out, *files = map(pathlib.Path, sys.argv[1:])
out.write_text("".join(
    f'{{"{file.parent.name}/{file.name}", R"text({file.read_text(encoding="utf-8")})text"}},\n'
    for file in files), encoding="utf-8")
