"""Writes src/Ssl.Estimators/Data/Text/Normalization.txt from Python's unicodedata (Python 3.11 has Unicode 14.0.0)."""
import sys
import unicodedata as u

HANGUL = range(0xAC00, 0xD7A4)


def hexes(text):
    return " ".join(f"{ord(c):X}" for c in text)


def main(path):
    lines = [
        f"# What normalization needs of Unicode {u.unidata_version}; Hangul is computed. Written by tests/scripts/normalization_table.py.",
        "# D: full canonical decomposition (NFD). K: full compatibility decomposition (NFKD) where that is another. P: two characters and",
        "# the one that they compose to. C: combining class, and the characters that have it.",
    ]
    classes = {}
    canonical, compatible, pairs = [], [], []
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000 or code in HANGUL:
            continue
        c = chr(code)
        if u.combining(c):
            classes.setdefault(u.combining(c), []).append(c)
        nfd, nfkd = u.normalize("NFD", c), u.normalize("NFKD", c)
        if nfd != c:
            canonical.append(f"D {code:X} {hexes(nfd)}")
        if nfkd != nfd:
            compatible.append(f"K {code:X} {hexes(nfkd)}")
        parts = u.decomposition(c).split()
        if len(parts) == 2 and not parts[0].startswith("<") and u.normalize("NFC", c) == c:
            pairs.append(f"P {parts[0].lstrip('0')} {parts[1].lstrip('0')} {code:X}")
    lines += canonical + compatible + pairs
    lines += [f"C {number} {hexes(''.join(of))}" for number, of in sorted(classes.items())]
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


main(sys.argv[1])
