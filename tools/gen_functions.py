#!/usr/bin/env python3
"""Writes docs/sql/functions.md from the function rows of src/sql/functions/functions_*.cc."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
STRING = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
ROW = re.compile(r'\{\s*' + STRING + r',\s*(k\w+),\s*' + STRING + r',\s*' + STRING + r'(?:,\s*' + STRING + r',\s*' + STRING + r')?\s*\}')
MACRO = re.compile(r'PER_(?:DATETIME|TIME)\(\s*"(\w+)"')


# What Trino documents and is not here, with the reason.
MISSING = {
    "the type behind them is missing": "objectid, objectid_timestamp, timestamp_objectid",
    "no database of reference systems": "ST_Transform, ST_TransformXY",
    "no KDB trees": "spatial_partitioning, spatial_partitions",
    "no machine learning": "learn_classifier, learn_regressor, learn_libsvm_*, classify, regress, features, "
    "evaluate_classifier_predictions",
    "not written yet": "theta_sketch_cardinality, theta_sketch_union, title_case, "
    "multisets (collect, element, fusion, intersection, set)",
}


def text(literal):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal or "")).replace('\\"', '"').replace("\\\\", "\\")


def main():
    rows = {}
    for path in sorted(ROOT.glob("src/sql/functions/functions_*.cc")):
        source = path.read_text()
        family = path.stem.removeprefix("functions_")
        for name, kind, signature, template, example, _ in ROW.findall(source):
            rows.setdefault(family, []).append((text(name), kind[1:].lower(), text(signature), text(template) != "!", text(example)))
        for name in MACRO.findall(source):
            rows.setdefault(family, []).append((name, "scalar", "date and time types -> bigint", True, ""))
    out = ["# Functions", "", "Made by tools/gen_functions.py from the rows in src/sql/functions/functions_*.cc: do not edit.", ""]
    for family, table in rows.items():
        out += [f"## {family}", "", "| function | kind | signature | example |", "|---|---|---|---|"]
        for name, kind, signature, works, example in sorted(set(table)):
            note = f"`{example}`" if example else ""
            out.append(f"| {name} | {kind} | `{signature}` | {note if works else 'not yet'} |".replace("||", "\\|\\|"))
        out.append("")
    out += ["## missing", "", "Each of these answers FUNCTION_NOT_FOUND.", "", "| functions | why |", "|---|---|"]
    out += [f"| {names} | {why} |" for why, names in MISSING.items()]
    out += ["", "Forms that the analyzer knows by itself: coalesce, nullif, if, try, typeof, format, mod of decimals, count(*),",
            "current_timezone, current_groups, now, version, grouping, json_* of SQL/JSON, listagg, trim, position, extract, and in row patterns",
            "prev, next, first, last, classifier, match_number.", ""]
    (ROOT / "docs/sql/functions.md").write_text("\n".join(out))


main()
