#!/usr/bin/env python3
"""Draws the README's pictures of the program at work: runs the real program and puts what it printed into an SVG.

    python3 docs/pictures/make.py        # after ./inkstone build; writes docs/pictures/*.svg

Nothing is typed in by hand: a picture shows what the commands below printed when it was made.
"""
import html
import os
import pathlib
import subprocess
import sys
import tempfile
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(__file__).resolve().parent
LINE_PX, CHAR_PX, MARGIN_PX = 22, 8.4, 18
INK, PAPER, PROMPT, DIM = "#e8e6df", "#22252b", "#e0a458", "#8a8f98"

SCENES = {
    "first-answer": [
        ["run", "把客厅的灯调暗一点"],
        ["run", "半個鐘之後叫我熄火"],
        ["run", "wake me at half past six on weekdays"],
        ["run", "讲个笑话"],
    ],
    "show": [["show"]],
    "home": [
        ["ask", "打开客厅的灯，调到四成"],
        ["ask", "書房冷氣較到廿五度，順便拉埋窗簾"],
        ["ask", "turn the bedroom light blue, then lock the front door"],
        ["ask", "unlock the front door"],
        ["home"],
    ],
}


def width(text):
    """Columns that a terminal gives to the text: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def printed_by(arguments, state):
    environment = {**os.environ, "INKSTONE_HOME": state, "TZ": "Asia/Shanghai"}
    done = subprocess.run([ROOT / "inkstone", *arguments], capture_output=True, text=True, cwd=ROOT, env=environment)
    return done.stdout.rstrip("\n").split("\n")


def shown(argument):
    return argument if argument.isalnum() and argument.isascii() else f'"{argument}"'


def draw(lines):
    """lines: (text, colour) from top to bottom."""
    columns = max(width(text) for text, _ in lines)
    size = (round(columns * CHAR_PX + 2 * MARGIN_PX), len(lines) * LINE_PX + 2 * MARGIN_PX)
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" viewBox="0 0 {size[0]} {size[1]}">',
        f'<rect width="100%" height="100%" rx="10" fill="{PAPER}"/>',
        '<g font-family="ui-monospace, Menlo, Consolas, \'Noto Sans Mono CJK SC\', monospace" font-size="14">',
    ]
    for number, (text, colour) in enumerate(lines):
        y = MARGIN_PX + (number + 0.75) * LINE_PX
        length = round(width(text) * CHAR_PX, 1)
        fit = f' textLength="{length}" lengthAdjust="spacingAndGlyphs"' if text else ""
        rows.append(f'<text x="{MARGIN_PX}" y="{y:g}" fill="{colour}" xml:space="preserve"{fit}>{html.escape(text)}</text>')
    return "\n".join([*rows, "</g>", "</svg>", ""])


def main():
    for name, commands in SCENES.items():
        lines = []
        with tempfile.TemporaryDirectory() as state:  # a home of its own for every picture
            for arguments in commands:
                lines.append(("$ ./inkstone " + " ".join(map(shown, arguments)), PROMPT))
                lines += [(text, INK if text else DIM) for text in printed_by(arguments, state)]
                lines.append(("", DIM))
        (FOLDER / f"{name}.svg").write_text(draw(lines[:-1]), encoding="utf-8")
        print(f"docs/pictures/{name}.svg")


if __name__ == "__main__":
    sys.exit(main())
