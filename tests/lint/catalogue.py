#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The catalogue of what people read (backend/base/catalogue.h), made and kept whole.

  catalogue.py check         what the console's rooms say that is not marked
  catalogue.py sentences     the backend's sentences as C, for xgettext

The console's rooms mark every text, so a literal there that reads like text has to be marked, or
be an argument of something that shows nothing. The backend hands sentences through functions of its
own, which no keyword can name; what reads like a sentence there is one.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ("tui/session", "tui/screens", "tui/term")
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
                   r"""|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*|[A-Za-z_]\w*|\s+|.""", re.S | re.M)
CONVERSION = re.compile(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z|j|t)?[a-zA-Z%]")
# Two words, or a word beside a number or name that is put in.
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:.]? +[A-Za-z]{2,}|% [a-z]{2,}\b|\b[a-z]{2,} %")
CAPITAL = re.compile(r"^\s*[A-Z][a-z]+")

MARKS = {"_", "N_", "_n"}
# They look their format up themselves; which argument it is (from 0).
LOOK_UP = {"sw_frame_putf": 3, "sw_state_notice": 1, "sw_state_refuse": 1, "sw_fail": 3,
           "sw_fail_errno": 3, "sw_error_why": 1, "sw_error_hint": 1, "sw_error_where": 1}
# What goes in here is shown as it is.
SHOWS = {"sw_frame_put": 5, "sw_frame_paragraph": 5, "sw_list_add_text": 2, "line": 2,
         "sw_buf_adds": 1, "mvaddstr": 2}
# Not for a person: keys of JSON and environment, comparisons, parsing.
SILENT = re.compile(r"^(sw_json_\w+|json_\w+|str\w*cmp|strstr|strchr|sscanf|getenv|setenv|memcmp"
                    r"|prctl|sw_field_find|_Static_assert|asm|__attribute__|fopen|open)$")
# Commands and consent, which are the same in every language.
SAME = {"slipway install --answers FILE", "{\\\"pid\\\": %ld, \\\"offset\\\": %lld, "
        "\\\"work\\\": %d}\\n", "%s%zu %s", "slipway ", "BIOS"}


def literals(source):
    """(offset, text, function, argument, function around that) of each literal, parts joined."""
    stack, last, now = [["", 0]], "", None
    for match in TOKEN.finditer(source):
        token = match[0]
        if token.isspace() or token.startswith(("//", "/*")) or token.lstrip().startswith("#"):
            continue
        if token[0] == '"':
            if now:
                now[1] += token[1:-1]
            else:
                outer = stack[-2][0] if len(stack) > 1 else ""
                now = [match.start(), token[1:-1], stack[-1][0], stack[-1][1], outer]
            last = token
            continue
        if now and re.match(r"PRI\w+$|[A-Z][A-Z_]+$", token):
            now[1] += "\0"      # a macro between the parts: no text as a whole
            continue
        if now:
            yield tuple(now)
            now = None
        if token in "([{":
            stack.append([last if token == "(" else token, 0])
        elif token in ")]}" and len(stack) > 1:
            stack.pop()
        elif token == ",":
            stack[-1][1] += 1
        last = token


def bare(text):
    return re.sub(r"\\.", " ", CONVERSION.sub("%", text))


def reads_like_text(text, function, argument):
    words = bare(text)
    if SENTENCE.search(words) or CAPITAL.match(words):
        return True
    return SHOWS.get(function) == argument and re.search(r"[A-Za-z]{2}", words) is not None


def is_excused(text, function, argument, outer):
    return (text in SAME or function in MARKS or SILENT.match(function)
            or LOOK_UP.get(function) == argument or "\0" in text and outer in MARKS
            or text.startswith(("\\033", "\\0337")))


def unmarked(path):
    source = path.read_text()
    for offset, text, function, argument, outer in literals(source):
        if reads_like_text(text, function, argument) and \
                not is_excused(text, function, argument, outer):
            yield source.count("\n", 0, offset) + 1, text


def check():
    found = 0
    for room in CONSOLE:
        for path in sorted((ROOT / room).glob("*.c")):
            for line, text in unmarked(path):
                print(f"{path.relative_to(ROOT)}:{line}: a person reads this, so it goes into "
                      f"the catalogue with _() or N_(): \"{text}\"")
                found += 1
    return 1 if found else 0


def defined(source):
    """The bodies of macros, which are in place of a literal."""
    for match in re.finditer(r"^#define[ \t]+\w+[ \t]((?:[^\n]*\\\n)*[^\n]*)", source, re.M):
        yield match.start(1), match[1].replace("\\\n", " \n") + "\n;"


def sentences():
    """Those that have no mark and no function that looks them up."""
    print("/* The backend's sentences, found by tests/lint/catalogue.py. */")
    for path in sorted((ROOT / "backend").glob("*/*.[ch]")):
        source = path.read_text()
        for start, text_of in ((0, source), *defined(source)):
            for offset, text, function, argument, _ in literals(text_of):
                if "\0" in text or not SENTENCE.search(bare(text)) or SILENT.match(function) or \
                        function in MARKS or LOOK_UP.get(function) == argument or "\\x" in text:
                    continue
                where = f"{path.relative_to(ROOT)}:{source.count(chr(10), 0, start + offset) + 1}"
                print(f'/* {where} */ N_("{text}");')
    return 0


if __name__ == "__main__":
    verbs = {"check": check, "sentences": sentences}
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        sys.exit("usage: catalogue.py check|sentences")
    sys.exit(verbs[sys.argv[1]]())
