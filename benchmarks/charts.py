"""Draws the charts, in an environment of its own: ``python -m benchmarks.charts latest.json FOLDER``.

The colours are those of Okabe and Ito, which people with any colour vision tell apart.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

OURS, OURS_LIGHT = "#D55E00", "#E69F00"
PEER, PEER_LIGHT = "#0072B2", "#56B4E9"
GREY = "#555555"
OWN = "baton"
#: Values so far apart are drawn on a logarithmic axis.
FAR = 30

#: Where the text of a bar stands.
BESIDE: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}

#: The charts: a file, a title, and the workloads in it with what each of their bars is called.
CHARTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("chain", "Chain of 200 steps", {"chain": ""}),
    ("hop", "From the end of a 1 s step to the start of the next", {"hop": ""}),
    ("fan", "1 → 1000 → 1", {"fan-1": "1 process", "fan-2": "2 processes"}),
    ("diamonds", "200 diamonds, one by one", {"diamonds-1": "1 process", "diamonds-2": "2 processes"}),
    ("payload-10k", "Chain of 20 steps that pass on 10 KB", {"payload-10k": ""}),
    ("payload-500k", "Chain of 20 steps that pass on 500 KB", {"payload-500k": ""}),
    ("montage", "Montage, 310 steps", {"science-montage": ""}),
    ("epigenomics", "Epigenomics, 263 steps", {"science-epigenomics": ""}),
    ("1000genome", "1000Genome, 260 steps", {"science-1000genome": ""}),
    ("pending", "Memory of a pending step", {"pending": ""}),
    ("idle", "Commands of an idle worker process", {"idle": ""}),
)
GROWTH = {1_000: "growth-1000", 10_000: "growth-10000", 100_000: "growth-100000"}


def main() -> None:
    content = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    folder = Path(sys.argv[2])
    plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False})
    for name, title, workloads in CHARTS:
        _bars(content, folder / f"{name}.png", title, workloads)
    _growth(content, folder / "growth.png")


def _bars(content: dict[str, Any], path: Path, title: str, workloads: dict[str, str]) -> None:
    """A group of horizontal bars a system, the best one on top; lines show the spread."""
    known = {key: label for key, label in workloads.items() if key in content["workloads"]}
    medians = [
        summary["median"]
        for key in known
        for summary in content["workloads"][key]["results"].values()
        if "median" in summary
    ]
    if not medians:
        return
    lower, unit = (content["workloads"][next(iter(known))][name] for name in ("lower_is_better", "unit"))
    worst = math.inf if lower else -math.inf
    systems = sorted(
        content["systems"],
        key=lambda name: _summary(content, next(iter(known)), name).get("median", worst),
        reverse=not lower,
    )
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.45 * len(systems) * (1 + 0.4 * (len(known) - 1))))
    far = max(medians) / min(medians) > FAR if min(medians) > 0 else False
    axes.set_xscale("log" if far else "linear")
    axes.set_xlim(min(medians) / 2 if far else 0, max(medians) * (5 if far else 1.35))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    thickness = 0.8 / len(known)
    for index, (key, label) in enumerate(known.items()):
        for row, name in enumerate(systems):
            middle = row + (index - (len(known) - 1) / 2) * thickness
            colours = (OURS, OURS_LIGHT) if name == OWN else (PEER, PEER_LIGHT)
            colour = colours[index < len(known) - 1]
            _bar(axes, _summary(content, key, name), middle, thickness * 0.92, colour, label)
    axes.set_yticks(range(len(systems)), [content["systems"][name]["title"] for name in systems])
    axes.set_ylim(len(systems) - 0.5, -0.5)
    axes.set_xlabel(f"{unit} ({'less' if lower else 'more'} is better{', logarithmic' if far else ''})")
    axes.set_title(title, loc="left", fontweight="bold")
    _save(content, figure, path)


def _bar(
    axes: Any, summary: dict[str, Any], middle: float, thickness: float, colour: str, label: str
) -> None:
    """One bar with its number, or a word in its place."""
    label = f"  ({label})" if label else ""
    if "median" not in summary:
        word = "failed" if "error" in summary else "not measured"
        axes.annotate(word + label, (axes.get_xlim()[0], middle), **BESIDE, color=GREY)
        return
    median, least, most = (summary[name] for name in ("median", "min", "max"))
    axes.barh(middle, median, thickness, color=colour)
    if most > least:
        axes.errorbar(
            median, middle, xerr=[[median - least], [most - median]], color="black", capsize=2, linewidth=1
        )
    axes.annotate(_number(median) + label, (most, middle), **BESIDE)


def _growth(content: dict[str, Any], path: Path) -> None:
    known = {size: _summary(content, key, OWN) for size, key in GROWTH.items()}
    known = {size: summary for size, summary in known.items() if "median" in summary}
    if len(known) < 2:
        return
    sizes = list(known)
    medians = [known[size]["median"] for size in sizes]
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.plot(sizes, medians, color=OURS, marker="o", linewidth=2, label="dramatiq-baton")
    least, most = ([known[size][name] for size in sizes] for name in ("min", "max"))
    axes.fill_between(sizes, least, most, color=OURS_LIGHT, alpha=0.4, linewidth=0, label="least to most")
    axes.axhline(0.8 * medians[0], color=GREY, linestyle="--", label="goal: 0.8 × that of 1,000 steps")
    for size, median in zip(sizes, medians, strict=True):
        axes.annotate(_number(median), (size, median), (0, 9), textcoords="offset points", ha="center")
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(0, max(most) * 1.25)
    axes.set_xlabel("steps of the workflow")
    axes.set_ylabel("steps/s (more is better)")
    axes.set_title("Growth: steps/s by the size of the workflow, 1 process", loc="left", fontweight="bold")
    axes.legend(loc="lower left", frameon=False)
    _save(content, figure, path)


def _summary(content: dict[str, Any], workload: str, system: str) -> dict[str, Any]:
    return content["workloads"].get(workload, {}).get("results", {}).get(system, {})


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _save(content: dict[str, Any], figure: Any, path: Path) -> None:
    machine = content["machine"]
    note = f"{machine['cpu']}, {machine['cores']} cores, {machine['server']}, {machine['date'][:10]}"
    if content["quick"]:
        note += ", a quick round"
    figure.text(0.99, 0.01, note, ha="right", va="bottom", fontsize=7, color=GREY)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(path, dpi=140)
    plt.close(figure)


if __name__ == "__main__":
    main()
