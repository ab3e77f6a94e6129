"""The page of the whole SDK, made from its docstrings: `python -m reviewdesk.testing.reference > docs/sdk.md`."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc, getsource
from textwrap import dedent

_INTRODUCTION = """# The SDK

Written by `python -m reviewdesk.testing.reference` from the docstrings; a test holds it up to date. How a connector
is made with it is told in [connectors.md](connectors.md).
"""
_PACKAGES = {
    "reviewdesk.connector": "All that a connector imports.",
    "reviewdesk.sandbox": "The toolkit for emulated platforms.",
    "reviewdesk.testing": "The conformance kit, for a connector's tests.",
}
_TITLES = {
    "reviewdesk.connector": "The connector and what it is given",
    "reviewdesk.model": "What it hands over",
    "reviewdesk.http": "HTTP",
    "reviewdesk.network": "Where requests may lead",
    "reviewdesk.paging": "Lists that come in pages",
    "reviewdesk.text": "Texts",
    "reviewdesk.times": "Times",
    "reviewdesk.xml": "XML",
    "reviewdesk.secrets": "Secrets",
    "reviewdesk.errors": "Errors",
    "reviewdesk.sandbox.emulator": "An emulated platform",
    "reviewdesk.sandbox.server": "Serving it",
    "reviewdesk.testing.kit": "Trying a connector",
    "reviewdesk.testing.rules": "The rules",
}
_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
_ITEM = re.compile(r"^([\w, ]+):\s+(.*)$")

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign


def reference() -> str:
    """Gives the whole page."""
    return "\n".join([_INTRODUCTION, *(line for package in _PACKAGES for line in _package(package))])


def exported() -> Iterator[tuple[str, str, str]]:
    """Gives each public name of the SDK: the package that exports it, the module that defines it, the name."""
    for package in _PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            own = getattr(getattr(module, name), "__module__", "")
            places = (own, *_TITLES) if own.startswith("reviewdesk.") else tuple(_TITLES)
            yield package, next(place for place in places if name in _definitions(place)), name


def silent() -> Iterator[str]:
    """Gives each public name of the SDK, and each public method of its classes, that no docstring describes."""
    for package, module, name in exported():
        node, below = _definitions(module)[name]
        if not _said(node, below):
            yield f"{package}.{name}"
        if isinstance(node, ast.ClassDef):
            yield from (f"{package}.{name}.{each.name}" for each in _methods(node) if not ast.get_docstring(each))


def _package(package: str) -> Iterator[str]:
    yield f"\n## `{package}`\n\n{_PACKAGES[package]}"
    names = [(module, name) for each, module, name in exported() if each == package]
    for module in dict.fromkeys([*_TITLES, *(module for module, _ in names)]):
        if own := [name for place, name in names if place == module]:
            yield f"\n### {_TITLES.get(module, f'`{module}`')}"
            for name in own:
                yield from _entry(name, *_definitions(module)[name])


@cache
def _definitions(module: str) -> dict[str, tuple[Definition, str]]:
    """Gives what a module defines by name, each with the text that stands below it as its docstring, "" without."""
    body = ast.parse(getsource(importlib.import_module(module))).body
    found: dict[str, tuple[Definition, str]] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        below = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            below = str(after.value.value)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = node, ""
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node, below
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node, below
    return found


def _said(node: Definition, below: str) -> str:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return cleandoc(below)
    return ast.get_docstring(node) or ""


def _entry(name: str, node: Definition, below: str) -> Iterator[str]:
    code = _code(node)
    yield f"\n#### `{name}`\n" + (f"\n```text\n{code}\n```\n" if code else "")
    yield _markdown(_said(node, below))
    if isinstance(node, ast.ClassDef):
        for method in _methods(node):
            yield f"\n##### `{name}.{method.name}`\n\n```text\n{_signature(method)}\n```\n"
            yield _markdown(ast.get_docstring(method) or "")


def _code(node: Definition) -> str:
    """Gives how it is called, or what it holds."""
    if isinstance(node, ast.ClassDef):
        made = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
        if made is not None:
            return _signature(made).replace("def __init__", node.name).removesuffix(" -> None")
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        fields = [ast.unparse(each) for each in node.body if _is_field(each)]
        return "\n    ".join([f"class {node.name}({bases})" if bases else f"class {node.name}", *fields])
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _signature(node)
    if isinstance(node, ast.AnnAssign):
        return f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}"
    return ast.unparse(node) if len(ast.unparse(node)) <= 100 else ""


def _is_field(node: ast.stmt) -> bool:
    target = (
        node.target if isinstance(node, ast.AnnAssign) else node.targets[0] if isinstance(node, ast.Assign) else None
    )
    return isinstance(target, ast.Name) and not target.id.startswith("_")


def _methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    functions = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    # What a type checker alone sees has no words of its own.
    yield from (each for each in functions if each.name[0] != "_" and "overload" not in _decorators(each))


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {ast.unparse(each) for each in node.decorator_list}


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Gives the call, on one line or with each parameter on its own."""
    words = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    gives = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    if "property" in _decorators(node):
        return f"{node.name}{gives}"
    arguments = re.sub(r"^self(, )?", "", ast.unparse(node.args))
    line = f"{words} {node.name}({arguments}){gives}"
    if len(line) <= 100:
        return line
    parts = "".join(f"    {part},\n" for part in _parameters(node.args))
    return f"{words} {node.name}(\n{parts}){gives}"


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    """Gives each parameter with its type and default, as it is written."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    for each, default in zip(plain, defaults, strict=True):
        if each.arg != "self":
            yield ast.unparse(each) + (f" = {ast.unparse(default)}" if default else "")
    if arguments.vararg:
        yield f"*{ast.unparse(arguments.vararg)}"
    elif arguments.kwonlyargs:
        yield "*"
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield ast.unparse(each) + (f" = {ast.unparse(default)}" if default else "")
    if arguments.kwarg:
        yield f"**{ast.unparse(arguments.kwarg)}"


def _markdown(text: str) -> str:
    """Gives a docstring with its lists of arguments and errors as lists, and its examples as they stand."""
    parts = []
    for block in re.split(r"\n\n", text):
        head, _, rest = block.partition("\n")
        if section := _SECTION.match(head):
            parts.append(f"{section[1]}:\n\n{_items(dedent(rest))}")
        elif block.startswith("    "):
            parts.append(f"```text\n{dedent(block)}\n```")
        else:
            parts.append(block)
    return "\n\n".join(parts)


def _items(text: str) -> str:
    """Gives the entries of a section; lines that go on an entry are indented."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and found:
            found[-1] += " " + line.strip()
        elif item := _ITEM.match(line):
            names = ", ".join(f"`{name}`" for name in item[1].split(", "))
            found.append(f"- {names}: {item[2]}")
        else:
            found.append(f"- {line}")
    return "\n".join(found)


if __name__ == "__main__":
    sys.stdout.write(reference() + "\n")
