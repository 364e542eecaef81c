"""Classes per split: missing, shifted, too few to measure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ferdata.audits.findings import Finding
from ferdata.audits.rule import Need, rule
from ferdata.audits.subject import AuditSubject
from ferdata.evaluation.metrics import wilson_interval

_RARE = 0.001
"""p-value below which class shares of two splits are no accident."""

_SHIFT, _SMALL_SHIFT = 0.10, 0.02
"""Total variation: half the sum of absolute differences of the shares."""

_TINY = 30
"""Images of a class below which its recall is known to ± 17 points at best."""

_FEW = 200
"""Images of a split below which its accuracy is known to ± 7 points at best."""

_DRAWS = 9999
_LEAST_EXPECTED = 5  # below, the chi-square distribution is no good approximation (Cochran 1954)


@rule(
    "class-missing",
    severity="error",
    needs=(Need.SPLITS,),
    finds="a class that one split lacks",
    means="A class that train lacks can't be learned, and one that test lacks is never measured; "
    "means over classes are then over fewer classes than it seems.",
    remedy="Split again with classes kept apart (`--split stratified:8:1:1` or official), or drop "
    "the class.",
)
def class_missing(subject: AuditSubject) -> Iterator[Finding]:
    """Find empty classes, split by split."""
    everywhere = subject.counts(subject.sources)
    for split in subject.present():
        counts = subject.counts(subject.in_split(split, sources=False))
        absent = [
            name
            for name, here, all_of_it in zip(subject.classes, counts, everywhere, strict=True)
            if all_of_it and not here
        ]
        if not absent:
            continue
        yield class_missing.finding(
            severity="error" if split == "train" else "warning",
            subject=split,
            title=f"{split} has no image of {', '.join(absent)}.",
            unit="classes",
            count=len(absent),
            of=int((everywhere > 0).sum()),
            measure="classes without an image",
            value=float(len(absent)),
            threshold=0.0,
            details={name: int(everywhere[subject.classes.index(name)]) for name in absent},
        )


@rule(
    "prior-shift",
    severity="warning",
    needs=(Need.SPLITS,),
    finds="class shares of test or validation that are not those of train, by an exact or "
    "chi-square test",
    means="Accuracy depends on the class shares: on others the same model scores differently. "
    "AffectNet's balanced validation split is such a case, oversampled test classes are another.",
    remedy="Report macro recall or F1 beside accuracy, and say which shares the test split has. "
    "Never balance test.",
)
def prior_shift(subject: AuditSubject) -> Iterator[Finding]:
    """Compare the class shares of train with those of the other splits."""
    if "train" not in subject.present():
        return
    train = subject.counts(subject.in_split("train"))
    for split in subject.present()[1:]:
        counts = subject.counts(subject.in_split(split, sources=False))
        table = np.stack((train, counts))[:, (train + counts) > 0]
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        shift = float(np.abs(shares[0] - shares[1]).sum() / 2)
        if shift < _SMALL_SHIFT or table.shape[1] < 2:
            continue
        p, test = _homogeneous(table)
        if p >= _RARE:
            continue
        names = [name for name, rows in zip(subject.classes, train + counts, strict=True) if rows]
        widest = int(np.abs(shares[0] - shares[1]).argmax())
        yield prior_shift.finding(
            severity="warning" if shift >= _SHIFT else "note",
            subject=f"train/{split}",
            title=f"The class shares of {split} differ from those of train by {shift:.1%} "
            f"({p_words(p)}, {test}); most in {names[widest]}: {shares[0, widest]:.1%} of train, "
            f"{shares[1, widest]:.1%} of {split}.",
            count=int(np.abs(counts - train * counts.sum() / train.sum()).sum() / 2),
            of=int(counts.sum()),
            measure="total variation distance of the class shares",
            value=shift,
            threshold=_SMALL_SHIFT,
            details={
                f"{name} {part}": float(shares[row, column])
                for column, name in enumerate(names)
                for row, part in enumerate(("train", split))
            }
            | {"p": p},
        )


@rule(
    "tiny-class",
    severity="warning",
    finds="classes and splits with too few images to measure, with their intervals",
    means="A recall on a handful of images has an interval of tens of points: two models can't be "
    "told apart by it, and a macro mean is mostly luck.",
    remedy="Report the interval beside the number (`ferdata eval` does), pool folds, or don't "
    "compare models by this class.",
)
def tiny_class(subject: AuditSubject) -> Iterator[Finding]:
    """Find classes with few images in a split, and small splits."""
    for split in subject.present():
        counts = subject.counts(subject.in_split(split))
        few = [
            (name, int(rows))
            for name, rows in zip(subject.classes, counts, strict=True)
            if 0 < rows < _TINY
        ]
        if few:
            listed = ", ".join(f"{name} {rows}" for name, rows in few)
            name, fewest = min(few, key=lambda each: each[1])
            yield tiny_class.finding(
                severity="note" if split == "train" else "warning",
                subject=split,
                title=f"{split} has fewer than {_TINY} images of {listed}. "
                + ("Little can be learned of them." if split == "train" else _odds(name, fewest)),
                unit="classes",
                count=len(few),
                of=int((counts > 0).sum()),
                measure=f"fewest images of a class in {split}",
                value=float(fewest),
                threshold=float(_TINY),
                details=dict(few),
            )
        total = int(counts.sum())
        if split != "train" and total < _FEW:
            low, high = wilson_interval(round(0.9 * total), total)
            yield tiny_class.finding(
                severity="note",
                subject=split,
                title=f"{split} has {total} images: one of them is {100 / total:.2f} points, and "
                f"an accuracy of about 90 % has the 95 % interval {low:.1%} to {high:.1%}.",
                count=total,
                of=total,
                measure=f"images in {split}",
                value=float(total),
                threshold=float(_FEW),
                details={"low": low, "high": high},
            )


def _odds(name: str, rows: int) -> str:
    """Say how little a recall on a few images is worth."""
    low, high = wilson_interval(round(0.8 * rows), rows)
    return (
        f"One more error on the {rows} of {name} is {100 / rows:.1f} points of recall; a recall of "
        f"about 80 % has the 95 % interval {low:.0%} to {high:.0%}."
    )


def p_words(p: float) -> str:
    """Return a p-value as text."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def _homogeneous(table: npt.NDArray[np.int64]) -> tuple[float, str]:
    """Return the p-value of equal class shares in two splits, and the test's name.

    The chi-square test where every expected number is at least 5; else its exact conditional
    distribution, by 9,999 tables with the same sums.
    """
    from scipy.stats import chi2_contingency, random_table  # noqa: PLC0415 - slow to load

    result = chi2_contingency(table, correction=False)
    if result.expected_freq.min() >= _LEAST_EXPECTED:
        return float(result.pvalue), "chi-square test"
    draws = random_table(table.sum(axis=1), table.sum(axis=0)).rvs(
        _DRAWS, random_state=np.random.default_rng(0)
    )
    statistics = ((draws - result.expected_freq) ** 2 / result.expected_freq).sum(axis=(1, 2))
    extreme = int((statistics >= result.statistic - 1e-9).sum())
    return (extreme + 1) / (_DRAWS + 1), "exact test"
