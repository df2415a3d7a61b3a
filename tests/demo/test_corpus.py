"""Sources are read from what is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dramatiq_baton.demo.corpus import MAX_README, UnreadableSource, available_sources, fetch_source


def install(directory: Path, name: str, metadata: str | bytes, licence: str | None = None) -> None:
    """Lay out what an installer leaves behind."""
    folder = directory / f"{name}-1.0.dist-info"
    folder.mkdir()
    if isinstance(metadata, str):
        metadata = metadata.encode()
    (folder / "METADATA").write_bytes(metadata)
    record = [f"{folder.name}/METADATA,,"]
    if licence is not None:
        (folder / "LICENSE").write_text(licence)
        record.append(f"{folder.name}/LICENSE,,")
    (folder / "RECORD").write_text("\n".join(record))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is the only one in which distributions are found."""
    library = [path for path in sys.path if path.startswith(sys.base_prefix) and "site-packages" not in path]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *library])
    return tmp_path


def test_distribution_is_read(site: Path) -> None:
    install(
        site,
        "kettle",
        "Metadata-Version: 2.4\nName: Kettle\nVersion: 1.0\nSummary: Boils\x1b[31m water.\n"
        "License-Expression: MIT\nHome-page: https://kettle.example\n"
        "Project-URL: Docs, https://docs.example\nProject-URL: Bad, javascript:alert(1)\n"
        "Requires-Dist: stove>=1\nRequires-Dist: whistle; extra == 'loud'\nRequires-Python: >=3.11\n"
        "Classifier: Typing :: Typed\nDescription-Content-Type: text/markdown\n\n"
        "# Kettle\n\nBoils *water*.",
        licence="=====\nMIT License\n\n" + "Permission " * 100,
    )
    source = fetch_source("kettle")
    licence = source.pop("licence")  # type: ignore[misc]
    assert source == {
        "name": "Kettle",
        "version": "1.0",
        "summary": "Boils water.",
        "readme": "Kettle\n\nBoils water.",
        "urls": {"Homepage": "https://kettle.example", "Docs": "https://docs.example"},
        "requires": ["stove>=1"],
        "requires_python": ">=3.11",
        "classifiers": ["Typing :: Typed"],
        "words": 3,
    }
    assert licence["name"] == "MIT"
    assert licence["text"].startswith("MIT License Permission Permission")
    assert licence["text"].endswith("Permission …")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: other", "MIT OR Apache-2.0"),
        ("License: Apache-2.0 license", "Apache-2.0"),
        ("Classifier: License :: OSI Approved :: MIT License\nLicense: UNKNOWN", "MIT"),
        ("Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL 2.0"),
        (f"License: {'Permission is hereby granted ' * 9}", ""),
        ("Classifier: License :: OSI Approved", ""),
    ],
)
def test_licence_is_named_briefly(site: Path, fields: str, name: str) -> None:
    install(site, "kettle", f"Name: kettle\nVersion: 1\n{fields}\n\nBoils water.")
    assert fetch_source("kettle")["licence"] == {"name": name, "text": ""}


@pytest.mark.parametrize(
    "metadata",
    [
        "Name: kettle\nVersion: 1\n\n",
        "Name: kettle\nVersion: 1\n\nUNKNOWN",
        "Name: kettle\nVersion: 1\nDescription-Content-Type: text/markdown\n\n![](https://x.example)",
        b"Name: kettle\nVersion: 1\n\n\xff\xfe",
        "",
    ],
)
def test_distribution_without_readable_text_is_unreadable(site: Path, metadata: str | bytes) -> None:
    install(site, "kettle", metadata)
    with pytest.raises(UnreadableSource, match="kettle"):
        fetch_source("kettle")


@pytest.mark.parametrize("name", ["no-such-distribution", "", "../kettle", "\x00"])
def test_unknown_distribution_is_unreadable(name: str) -> None:
    with pytest.raises(UnreadableSource):
        fetch_source(name)


def test_long_description_is_cut_between_paragraphs(site: Path) -> None:
    paragraph = "Boils water. " * 20
    install(site, "kettle", f"Name: kettle\nVersion: 1\n\n{(paragraph + chr(10) * 2) * 200}")
    source = fetch_source("kettle")
    assert MAX_README - 300 < len(source["readme"]) <= MAX_README
    assert source["readme"].endswith("water.")
    assert source["words"] == len(source["readme"].split())


def test_well_known_sources_come_first_then_long_ones(site: Path) -> None:
    for name, length in [("zeta", 9), ("alpha", 5), ("beta", 9), ("rich", 1), ("redis", 1), ("empty", 0)]:
        install(site, name, f"Name: {name}\nVersion: 1\n\n{'Boils water. ' * length}")
    assert available_sources(9) == ["redis", "rich", "beta", "zeta", "alpha"]
    assert available_sources(3) == ["redis", "rich", "beta"]
    assert available_sources(0) == []
