#!/usr/bin/env python3
"""A room includes rooms below it only, there is no circle, and few may name xsimd, streams, files and threads."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent / "include"

# Ground floor first. A room sees the floors below its own, and its own files.
FLOORS = ["simd", "kernels", "core", "solve", "blocks", "combine", "model", "io", "data", "train", "probe", "parallel", "testing"]
GROUND = {"inlay/config.hpp", "inlay/version.hpp"}  # below everything
UMBRELLAS = {  # what stands for several rooms, and the rooms it may name
    "inlay/inlay.hpp": {"core", "blocks", "combine", "model"},
    "inlay/solve.hpp": {"core", "solve"},
    "inlay/data.hpp": {"core", "model", "io", "data"},
    "inlay/train.hpp": {"core", "model", "io", "data", "train"},
    "inlay/probe.hpp": {"core", "model", "io", "data", "train", "probe"},
    "inlay/parallel.hpp": {"core", "parallel"},
    "inlay/testing.hpp": set(FLOORS),
}
SYSTEM = {  # a header that only these rooms or files may include
    r"xsimd/.*": {"simd"},
    r"iostream|fstream|thread": {"io", "data", "parallel", "inlay/train/progress.hpp"},
}


def room(header):
    parts = header.split("/")
    return parts[1] if len(parts) > 2 else ""


def complaints(graph):
    """graph: header -> what it includes, as written. Yields what is wrong, a line each."""
    for header, included in sorted(graph.items()):
        for name in included:
            for pattern, allowed in SYSTEM.items():
                if re.fullmatch(pattern, name) and not {room(header), header} & allowed:
                    yield f"{header} includes <{name}>, which is for {', '.join(sorted(allowed))}"
            if not name.startswith("inlay/"):
                continue
            if name not in graph:
                yield f"{header} includes <{name}>, which is not there"
            elif header in UMBRELLAS:
                if name not in GROUND and name not in UMBRELLAS and room(name) not in UMBRELLAS[header]:
                    yield f"{header} includes <{name}>; it may name {', '.join(sorted(UMBRELLAS[header]))}"
            elif name in UMBRELLAS:
                yield f"{header} includes the umbrella <{name}>"
            elif header in GROUND:
                if name not in GROUND:
                    yield f"{header} is below everything, and includes <{name}>"
            elif name not in GROUND and FLOORS.index(room(name)) > FLOORS.index(room(header)):
                yield f"{header} includes <{name}>, a room above its own"
    yield from circles(graph)


def circles(graph):
    done, path = set(), []

    def visit(header):
        if header in path:
            yield "circle: " + " -> ".join(path[path.index(header):] + [header])
        elif header not in done:
            path.append(header)
            for name in graph.get(header, []):
                yield from visit(name)
            path.pop()
            done.add(header)

    for header in sorted(graph):
        yield from visit(header)


def read():
    graph = {}
    for path in (ROOT / "inlay").rglob("*.hpp"):
        header = path.relative_to(ROOT).as_posix()
        graph[header] = re.findall(r'(?m)^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text())
    return graph


def main():
    graph = read()
    wrong = [f"{header} is in no known room" for header in sorted(graph)
             if header not in GROUND | set(UMBRELLAS) and room(header) not in FLOORS]
    wrong = wrong or list(complaints(graph))
    # The walk itself is tried on graphs that are wrong.
    for planted in ({"inlay/core/a.hpp": ["inlay/blocks/b.hpp"], "inlay/blocks/b.hpp": []},
                    {"inlay/core/a.hpp": ["inlay/core/b.hpp"], "inlay/core/b.hpp": ["inlay/core/a.hpp"]},
                    {"inlay/core/a.hpp": ["xsimd/xsimd.hpp"]}, {"inlay/model/a.hpp": ["thread"]},
                    {"inlay/inlay.hpp": ["inlay/train/a.hpp"], "inlay/train/a.hpp": []}):
        if not list(complaints(planted)):
            wrong.append(f"not noticed: {planted}")
    for line in wrong:
        print(line)
    print(f"{len(graph) + 5 - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
