# SPDX-License-Identifier: Apache-2.0
"""The house rules that a script can check; prints every offender as file:line.

With --files only the names of the project's files.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_FUNCTION, MAX_FILE, MAX_COLUMNS, TAB = 60, 800, 100, 8
BANNED = re.compile(r"\b(sprintf|vsprintf|strcpy|strcat|strncpy|gets|system|popen|alloca|tmpnam|"
                    r"mktemp|tempnam|atoi|atol|strtok)\s*\(")
NCURSES = re.compile(r"#\s*include\s*[<\"](n?curses|ncursesw/|term\.h)")
TERMINAL = re.compile(r"\b(printf|puts|putchar|fprintf\s*\(\s*stderr|exit)\s*\(|\bisatty\s*\(")
WALL_CLOCK = re.compile(r"\bCLOCK_REALTIME\b|\btime\s*\(\s*(NULL|0|&\w+)\s*\)|\bgettimeofday\b")
OF_THE_WALL_CLOCK = ("backend/base/clock.c", "backend/machine/clock.c")
FUNCTION = re.compile(r"^[A-Za-z_].*\)\s*$")
ANYWHERE = (".c", ".h", ".py", ".sh", ".mk", ".conf", "")


def tracked():
    """The project's files; from git, or from the directory when this is an unpacked archive."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=False,
                          capture_output=True, text=True)
    if done.returncode == 0:
        return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]
    return sorted(path for path in ROOT.rglob("*") if path.is_file() and
                  not {"build", ".git", "__pycache__"} & set(path.relative_to(ROOT).parts))


def columns(line):
    return len(line.expandtabs(TAB))


def strip_comments(text):
    """Comments and strings blanked, line numbers kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.S)


def functions(lines):
    """(name, first line, length) of each function: kernel style opens its brace in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{" and start is None:
            start = number
        elif line.startswith("}") and start is not None:
            head = start - 1
            while head > 1 and re.match(r"^\s", lines[head - 1]):
                head -= 1
            yield lines[head - 1].split("(")[0].split()[-1].lstrip("*"), head, number - head + 1
            start = None


def check_c(path, text, complain):
    code = strip_comments(text).splitlines()
    relative = path.relative_to(ROOT).as_posix()
    for number, line in enumerate(code, 1):
        if BANNED.search(line):
            complain(number, f"banned function: {line.strip()}")
        backend = relative.startswith("backend/")
        if (backend or relative.startswith("tui/commands/")) and NCURSES.search(line):
            complain(number, "ncurses does not belong here")
        if relative.startswith(("backend/", "tui/")) and WALL_CLOCK.search(line) and \
                relative not in OF_THE_WALL_CLOCK:
            complain(number, "the time of day is sw_wall_ms(), what may still take is sw_now_ms()")
        if backend and TERMINAL.search(line) and not re.search(r"\b[sf]nprintf|dprintf", line):
            complain(number, f"the backend neither prints nor exits: {line.strip()}")
    for number, line in enumerate(text.splitlines(), 1):
        if backend_include(relative, line):
            complain(number, "the backend does not include the console")
    for name, line, length in functions(code):
        if length > MAX_FUNCTION:
            complain(line, f"{name}() has {length} lines, {MAX_FUNCTION} are allowed")
    if path.suffix == ".h" and "#pragma once" not in text:
        complain(1, "a header without #pragma once")


def backend_include(relative, line):
    return relative.startswith("backend/") and re.match(r'#\s*include\s*"tui/', line)


def wants_spdx(path):
    relative = path.relative_to(ROOT).as_posix()
    if path.suffix in (".c", ".h", ".py", ".sh", ".mk", ".conf") or path.name == "Makefile":
        return not relative.startswith("tests/fuzz/corpus/")
    try:
        return path.read_bytes()[:2] == b"#!"
    except OSError:
        return False


def check_file(path, complain):
    text = path.read_text(errors="replace")
    lines = text.splitlines()
    if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(lines[:3]) and wants_layout(path):
        complain(1, "no SPDX line")
    if len(lines) > MAX_FILE:
        complain(1, f"{len(lines)} lines, {MAX_FILE} are allowed")
    for number, line in enumerate(lines, 1):
        if columns(line) > MAX_COLUMNS:
            complain(number, f"{columns(line)} columns, {MAX_COLUMNS} are allowed")
        if line != line.rstrip():
            complain(number, "white space at the end of the line")
    if path.suffix in (".c", ".h"):
        check_c(path, text, complain)


def wants_layout(path):
    # A layout begins with its own words; its licence is that of the tree.
    return not path.relative_to(ROOT).as_posix().startswith("layouts/")


def main():
    if sys.argv[1:] == ["--files"]:
        print("\n".join(str(path.relative_to(ROOT)) for path in tracked()))
        return 0
    offences = []
    files = [p for p in tracked() if wants_spdx(p)]
    for path in files:
        check_file(path, lambda line, why, path=path: offences.append(
            f"{path.relative_to(ROOT)}:{line}: {why}"))
    for offence in offences:
        print(offence)
    print(f"lint: {len(files)} files, {len(offences)} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
