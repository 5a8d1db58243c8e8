#!/usr/bin/env python3
"""How many lines of the readers the committed corpora run, by Clang's source-based coverage.

    tests/fuzz/coverage.py --xsimd DIR [--show]

builds each fuzz target without sanitizers, runs it once on its corpus, adds the profiles up, and fails below 95 %.
--show prints the lines that no file of a corpus reaches.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import compilers  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
LEAST = 95
# The readers: what text and files go through on the way in.
READERS = re.compile(r"include/inlay/(data/(?!save)\w+|io/(dtype|json|json_value|mapped_file|model_tree|"
                     r"safetensors_reader|scalars|shards|text))\.hpp$")


def call(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=compilers.ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def tool(name, clang):
    version = re.search(r"-\d+$", clang)
    return shutil.which(name + (version[0] if version else "")) or sys.exit(f"{name} is not installed")


def main():
    parser = compilers.arguments(__doc__)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    clang = next(filter(compilers.is_clang, options.compilers))
    programs, profiles = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for source in sorted(HERE.glob("*.fuzz.cpp")):
            name = source.name.removesuffix(".fuzz.cpp")
            program, profile = folder / name, folder / f"{name}.profraw"
            call(*compilers.command(clang, options, "-O0", "-DINLAY_NO_MMAP", "-fsanitize=fuzzer", "-pthread",
                                    "-fprofile-instr-generate", "-fcoverage-mapping", f"-I{HERE.parent}", source,
                                    "-o", program))
            call("env", f"LLVM_PROFILE_FILE={profile}", program, "-runs=0", HERE / "corpus" / name)
            programs.append(program)
            profiles.append(profile)
        merged = folder / "merged.profdata"
        call(tool("llvm-profdata", clang), "merge", "-sparse", *profiles, "-o", merged)
        objects = [programs[0], *(word for program in programs[1:] for word in ("-object", program))]
        exported = json.loads(call(tool("llvm-cov", clang), "export", "-instr-profile", merged, *objects))
        files = {f["filename"]: f for f in exported["data"][0]["files"] if READERS.search(f["filename"])}
        if options.show:
            shown = call(tool("llvm-cov", clang), "show", "-instr-profile", merged, *objects, "-sources", *files)
            print(*re.findall(r"^/.*\.hpp:$|^ +\d+\| +0\|.*", shown, re.M), sep="\n")
    lines = {"count": 0, "covered": 0}
    for name, file in sorted(files.items()):
        summary = file["summary"]["lines"]
        print(f"{summary['covered']:5} of {summary['count']:5} lines, {summary['percent']:5.1f} %  "
              f"{pathlib.Path(name).relative_to(compilers.INCLUDE)}")
        for key in lines:
            lines[key] += summary[key]
    share = 100 * lines["covered"] / lines["count"]
    print(f"{lines['covered']:5} of {lines['count']:5} lines, {share:5.1f} %  all readers")
    print("1 passed, 0 failed" if share >= LEAST else f"below {LEAST} %\n0 passed, 1 failed")
    sys.exit(share < LEAST)


if __name__ == "__main__":
    main()
