"""Writes tests/data/normalized_texts.txt: texts of letters, signs and accents from everywhere with their NFC and NFKC, by Python's unicodedata."""
import random
import sys
import unicodedata as u

RANGES = [
    (0x20, 0x24F), (0x300, 0x370), (0x386, 0x5F0), (0x620, 0x6D0), (0x900, 0xA40), (0xB40, 0xBD0), (0xE00, 0xEC0), (0x1100, 0x1200), (0x1E00, 0x2000),
    (0x2010, 0x2028), (0x2100, 0x2300), (0x2460, 0x2500), (0x3000, 0x3160), (0x3200, 0x3400), (0xAC00, 0xAE00), (0xF900, 0xFA60), (0xFB00, 0xFC00),
    (0xFF00, 0xFF9F), (0x11099, 0x110BB), (0x1D15E, 0x1D165), (0x1D400, 0x1D540), (0x1F100, 0x1F190), (0x2F800, 0x2F900), (0x10A0D, 0x10A40),
]
INVISIBLE = {0xAD, 0x34F, 0x61C, 0x115F, 0x1160}


def hexes(text):
    return " ".join(f"{ord(c):X}" for c in text)


def main(path):
    draw = random.Random(1)
    lines = [f"# text; NFC; NFKC of Unicode {u.unidata_version}"]
    while len(lines) < 1200:
        codes = [draw.randrange(*(RANGES[1] if draw.random() < 0.35 else draw.choice(RANGES))) for _ in range(draw.randrange(1, 9))]
        text = "".join(chr(code) for code in codes if code not in INVISIBLE and u.category(chr(code)) != "Cn")
        if text:
            lines.append("; ".join(hexes(part) for part in (text, u.normalize("NFC", text), u.normalize("NFKC", text))))
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


main(sys.argv[1])
