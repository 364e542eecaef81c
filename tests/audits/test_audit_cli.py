"""The command: exit codes, choices, the record, the terminal, the documented rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.audit_rows import face, found, outcome, put, put_faces, rows, run, saved
from typer.testing import CliRunner

import ferdata
from ferdata.audits.findings import AuditedSet, AuditReport, Example, Finding
from ferdata.audits.listing import rules_markdown
from ferdata.audits.registry import RULES, chosen_rules
from ferdata.audits.rule import Need, rule
from ferdata.audits.subject import AuditSubject
from ferdata.cli.app import app
from ferdata.core.errors import AuditError, FerdataError, OptionError, UnknownNameError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def leaking(tmp_path: Path) -> Path:
    """Write a manifest with one person in train and test."""
    train = rows(70, "train", subject=lambda k: f"p{k % 10}")
    return saved(tmp_path / "m.parquet", train, rows(14, "test", subject="p3"))


def test_docs_are_those_of_the_registry() -> None:
    """If this fails: replace what follows the comment with `rules_markdown()`."""
    text = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
    assert text.partition("rules_markdown() -->\n")[2] == rules_markdown()


def test_every_rule_is_listed_once_and_knows_what_it_needs() -> None:
    listed = [each.name for each in chosen_rules()]
    assert len(listed) == len(set(listed)) == len(RULES.names())
    for each in chosen_rules():
        assert each.finds and each.means.endswith(".") and each.remedy.endswith(".")
    cheap = {each.name for each in chosen_rules() if each.is_cheap}
    assert {"leak-subject", "counts", "license", "protocol", "prior-shift"} <= cheap
    assert Need.COPIES in RULES.get("leak-copy").needs


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 1), ("warning", 1), ("note", 1), ("never", 0)]
)
def test_exit_codes(leaking: Path, fail_on: str, code: int) -> None:
    assert run(leaking, "--fail-on", fail_on)[0] == code


def test_rules_are_chosen_by_name(leaking: Path) -> None:
    code, report = run(leaking, "--rules", "prior-shift,tiny-class")
    assert code == 0
    assert [each.rule for each in report.rules] == ["prior-shift", "tiny-class"]
    assert run(leaking, "--rules", "licence")[1].rules[0].rule == "license"  # the other spelling
    with pytest.raises(UnknownNameError, match="leak-subject"):
        ferdata.audit(leaking, rules=["leak-subjects"])


def test_the_record_is_written_and_read(leaking: Path, tmp_path: Path) -> None:
    code, printed = run(leaking, "--out", tmp_path / "out")
    read = AuditReport.open(tmp_path / "out")
    assert (code, read) == (1, printed)
    report = ferdata.audit(leaking, out=tmp_path / "named.json")
    assert json.loads((tmp_path / "named.json").read_text())["format"] == "ferdata-audit/1"
    assert [each.severity for each in report.findings] == sorted(
        (each.severity for each in report.findings), key=["error", "warning", "note"].index
    )
    finding = report.by_rule("leak-subject")[0]
    assert (finding.count, finding.of, finding.share) == (14, 14, 1.0)
    assert finding.examples[0].splits == ("train", "test")


def test_the_terminal_shows_a_table_and_what_to_do(leaking: Path) -> None:
    result = CliRunner().invoke(app, ["audit", str(leaking)])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(line.split()[:3] == ["error", "leak-subject", "train/test"] for line in lines)
    assert "--split subject:8:1:1" in " ".join(result.stdout.split())
    assert max(len(line) for line in lines if str(leaking) not in line) <= 100
    assert lines[-1].startswith("1 error, ")


def test_a_set_without_splits_says_that_leak_rules_do_not_apply(tmp_path: Path) -> None:
    code, report = run(saved(tmp_path / "m.parquet", rows(70)))
    assert code == 0
    for name in ("leak-copy", "leak-subject", "leak-sequence", "leak-official-test", "protocol"):
        assert outcome(report, name) == "not applicable"
    reason = next(each.reason for each in report.rules if each.rule == "leak-subject")
    assert reason.startswith("this set has no splits")


def test_help_has_examples() -> None:
    text = CliRunner().invoke(app, ["audit", "--help"]).stdout
    assert "ferdata audit ~/data/train --against ~/data/test" in text
    assert "--fail-on" in text


def test_rules_are_listed() -> None:
    text = CliRunner().invoke(app, ["audit", "--list-rules"]).stdout
    assert all(name in text for name in RULES.names())


@pytest.mark.parametrize("claim", ["ninety", "101", "98,9x"])
def test_a_claim_that_is_no_number(leaking: Path, claim: str) -> None:
    with pytest.raises(OptionError, match="--claim"):
        ferdata.audit(leaking, claim=claim)


def test_only_errors_of_ours_reach_the_user(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text/readme.txt").write_text("nothing to see")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not a table")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/state.json").write_text("{}")
    (tmp_path / "saved/data.arrow").write_bytes(b"ARROW?")
    put(tmp_path / "loose/a.png", face(0))
    for name in ("gone", "empty", "text", "broken.parquet", "saved", "loose"):
        with pytest.raises(FerdataError):
            ferdata.audit(tmp_path / name)
    with pytest.raises(OptionError, match="name what to audit"):
        CliRunner().invoke(app, ["audit"], catch_exceptions=False)


def test_broken_images_are_rejects_of_the_audit(tmp_path: Path) -> None:
    put_faces(tmp_path, "train", range(14))
    put_faces(tmp_path, "test", range(14, 21))
    (tmp_path / "train/happy/broken.png").write_bytes(b"no image")
    code, report = run(tmp_path, "--no-faces")
    assert code == 0
    assert (report.audited.rows, report.audited.rejects) == (21, 1)
    assert found(report, "quality", "warning").examples[0].uris == ("train/happy/broken.png",)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(AuditError, match="no image can be read: 22 ×"):
        ferdata.audit(tmp_path, faces=False)


def test_fields_that_reports_read_stay() -> None:
    """The format `ferdata-audit/1`: a field may be added, none renamed or removed."""
    assert set(Finding.model_fields) >= {
        "rule", "severity", "subject", "title", "unit", "count", "of", "share", "measure", "value",
        "threshold", "means", "remedy", "examples", "details",
    }  # fmt: skip
    assert set(Example.model_fields) >= {"samples", "uris", "splits", "labels", "text"}
    assert set(AuditedSet.model_fields) >= {
        "path", "kind", "name", "layout", "rows", "copies", "rejects", "splits", "notes",
    }  # fmt: skip
    assert set(AuditReport.model_fields) >= {"audited", "against", "findings", "rules"}


def test_a_rule_of_a_package(leaking: Path) -> None:
    @RULES.register("all-test")
    @rule("all-test", severity="note", finds="x", means="Why.", remedy="What.")
    def all_test(subject: AuditSubject) -> Iterator[Finding]:
        count = int(subject.in_split("test").sum())
        yield all_test.finding(
            subject="test", title="Test.", count=count, of=count, measure="images"
        )

    try:
        report = ferdata.audit(leaking, rules="all-test", quiet=True)
    finally:
        RULES.unregister("all-test")
    assert [each.count for each in report.findings] == [14]


def test_remedies_name_flags_that_exist() -> None:
    helps = [CliRunner().invoke(app, [verb, "--help"]).stdout for verb in ("build", "audit")]
    known = set(re.findall(r"--[a-z][a-z-]+", " ".join(helps)))
    for each in chosen_rules():
        named = set(re.findall(r"--[a-z][a-z-]+", f"{each.finds} {each.means} {each.remedy}"))
        assert named <= known, each.name
