#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes vq_transfer's four files from MovieLens 1M, whose terms forbid handing it on (grouplens.org has it).

    movies.py ml-1m OUT && vq_transfer OUT/from.vectors OUT/from.users OUT/to.vectors OUT/to.users

Half of the movies, watched by half of the users, is one domain; the other movies, watched by the other users, are the
other. A movie's vector is what is said about it: the words of its title, its genres and its decade, weighed by how rare
they are, in their 32 principal directions. Of each user the first 12 movies of a domain, in the order of ratings.dat's
times; where there is SASRec's form of the ratings (ml-1m.seq.txt, item_map.txt), that is read instead.
"""
import collections
import math
import pathlib
import re
import sys

import numpy as np

WIDTH, LONGEST, SHORTEST = 32, 12, 5


def sequences(folder):
    """A list of movies for each user, oldest first."""
    if (folder / "ratings.dat").exists():
        users = collections.defaultdict(list)
        for line in (folder / "ratings.dat").read_text().splitlines():
            user, movie, _, time = line.split("::")
            users[int(user)].append((int(time), int(movie)))
        return [[movie for _, movie in sorted(users[user], key=lambda r: r[0])] for user in sorted(users)]
    movie_of = dict(map(int, line.split()) for line in (folder / "item_map.txt").read_text().splitlines())
    return [[movie_of[int(item)] for item in line.split()]
            for line in (folder / "ml-1m.seq.txt").read_text().splitlines()]


def vectors(folder):
    """A row of numbers for each movie."""
    words = {}
    for line in (folder / "movies.dat").read_text(encoding="latin-1").splitlines():
        movie, title, genres = line.split("::")
        year = re.search(r"\((\d{3})\d\)", title)
        words[int(movie)] = ([f"decade {year[1]}" if year else "decade ?"]
                             + [f"genre {g}" for g in genres.split("|")]
                             + re.findall(r"[a-z0-9]{3,}", re.sub(r"\(\d{4}\)", "", title.lower())))
    count = collections.Counter(w for own in words.values() for w in set(own))
    column = {w: i for i, w in enumerate(sorted(w for w, n in count.items() if n > 1))}
    table = np.zeros((len(words), len(column)))
    for row, own in enumerate(words.values()):
        for w in own:
            if w in column:
                table[row, column[w]] = math.log(len(words) / count[w])
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    table -= table.mean(axis=0)
    square, directions = np.linalg.eigh(table.T @ table)
    largest = directions[:, np.argsort(-square)[:WIDTH]]
    return dict(zip(words, table @ largest / (table @ largest).std()))


def main():
    folder, out = map(pathlib.Path, sys.argv[1:])
    users, vector = sequences(folder), vectors(folder)
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    movies = sorted({m for had in users for m in had})
    part = dict(zip(movies, random.permutation(len(movies)) % 2))
    side = random.permutation(len(users)) % 2
    for own, name in enumerate(["from", "to"]):
        items = [m for m in movies if part[m] == own]
        number = {m: i for i, m in enumerate(items)}
        rows = [" ".join(f"{x:.5f}" for x in vector[m]) for m in items]
        had = [[number[m] for m in seen if m in number][:LONGEST]
               for seen, s in zip(users, side) if s == own]
        had = [h for h in had if len(h) >= SHORTEST]
        (out / f"{name}.vectors").write_text("\n".join(rows) + "\n")
        (out / f"{name}.users").write_text("\n".join(" ".join(map(str, h)) for h in had) + "\n")
        print(f"{name}: {len(items)} movies, {len(had)} users")


if __name__ == "__main__":
    main()
