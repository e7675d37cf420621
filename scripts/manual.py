"""The manual page of the command, from what it says about itself: yarn-patch --experimental-dump-help | manual.py VERSION."""

import json
import sys

EXAMPLES = [
    ("What a model states, and what a length of 131072 tokens would take:",
     ["yarn-patch inspect model", "yarn-patch advise model --context 131072"]),
    ("Extend it, after a look at the change; prove it; take it back:",
     ["yarn-patch patch model --context 131072 --diff", "yarn-patch patch model --context 131072",
      "yarn-patch verify model --context 131072", "yarn-patch undo model"]),
    ("What vLLM and llama.cpp compute from the same files:",
     ["yarn-patch table model --runtime vllm --runtime llama.cpp"]),
    ("Look through a tree of models, and make the safe fixes:",
     ["yarn-patch lint models --serve-length 131072", "yarn-patch lint models --fix"]),
]
FILES = [
    (".yarn-patch.json", "What a project wants of its models, for `lint`; looked for in a model's folder and above."),
    ("*.yarn-patch-undo", "The record that `undo` and `recover` need, beside what a command changed."),
]


def escaped(text):
    """Text for roff: a backslash, a control line's first character and all that is not ASCII are spelled."""
    text = text.replace("\\", "\\e").replace("`", "").replace("-", "\\-")
    text = "".join(char if ord(char) < 128 else f"\\[u{ord(char):04X}]" for char in text)
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def paragraphs(text):
    return "\n.PP\n".join(escaped(part) for part in text.split("\n\n"))


def spelled(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def label(argument):
    """`-o, --output <path>`, or `<model>...`"""
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    if argument["kind"] == "positional":
        return value + ("\\ ..." if argument["isRepeating"] else "")
    # Short names first, as in the help.
    names = sorted(argument["names"], key=lambda name: name["kind"] == "long")
    text = ", ".join(f"\\fB{escaped(spelled(name))}\\fR" for name in names)
    return text + (f" {value}" if argument["kind"] == "option" else "")


def arguments(command):
    # --version and --help are the same everywhere and stand at the top alone.
    own = [each for each in command.get("arguments", []) if each["shouldDisplay"]]
    return [each for each in own if each["valueName"] not in ("help", "version")]


def synopsis(command, path):
    parts = [f"\\fB{escaped(path)}\\fR"]
    if any(each["kind"] != "positional" for each in arguments(command)):
        parts.append("[\\fIoptions\\fR]")
    for each in arguments(command):
        if each["kind"] == "positional":
            parts.append(f"[{label(each)}]" if each["isOptional"] else label(each))
    return " ".join(parts)


def description(argument):
    text = argument.get("abstract", "")
    values = argument.get("allValues") or []
    # Most abstracts name the values themselves.
    if values and not all(value in text for value in values):
        text += f" One of {', '.join(values)}."
    if argument["kind"] == "option" and "defaultValue" in argument:
        text += f" Default: {argument['defaultValue']}."
    return escaped(text)


def section(command, path):
    lines = [f".SS {escaped(path)}", synopsis(command, path), ".PP", escaped(command["abstract"])]
    if command.get("discussion"):
        lines += [".PP", paragraphs(command["discussion"])]
    for each in arguments(command):
        lines += [".TP", label(each), description(each)]
    return lines


def manual(dump, version):
    command = json.loads(dump)["command"]
    name = command["commandName"]
    about, _, codes = command["discussion"].partition("\n\nExit codes: ")
    # Made from the help; there is no line to correct here.
    lines = [
        f'.TH {name.upper()} 1 "" "{name} {version}" "User Commands"',
        ".SH NAME", f"{escaped(name)} \\- {escaped(command['abstract'].rstrip('.'))}",
        ".SH SYNOPSIS", f"\\fB{escaped(name)}\\fR \\fIsubcommand\\fR [\\fIoptions\\fR] \\fIarguments\\fR",
        ".SH DESCRIPTION", paragraphs(about),
        ".SH SUBCOMMANDS",
    ]
    for each in command["subcommands"]:
        if each["shouldDisplay"] and each["commandName"] != "help":
            lines += section(each, f"{name} {each['commandName']}")
    lines += [".SH OPTIONS"]
    lines += [".TP", "\\fB\\-h\\fR, \\fB\\-\\-help\\fR", "Show help information, of a subcommand behind it."]
    lines += [".TP", "\\fB\\-\\-version\\fR", "Show the version."]
    lines += [".SH EXIT STATUS"]
    for part in codes.rstrip(".").split("; "):
        code, _, meaning = part.partition(" ")
        lines += [".TP", f"\\fB{escaped(code)}\\fR", escaped(meaning)]
    lines += [".SH EXAMPLES"]
    for purpose, commands in EXAMPLES:
        lines += [".PP", escaped(purpose), ".PP", ".RS 4", ".nf", *map(escaped, commands), ".fi", ".RE"]
    lines += [".SH FILES"]
    for path, meaning in FILES:
        lines += [".TP", f"\\fI{escaped(path)}\\fR", escaped(meaning)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(manual(sys.stdin.read(), sys.argv[1]))
